"""What runs forget: the rise of the loss on general texts and instructions, at a recipe's rate and at ten times it.

    python tests/benchmarks/bench_forgetting.py --folder DIR --presets quick --seeds 1
    python tests/benchmarks/bench_forgetting.py --folder DIR                        # on a GPU: 120 runs

Each run learns the sample shop over the starter model (or another, --set model=...). The alarm must stay silent at each
preset's own rate in every seed, and ring at ten times that in every seed. A line of JSON for each run, with the rises
in nats a token at its last check, and one for each preset and factor at the end: how many rang, and the range of the
rises, from which the limits are chosen. Without a network: see grid.py.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.presets import presets
from engine.training.forgetting.alarm import ALLOWED, INSTRUCTIONS, TEXTS, alarm, rises
from engine.training.runs.events import Evaluated, Finished, GeneralChecked, Stepped
from engine.training.trainer import TrainingData, run_training
from tests.benchmarks.grid import Found, Job, add_arguments, ready, run_grid, with_settings

if TYPE_CHECKING:
    from engine.model.base import BaseModel


def main() -> None:
    """Train, measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(arguments)
    arguments.add_argument("--presets", nargs="+", default=list(presets()), choices=list(presets()))
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--first", type=int, default=1, help="The first seed.")
    arguments.add_argument("--factors", type=float, nargs="*", default=[1.0, 10.0])
    given = arguments.parse_args()
    cache, data = ready(given)
    recipes = {name: with_settings(presets()[name].recipe, given.set) for name in given.presets}
    jobs = [
        Job(
            {"preset": preset, "factor": factor, "seed": seed},
            replace(recipe, seed=seed, learning_rate=min(0.1, recipe.learning_rate * factor)),
            data,
        )
        for seed in range(given.first, given.first + given.seeds)
        for preset, recipe in recipes.items()
        for factor in given.factors
    ]
    seen: dict[tuple[str, float], list[Found]] = {}
    for found in run_grid(train, jobs, cache, given.jobs):
        if "failed" not in found:
            seen.setdefault((found["preset"], found["factor"]), []).append(found)
    for (preset, factor), runs in seen.items():
        print(json.dumps({"preset": preset, "factor": factor, **summary(runs)}), flush=True)
    print(json.dumps({"allowed": dict(ALLOWED)}), flush=True)


def train(job: Job, base: "BaseModel", folder: Path) -> Found:
    """Take one run, and look at what it has forgotten."""
    events: list[Any] = []
    run_training(job.recipe, TrainingData.load(job.data, job.recipe), base, folder, events.append)
    checks = [event for event in events if isinstance(event, GeneralChecked)]
    heldout = [event.loss for event in events if isinstance(event, Evaluated)]
    finished = next(event for event in events if isinstance(event, Finished))
    kept = [check for check in checks if check.step <= finished.step]
    last, taken = ({rise.on: rise.nats for rise in rises(checks[0], at)} for at in (checks[-1], kept[-1]))
    return {
        "steps": sum(isinstance(event, Stepped) for event in events),
        "kept": finished.step,
        "texts": round(last[TEXTS], 3),
        "instructions": round(last[INSTRUCTIONS], 3),
        "kept_texts": round(taken[TEXTS], 3),
        "kept_instructions": round(taken[INSTRUCTIONS], 3),
        "heldout": [round(heldout[0], 3), round(min(heldout), 3), round(heldout[-1], 3)],
        "rang": alarm(checks) is not None,
        "rang_kept": alarm(checks, finished.step) is not None,
    }


def summary(runs: list[Found]) -> dict[str, Any]:
    """How many rang, and between what and what the rises were."""
    names = ("texts", "instructions", "kept_texts", "kept_instructions")
    ranges = {name: [min(run[name] for run in runs), max(run[name] for run in runs)] for name in names}
    counts = {name: sum(run[name] for run in runs) for name in ("rang", "rang_kept")}
    return {"runs": len(runs), **counts, **ranges, "seconds": round(sum(run["seconds"] for run in runs) / len(runs), 1)}


if __name__ == "__main__":
    main()
