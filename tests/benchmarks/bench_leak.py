"""The leak test on the sample shop: what comes out with masking and without it, and how long it takes.

    python tests/benchmarks/bench_leak.py --folder DIR [--preset quick] [--tickets 64] [--epochs 8] [--set NAME=VALUE]

Plants made-up secrets in a copy of the shop's tickets, learns it with the starter model (or another, --set model=...),
and asks for them. Masked ones must not come out, with a rank test of at most 0.55; of the unmasked ones that stand
eight times in agents' turns at least 60 % must, else the test proves nothing. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.console import say
from engine.presets import presets
from engine.studio import Studio
from engine.training.runs.directory import RunDirectory
from engine.verdict.leak.trial import Size
from engine.workspace import Workspace


def main() -> None:
    """Plant, learn, ask and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--folder", type=Path, required=True, help="A workspace, kept.")
    arguments.add_argument("--preset", default="quick", choices=sorted(presets()))
    arguments.add_argument("--tickets", type=int, default=Size().tickets)
    arguments.add_argument("--epochs", type=float, default=Size().epochs)
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Any setting of the run.")
    given = arguments.parse_args()
    studio = Studio(Workspace(given.folder))
    sets = studio.tickets.all()
    dataset = sets[0].id if sets else studio.tickets.prepare_sample().wait(600)
    recipe = presets()[given.preset].recipe.with_text(dict(text.split("=", 1) for text in given.set))
    run = RunDirectory.create(studio.workspace, recipe, studio.tickets.get(dataset).folder, "leak test")
    began = time.perf_counter()
    task = studio.leak.test(run.id, Size(given.tickets, epochs=given.epochs))
    while not task.ended(2.0):
        seen = task.snapshot()
        say(seen.stage, seen.fraction)
    found, seconds = task.wait(), time.perf_counter() - began
    studio.close()
    print(found.sentence)
    for name, rows in (("masked", found.masked), ("without masking", found.control)):
        for row in rows:
            print(
                f"{name:16} {row.role:10} {row.times} times: {row.out} of {row.count}, AUC {row.auc:.2f}, "
                f"{row.exposure:.1f} bits"
            )
    told = {"seconds": round(seconds), "steps": found.steps, **found.told}
    print(json.dumps({**told, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
