"""Speed of answers on this machine's device: the base, an adapter, several voices side by side, wide batches.

    python tests/benchmarks/bench_answers.py --shape 7b
    python tests/benchmarks/bench_answers.py --model starter --gguf starter.gguf --groups base tuned pair
    python tests/benchmarks/bench_answers.py --shape 70b --streamed 1 64 256 --tokens 16 --prompt 100

Greedy, no token ends an answer. On a GPU each group is answered in turn by recorded steps (captured_step.py) and step
by step, which is how every answer was made before; on the processor by steps in machine code (cpu_step/) and by the
model's own layers, and beside them by llama.cpp where the package xllamacpp and a GGUF file of the model are. The ways
take turns; medians after a warm-up. Speed is that of writing, all voices together; the time to the first token is told
apart. ``--streamed`` answers so many questions at a time over a base whose layers come from the computer's memory, once
each: a step takes a sweep over all layers, however many share it. On a machine that others use too take ``--cpu-time``:
one thread, by the processor time that it takes. The last line is one JSON object.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.shapes import SHAPES, random_base

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = {"base": 1, "tuned": 1, "pair": 2, "four": 4, "sixteen": 16, "thirty-two": 32}


def banks_of(base: Any, *, on_gpu: bool) -> dict[str, Any]:
    """Return banks of one's own, by how they compute a step; the quickest first."""
    from engine.chat.adapters import AdapterBank

    quick, slow = AdapterBank(base.copy()), AdapterBank(base.copy())
    slow.recordings.refuse(RuntimeError("step by step is what is measured"))
    slow.cpu_step.refuse("the model's own layers are what is measured")
    return {"recorded": quick, "step by step": slow} if on_gpu else {"machine code": quick, "own layers": slow}


def timed(bank: Any, rows: list[Any], tokens: int, clock: "Callable[[], float]") -> tuple[float, float]:
    """Answer; return the seconds to the first token and the tokens a second after it, of all rows together."""
    from engine.chat.decoding import decode
    from engine.chat.records import Sampling

    bank.prefixes.forget()
    began = clock()
    stream = decode(bank, rows, Sampling(temperature=0.0, max_new_tokens=tokens), frozenset(), 0)
    next(stream)
    first = clock()
    for _ in stream:
        pass
    return first - began, len(rows) * (tokens - 1) / (clock() - first)


class LlamaCpp:
    """The same model in llama.cpp (xllamacpp).

    Args:
        gguf: Its file.
        threads: How many may compute.
    """

    def __init__(self, gguf: Path, threads: int) -> None:
        import xllamacpp  # type: ignore[import-not-found]  # not a dependency: installed by who wants to compare

        options = xllamacpp.CommonParams()
        options.model.path = str(gguf)
        options.n_ctx, options.n_parallel = 2048, 1
        options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
        self._server = xllamacpp.Server(options)

    def timed(self, prompt: int, tokens: int, clock: "Callable[[], float]") -> tuple[float, float]:
        """Answer a prompt of so many tokens; return as :func:`timed` does."""
        first, whole = (self._seconds(prompt, count, clock) for count in (1, tokens))
        return first, (tokens - 1) / (whole - first)

    def _seconds(self, prompt: int, tokens: int, clock: "Callable[[], float]") -> float:
        began = clock()
        asked = {"prompt": list(range(100, 100 + prompt)), "n_predict": tokens, "temperature": 0.0}
        self._server.handle_completions({**asked, "ignore_eos": True, "cache_prompt": False})
        return clock() - began


def rows_of(bank: Any, group: str, adapters: list[Path], prompt_tokens: int) -> list[Any]:
    """Return the rows of a group: adapters in turn, with the base among them where there are several."""
    import torch

    from engine.chat.decoding import Row

    count = GROUPS[group]
    voices: list[Path | None] = [adapters[0]] if group == "tuned" else [(None, *adapters)[n % 4] for n in range(count)]
    ids = torch.randint(5, 300, (count, prompt_tokens), generator=torch.Generator().manual_seed(0)).tolist()
    return [Row(tuple(ids[n]), None if path is None else bank.load(path)) for n, path in enumerate(voices)]


def many(bank: Any, adapter: Path, questions: int, prompt: int, tokens: int) -> dict[str, float]:
    """Answer many questions by the base and an adapter; a place that is free is taken by the next one.

    Prompts have half to one and a half of the tokens, answers a quarter to all of them, as real ones differ. Reading
    the prompts is counted.
    """
    import random

    from engine.chat.decoding import Request, Row, SharedBatch
    from engine.chat.records import Sampling

    chance, name, requests = random.Random(0), bank.load(adapter), []
    for _ in range(questions):
        ids = tuple(chance.randrange(5, 300) for _ in range(chance.randint(prompt // 2, prompt * 3 // 2)))
        how = Sampling(temperature=0.0, max_new_tokens=chance.randint(max(1, tokens // 4), tokens))
        requests += [Request(Row(ids, voice), how, frozenset()) for voice in (None, name)]
    began = time.perf_counter()
    for _ in SharedBatch(bank, 0).answer(requests):
        pass
    seconds, written = time.perf_counter() - began, sum(len(request.state.tokens) for request in requests)
    print(f"{questions} questions to two voices: {written / seconds:.1f} tokens/s, {seconds:.1f} s", flush=True)
    return {"questions": questions, "tokens_per_second": round(written / seconds, 1), "seconds": round(seconds, 2)}


def streamed(base: Any, wide: list[int], prompt: int, tokens: int) -> None:
    """Answer so many questions at a time over a base whose layers come from the computer's memory; print each."""
    import torch

    from engine.chat.adapters import AdapterBank
    from engine.chat.decoding import Row
    from engine.hardware import GIB
    from engine.model.base import BaseModel
    from engine.model.streaming.moving import move_to_arena

    base = BaseModel(base.model, base.chat, base.ref, base.loaded_as, move_to_arena(base.model, base.device))
    on_gpu = base.device.type == "cuda"
    print(
        json.dumps({"arena_gib": round(base.arena.bytes / GIB, 2), "sweep": round(base.sweep_seconds, 3)}), flush=True
    )
    bank = AdapterBank(base.copy())
    for count in wide:
        ids = torch.randint(5, 300, (count, prompt), generator=torch.Generator().manual_seed(0)).tolist()
        if on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        first, speed = timed(bank, [Row(tuple(row), None) for row in ids], tokens, time.perf_counter)
        found = {"rows": count, "prompt": prompt, "first_token": round(first, 2), "tokens_per_second": round(speed, 2)}
        found |= {"step": round(count / speed, 3), "sweeps_a_step": round(count / speed / base.sweep_seconds, 2)}
        peak = round(torch.cuda.max_memory_allocated() / GIB, 2) if on_gpu else None
        print(json.dumps({**found, "peak_gib": peak}), flush=True)


def measured(
    ways: "dict[str, Callable[[int], tuple[float, float]]]", repeats: int, tokens: dict[str, int]
) -> dict[str, dict[str, float]]:
    """Let the ways take turns; return each one's medians."""
    seen: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for way, answer in ways.items():
        answer(min(tokens[way], 8))
    for _ in range(repeats):
        for way, answer in ways.items():
            seen[way].append(answer(tokens[way]))
    medians = {way: [statistics.median(column) for column in zip(*each, strict=True)] for way, each in seen.items()}
    return {
        way: {"tokens_per_second": round(speed, 1), "first_token": round(first, 4)}
        for way, (first, speed) in medians.items()
    }


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--model", help="a checkpoint folder, a hub id, or 'starter', in place of a shape")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()), help="where a fetched model is kept")
    parser.add_argument("--gguf", type=Path, help="the same model for llama.cpp, on the processor")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--prompt", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of the processor")
    parser.add_argument("--cpu-time", action="store_true", help="one thread, timed by the processor time it takes")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--questions", type=int, default=0, help="so many to two voices each, all at once")
    parser.add_argument("--streamed", nargs="+", type=int, metavar="ROWS", help="layers in the computer's memory")
    return parser.parse_args()


def main() -> None:
    """See the module."""
    given = options()
    clock = time.process_time if given.cpu_time else time.perf_counter

    import torch

    from engine.model.base import load_base
    from engine.recipe import Recipe
    from tests.engine.chat.lora import make_lora

    threads = 1 if given.cpu_time else given.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    llama = LlamaCpp(given.gguf, threads) if given.gguf else None
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        if given.model:
            base = load_base(Recipe(model=given.model), given.cache, lambda *_: None)
        else:
            base = random_base(given.shape, root / "model")
        if given.streamed:
            streamed(base, given.streamed, given.prompt, given.tokens)
            return
        adapters = [make_lora(base, root / str(seed), seed, r=16, std=0.02) for seed in range(3)]
        on_gpu = torch.cuda.is_available()
        banks = banks_of(base, on_gpu=on_gpu)
        tokens = dict.fromkeys([*banks, "llama.cpp"], given.tokens)
        if on_gpu:
            tokens["step by step"] = min(given.tokens, 32)
        figures: dict[str, dict[str, Any]] = {}
        for group in given.groups:
            ways: dict[str, Callable[[int], tuple[float, float]]] = {}
            for way, bank in banks.items():
                rows = rows_of(bank, group, adapters, given.prompt)
                ways[way] = lambda count, bank=bank, rows=rows: timed(bank, rows, count, clock)  # type: ignore[misc]
            if llama is not None and group == "base":
                ways["llama.cpp"] = lambda count: llama.timed(given.prompt, count, clock)
            figures[group] = measured(ways, given.repeats, tokens)
            for way, found in figures[group].items():
                speed, first = found["tokens_per_second"], found["first_token"] * 1000
                print(f"{group:12}{way:14}{speed:9.1f} tokens/s   first token {first:7.1f} ms", flush=True)
        bank = next(iter(banks.values()))
        swapped = statistics.median(
            timed(bank, rows_of(bank, "tuned", [path], given.prompt), 2, clock)[0] for path in adapters
        )
        copied = shutil.copytree(adapters[0], root / "copy")
        began = time.perf_counter()
        bank.load(copied)
        loaded = time.perf_counter() - began
        print(f"first token after a swap {swapped * 1000:.1f} ms; an adapter from disk {loaded:.3f} s")
        if given.questions:
            many(bank, adapters[0], given.questions, given.prompt, min(given.tokens, 16))  # records what it needs
            figures["many"] = many(bank, adapters[0], given.questions, given.prompt, given.tokens)
        print(
            json.dumps(
                {
                    "model": given.model or given.shape,
                    "device": torch.cuda.get_device_name() if on_gpu else "cpu",
                    "threads": threads,
                    "torch": torch.__version__,
                    "recordings": len(bank.recordings._free) if on_gpu else 0,
                    "steps_in_machine_code": bank.cpu_step.steps,
                    "groups": figures,
                    "first_token_after_a_swap": swapped,
                    "adapter_from_disk": loaded,
                }
            )
        )


if __name__ == "__main__":
    main()
