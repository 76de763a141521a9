"""Memory that runs out in the middle of a run on a GPU: does it go on, and does it learn what it would have learnt.

    python tests/benchmarks/bench_healing.py --shape 7b --memory spacious --cap 24 6

A run that is left alone, and one whose memory is capped after its fourth step and again after its seventh, as when
another program takes the rest of the card: torch then raises its own out-of-memory error in the middle of a step. The
run must take every step, with the losses of the other. The recipe's mode is where it begins; what it gives up is
printed. The last line is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_pause import GIB, difference, losses, prepared
from tests.benchmarks.shapes import SHAPES

CAPPED_AT = (4, 7)


class Neighbour:
    """Takes the rest of the card's memory after some of the steps."""

    def __init__(self, caps: list[float]) -> None:
        self.calls = 0
        self.caps = dict(zip(CAPPED_AT, caps, strict=False))

    def is_paused(self) -> bool:
        """Asked between two steps whether to hold: never."""
        import torch

        self.calls += 1
        if self.calls in self.caps:
            share = self.caps[self.calls] * GIB / torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, share))
            torch.cuda.empty_cache()  # or torch would go on with what it has
        return False


def main() -> None:
    """See the module."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--memory", default="spacious")
    parser.add_argument("--cap", nargs="+", type=float, default=[24, 6], metavar="GIB")
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("this needs a GPU")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base, recipe, rows = prepared(root, given.shape, given.steps, memory=given.memory)
        alone = losses(base, root / "alone", rows, recipe)
        healed = losses(base, root / "healed", rows, recipe, is_paused=Neighbour(given.cap).is_paused)
    print(
        json.dumps({"caps_gib": given.cap, "difference": difference(alone, healed), "alone": alone, "healed": healed})
    )


if __name__ == "__main__":
    main()
