"""Speed of answers on this machine's device: the base, an adapter, several voices side by side, wide batches.

    python tests/benchmarks/bench_answers.py --shape 7b

Prompts of 200 tokens, greedy, no token ends an answer. On a GPU each group is answered in turn by recorded steps
(captured_step.py) and step by step, which is how every answer was made before; medians after a warm-up. Speed is that
of writing, all voices together; the time to the first token is told apart. The last line is one JSON object.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.shapes import SHAPES, random_base

GROUPS = {"base": 1, "tuned": 1, "pair": 2, "four": 4, "sixteen": 16, "thirty-two": 32}


def bank_of(base: Any, *, records: bool) -> Any:
    """Return a bank of one's own, which records its steps or does not."""
    from engine.chat.adapters import AdapterBank

    bank = AdapterBank(base.copy())
    if not records:
        bank.recordings.refuse(RuntimeError("step by step is what is measured"))
    return bank


def timed(bank: Any, rows: list[Any], tokens: int) -> tuple[float, float]:
    """Answer; return the seconds to the first token and the tokens a second after it, of all rows together."""
    from engine.chat.decoding import decode
    from engine.chat.records import Sampling

    began = time.perf_counter()
    stream = decode(bank, rows, Sampling(temperature=0.0, max_new_tokens=tokens), frozenset(), 0)
    next(stream)
    first = time.perf_counter()
    for _ in stream:
        pass
    return first - began, len(rows) * (tokens - 1) / (time.perf_counter() - first)


def rows_of(bank: Any, group: str, adapters: list[Path], prompt_tokens: int) -> list[Any]:
    """Return the rows of a group: adapters in turn, with the base among them where there are several."""
    import torch

    from engine.chat.decoding import Row

    count = GROUPS[group]
    voices: list[Path | None] = [adapters[0]] if group == "tuned" else [(None, *adapters)[n % 4] for n in range(count)]
    ids = torch.randint(5, 300, (count, prompt_tokens), generator=torch.Generator().manual_seed(0)).tolist()
    return [Row(tuple(ids[n]), None if path is None else bank.load(path)) for n, path in enumerate(voices)]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--prompt", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    given = parser.parse_args()

    import torch

    from tests.engine.chat.lora import make_lora

    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base = random_base(given.shape, root / "model")
        adapters = [make_lora(base, root / str(seed), seed, r=16, std=0.02) for seed in range(3)]
        on_gpu = torch.cuda.is_available()
        banks = {"recorded": bank_of(base, records=True)} if on_gpu else {}
        banks["step by step"] = bank_of(base, records=False)
        figures: dict[str, dict[str, Any]] = {}
        for group in given.groups:
            figures[group] = {}
            for way, bank in banks.items():
                rows = rows_of(bank, group, adapters, given.prompt)
                repeats = given.repeats if way == "recorded" or not on_gpu else max(1, given.repeats // 2)
                tokens = given.tokens if way == "recorded" or not on_gpu else min(given.tokens, 32)
                timed(bank, rows, min(tokens, 8))
                seen = [timed(bank, rows, tokens) for _ in range(repeats)]
                first, speed = (statistics.median(column) for column in zip(*seen, strict=True))
                figures[group][way] = {"tokens_per_second": round(speed, 1), "first_token": round(first, 4)}
                print(f"{group:12}{way:14}{speed:9.1f} tokens/s   first token {first * 1000:7.1f} ms", flush=True)
        bank = next(iter(banks.values()))
        swapped = statistics.median(
            timed(bank, rows_of(bank, "tuned", [path], given.prompt), 2)[0] for path in adapters
        )
        copied = shutil.copytree(adapters[0], root / "copy")
        began = time.perf_counter()
        bank.load(copied)
        loaded = time.perf_counter() - began
        print(f"first token after a swap {swapped * 1000:.1f} ms; an adapter from disk {loaded:.3f} s")
        recorded = len(bank.recordings._free) if on_gpu else 0
        print(
            json.dumps(
                {
                    "shape": given.shape,
                    "device": torch.cuda.get_device_name() if on_gpu else "cpu",
                    "torch": torch.__version__,
                    "recordings": recorded,
                    "groups": figures,
                    "first_token_after_a_swap": swapped,
                    "adapter_from_disk": loaded,
                }
            )
        )


if __name__ == "__main__":
    main()
