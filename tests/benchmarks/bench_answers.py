"""A trained adapter beside its base, on this machine's device: speed of one answer and of a pair.

    python tests/benchmarks/bench_answers.py --shape 7b

Trains a few steps first, so that the adapter is a real one. Ratios of medians of several answers after a warm-up; the
last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_training import make_conversations, measure
from tests.benchmarks.shapes import SHAPES, random_base


def main() -> None:
    """Train, load the adapter twice, and time answers of one, two and three voices in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    from engine.chat.playground import Sampling, answer
    from engine.chat.records import Voice

    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base = random_base(arguments.shape, root / "model")
        for name in ("a", "b"):
            measure({}, base, make_conversations(40), 4, root / name)
        everybody = [Voice("base", "Base", "", None)]
        everybody += [Voice(name, name, base.ref, root / name / "adapter") for name in ("a", "b")]
        turns = [{"role": "user", "content": "where is my parcel please"}]
        sampling = Sampling(temperature=0.0, max_new_tokens=arguments.tokens, seed=0)

        def seconds(voices: list[Voice]) -> float:
            began = time.perf_counter()
            *_, last = answer(base, voices, [turns] * len(voices), sampling, lambda: False)
            made = max(seen.tokens for seen in last.answers)
            return (time.perf_counter() - began) / max(1, made)

        groups = {"base": everybody[:1], "tuned": everybody[1:2], "pair": everybody[:2], "three": everybody}
        times: dict[str, list[float]] = {name: [] for name in groups}
        for round_ in range(arguments.repeats + 1):
            for name, voices in groups.items():
                spent = seconds(voices)
                if round_:
                    times[name].append(spent)
        medians: dict[str, Any] = {name: statistics.median(values) for name, values in times.items()}
        for name, value in medians.items():
            print(
                f"{name:8} {1 / value:8.1f} tokens/s a voice   {value / medians['tuned']:5.2f} times one tuned answer"
            )
        print(json.dumps({"shape": arguments.shape, "seconds_a_token": medians}))


if __name__ == "__main__":
    main()
