"""What it costs to let several voices answer side by side, and to swap adapters.

    python tests/benchmarks/bench_playground.py --model FOLDER

Wanted: a swap between two loaded adapters below 50 ms; an answer of two voices at most 1.4 times one answer. The
adapters have random weights (rank 16 on every linear layer). The sets of voices take turns, so that whatever else the
machine does falls on all of them alike; medians over the rounds after a warm-up. On a busy machine take ``--cpu-time``.
The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

QUESTION = "Hello, my parcel has not arrived yet. Where is it, and can I still return the lamp that is in it?"
SETS = {"base": (0,), "tuned": (1,), "base + tuned": (0, 1), "two tuned": (1, 2), "base + two tuned": (0, 1, 2)}


def make_adapter(base: Any, folder: Path, seed: int) -> Path:
    """Save an adapter with small random weights, as peft writes it."""
    import torch
    from peft import LoraConfig, get_peft_model

    generator = torch.Generator().manual_seed(seed)
    model = get_peft_model(
        base.copy(), LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data.copy_(0.01 * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def swaps(base: Any, adapters: list[Path], count: int = 50) -> tuple[float, float]:
    """Milliseconds to load an adapter from disk the first time, and to swap between loaded ones (median)."""
    from engine.chat.adapters import bank_of

    started = time.perf_counter()
    for adapter in adapters:
        bank_of(base).load(adapter)
    first = (time.perf_counter() - started) / len(adapters)
    times = []
    for number in range(count):
        started = time.perf_counter()
        with bank_of(base).acquire([adapters[number % len(adapters)]]):
            times.append(time.perf_counter() - started)
    return 1e3 * first, 1e3 * statistics.median(times)


def answer_seconds(base: Any, voices: list[Any], tokens: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds until the first token of all voices, and until the end."""
    from engine.chat.playground import Sampling, answer

    conversation = [{"role": "user", "content": QUESTION}]
    started = clock()
    first = 0.0
    for frame in answer(base, voices, [conversation] * len(voices), Sampling(0.0, max_new_tokens=tokens)):
        first = first or (clock() - started if frame.answers[0].tokens else 0.0)
    return first, clock() - started


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", required=True, help="a checkpoint folder, a hub id, or 'starter'")
    options.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()), help="where the starter model is kept"
    )
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--tokens", type=int, default=48)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--cpu-time", action="store_true", help="one thread, timed by the processor time it takes")
    chosen = options.parse_args()
    clock = time.thread_time if chosen.cpu_time else time.perf_counter
    chosen.threads = 1 if chosen.cpu_time else chosen.threads

    import torch
    from transformers.utils.logging import disable_progress_bar

    from engine.model.base import load_base
    from engine.recipe import Recipe
    from engine.studio import Voice

    disable_progress_bar()
    torch.set_num_threads(chosen.threads)
    base = load_base(Recipe(model=chosen.model), chosen.cache, lambda *_: None)
    base.chat = replace(base.chat, stop_ids=frozenset())  # every answer has the same length
    with tempfile.TemporaryDirectory() as folder:
        adapters = [make_adapter(base, Path(folder) / f"adapter-{seed}", seed) for seed in (1, 2)]
        voices = [Voice("base", "base", "", None), *(Voice(path.name, path.name, "", path) for path in adapters)]
        first_load, swap = swaps(base, adapters)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in SETS}
        for number in range(chosen.rounds + 1):
            for name, places in SETS.items():
                times = answer_seconds(base, [voices[place] for place in places], chosen.tokens, clock)
                if number:
                    seen[name].append(times)
    report(seen, first_load, swap, base.device.type, chosen)


def report(
    seen: dict[str, list[tuple[float, float]]], first_load: float, swap: float, device: str, chosen: argparse.Namespace
) -> None:
    """Print the table and the JSON line."""
    first = {name: statistics.median(time for time, _ in times) for name, times in seen.items()}
    whole = {name: statistics.median(time for _, time in times) for name, times in seen.items()}
    step = {name: 1e3 * (whole[name] - first[name]) / (chosen.tokens - 1) for name in SETS}
    print(f"\n{device}, {chosen.threads} threads, {chosen.tokens} tokens an answer, median of {chosen.rounds}\n")
    print(f"{'voices':<18}{'first token s':>14}{'ms a step':>11}{'answer s':>10}{'to base':>9}{'to tuned':>10}")
    for name in SETS:
        to_base, to_tuned = whole[name] / whole["base"], whole[name] / whole["tuned"]
        print(f"{name:<18}{first[name]:>14.2f}{step[name]:>11.1f}{whole[name]:>10.2f}{to_base:>9.2f}{to_tuned:>10.2f}")
    print(f"\nan adapter is loaded in {first_load:.0f} ms, and swapped for another loaded one in {swap:.2f} ms\n")
    numbers = {
        "swap_ms": round(swap, 3),
        "load_ms": round(first_load, 1),
        "answer_seconds": {name: round(time, 3) for name, time in whole.items()},
        "two_voices_to_base": round(whole["base + tuned"] / whole["base"], 3),
        "two_voices_to_tuned": round(whole["base + tuned"] / whole["tuned"], 3),
        "three_voices_to_tuned": round(whole["base + two tuned"] / whole["tuned"], 3),
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
