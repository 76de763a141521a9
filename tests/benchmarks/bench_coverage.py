"""How well coverage tells questions of topics that were never learnt from questions of those that were.

    python tests/benchmarks/bench_coverage.py [--draws 3]

Each topic of the sample shop (its tags) is held out in turn, with a fifth of all other tickets, drawn anew each time.
The last line is one JSON object: the area under the curve of coverage, and of the look-up's own score beside it, as
means over all topics, and for each topic.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.tickets.dataset.files import HELDOUT, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.tickets.lookup.building import build_index, index_of
from engine.tickets.lookup.coverage import coverage_of
from engine.tickets.lookup.question import of_ticket
from engine.tickets.lookup.ranking import nearest
from engine.tickets.preparing.pipeline import prepare

SHOP = Path(__file__).parents[2] / "assets" / "sample_tickets.ndjson"


def auroc(known: list[float], strange: list[float]) -> float:
    """How often a known question scores higher than a strange one; ties count half."""
    pairs = [(one > other) + (one == other) / 2 for one in known for other in strange]
    return sum(pairs) / len(pairs)


def areas(rows: list[StoredConversation], topic: str, seed: int) -> tuple[float, float]:
    """Return the areas of coverage and of the look-up's score where a topic is held out."""
    strange = [row for row in rows if topic in row.tags]
    others = [row for row in rows if topic not in row.tags]
    random.Random(seed).shuffle(others)
    known, learnt = others[: len(others) // 5], others[len(others) // 5 :]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / TRAIN).write_bytes(b"".join(row.line() for row in learnt))
        build_index(home)
        index = index_of(home)
        coverage = coverage_of(index)
        scores = {
            row.ticket: (
                coverage.support(of_ticket(row, {})),
                near[0].score if (near := nearest(index, of_ticket(row, {}))) else 0.0,
            )
            for row in (*known, *strange)
        }
    return tuple(  # type: ignore[return-value]  # two of them
        auroc([scores[row.ticket][n] for row in known], [scores[row.ticket][n] for row in strange]) for n in (0, 1)
    )


def main() -> None:
    """Hold out each topic, measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--draws", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare([SHOP], Path(folder) / "shop")
        rows = [row for name in (TRAIN, HELDOUT) for row in conversations(Path(folder) / "shop" / name)]
    topics = sorted({tag for row in rows for tag in row.tags})
    found = {topic: [areas(rows, topic, seed) for seed in range(given.draws)] for topic in topics}
    means = {topic: [sum(one[n] for one in seen) / len(seen) for n in (0, 1)] for topic, seen in found.items()}
    for topic, (coverage, score) in means.items():
        print(f"{topic:12} coverage {coverage:.3f}  look-up's score {score:.3f}", file=sys.stderr)
    told = [round(sum(seen[n] for seen in means.values()) / len(means), 3) for n in (0, 1)]
    print(json.dumps({"coverage": told[0], "lookup": told[1], "topics": {t: round(m[0], 3) for t, m in means.items()}}))


if __name__ == "__main__":
    main()
