"""A whole verdict on the sample shop: how long it takes, and what it says.

    python tests/benchmarks/bench_verdict.py --folder DIR [--seed 42] [--set NAME=VALUE]

Trains Quick look on the sample shop with the starter model, unless DIR holds that run already, and judges it: five
voices answer all held-out tickets and read what the agents wrote. Two cores are to take 6 minutes at most for the
judgement; on a GPU the limit is 2 minutes for a model of 7B and 200 tickets (--set model=...). What DIR has answered
already is not answered again: judge a fresh folder to measure time. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.console import say
from engine.presets import presets
from engine.studio import Studio
from engine.workspace import Workspace


def trained(studio: Studio, seed: int, values: dict[str, str]) -> str:
    """Return the id of the run, trained now where it is not there yet."""
    known = next((run.id for run in studio.runs.all() if run.has_adapter), "")
    if known:
        return known
    sets = studio.tickets.all()
    dataset = sets[0].id if sets else studio.tickets.prepare_sample().wait(600)
    began = time.perf_counter()
    run = studio.runs.start(replace(presets()["quick"].recipe.with_text(values), seed=seed), dataset, "Quick look")
    studio.runs.wait(run, 3600)
    print(f"trained in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return run


def main() -> None:
    """Train, judge and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--folder", type=Path, required=True, help="A workspace, kept.")
    arguments.add_argument("--seed", type=int, default=42)
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Any setting of the run.")
    given = arguments.parse_args()
    studio = Studio(Workspace(given.folder))
    run = trained(studio, given.seed, dict(text.split("=", 1) for text in given.set))
    began = time.perf_counter()
    task = studio.verdict.judge(run)
    while not task.ended(1.0):
        seen = task.snapshot()
        say(seen.stage, seen.fraction)
    found, seconds = task.wait(), time.perf_counter() - began
    studio.close()
    print(found.sentence, *found.more, sep="\n")
    for voice in found.voices:
        figures = "  ".join(f"{name} {seen.mean:.2f}" for name, seen in found.figures[voice.id].items())
        print(f"{voice.label:42} {figures}")
    told = {"seconds": round(seconds), "tickets": len(found.tickets), "verdict": found.sentence, "kind": found.kind}
    print(json.dumps({**told, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
