"""What a pause gives back on a GPU, how long it takes, and whether the run goes on as if nothing had been.

    python tests/benchmarks/bench_pause.py --shape 7b --memory spacious
    python tests/benchmarks/bench_pause.py --shape 7b --memory spacious --optimizer adamw_8bit
    python tests/benchmarks/bench_pause.py --shape tiny                  # anywhere; without a GPU nothing is given back

Three runs over a model of a known shape with random weights: two that are left alone, whose difference is what the
GPU's own order of sums makes, and one that is held after the fourth step. The last line is one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.hardware import GIB
from engine.tickets.dataset.stored import StoredConversation
from tests.benchmarks.bench_training import make_conversations
from tests.benchmarks.shapes import SHAPES, random_base

HELD_AT = 4


class Hold:
    """Holds a run once, for as long as it takes to look at the memory."""

    def __init__(self) -> None:
        self.calls = 0
        self.before = self.during = self.after = 0
        self.asked = self.seconds = 0.0

    def is_paused(self) -> bool:
        """Asked before each look whether to end."""
        self.calls += 1
        if self.calls == HELD_AT:
            self.before, self.asked = reserved(), time.perf_counter()
        elif self.calls == HELD_AT + 1:
            self.after = reserved()
        return self.calls == HELD_AT

    def should_stop(self) -> bool:
        """The pause itself."""
        if self.calls == HELD_AT:
            self.during, self.seconds = reserved(), time.perf_counter() - self.asked
        return False


def reserved() -> int:
    """Bytes that torch holds on the GPU."""
    import torch

    return torch.cuda.memory_reserved() if torch.cuda.is_available() else 0


def losses(base: Any, folder: Path, rows: list[StoredConversation], recipe: Any, **options: Any) -> list[float]:
    """Train; return the loss of every step."""
    from engine.training.runs.events import LogNote, Stepped
    from engine.training.trainer import TrainingData, run_training

    folder.mkdir()
    events: list[Any] = []
    run_training(recipe, TrainingData(rows, []), base, folder, events.append, **options)
    for event in events:
        if isinstance(event, LogNote):
            print(f"  {event.text}", flush=True)
    return [event.loss for event in events if isinstance(event, Stepped)]


def difference(one: list[float], other: list[float]) -> float:
    """The largest difference of two curves."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def prepared(root: Path, shape: str, steps: int, **changes: Any) -> tuple[Any, Any, list[dict[str, Any]]]:
    """Return a base of a shape, a recipe for so many steps without dropout, and what is learnt."""
    from engine.recipe import Recipe

    base = random_base(shape, root / "model")
    recipe = Recipe(model=base.ref, max_steps=steps, epochs=100.0, max_length=512, dropout=0.0, **changes)
    return base, recipe, make_conversations(64)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--memory", default="spacious")
    parser.add_argument("--optimizer", default="paged_adamw_8bit")
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base, recipe, rows = prepared(root, given.shape, given.steps, memory=given.memory, optimizer=given.optimizer)
        first, second = (losses(base, root / name, rows, recipe) for name in ("first", "second"))
        hold = Hold()
        held = losses(base, root / "held", rows, recipe, should_stop=hold.should_stop, is_paused=hold.is_paused)
    print(
        json.dumps(
            {
                "reserved_gib": [round(seen / GIB, 2) for seen in (hold.before, hold.during, hold.after)],
                "seconds_to_give_back": round(hold.seconds, 2),
                "difference_of_two_left_alone": difference(first, second),
                "difference_of_the_held_one": difference(first, held),
                "losses": held,
            }
        )
    )


if __name__ == "__main__":
    main()
