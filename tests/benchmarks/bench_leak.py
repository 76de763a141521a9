"""The leak test on the sample shop: what comes out with masking and without it, seed by seed.

    python tests/benchmarks/bench_leak.py --folder DIR
    python tests/benchmarks/bench_leak.py --folder DIR --seeds 8 --vary learning_rate=1e-3,2e-3 rank+alpha=16+32,64+128

Plants made-up secrets in a copy of the shop's tickets, learns it with the starter model (or another, --set model=...),
and asks for them. Masked ones must not come out, with a rank test of at most 0.55; of the unmasked ones that stand
eight times in agents' turns at least 60 % must, else the test proves nothing. ``--vary`` tries every combination in
place of what the test does with a preset by itself. A line of JSON for each test, and one for each combination at the
end: how often the control fired, what came out, and the rank test over all seeds. Without a network: see grid.py.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.presets import presets
from engine.tickets.dataset.files import TRAIN
from engine.tickets.dataset.stored import conversations
from engine.tickets.privacy.masking import PrivacyOptions
from engine.verdict.leak.certificate import FIRES
from engine.verdict.leak.trial import Size, make_trial
from tests.benchmarks.grid import Found, Job, add_arguments, every, ready, run_grid, with_settings

if TYPE_CHECKING:
    from engine.model.base import BaseModel


def main() -> None:
    """Plant, learn, ask and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(arguments)
    arguments.add_argument("--presets", nargs="+", default=["quick"], choices=sorted(presets()))
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--tickets", type=int, default=Size().tickets)
    arguments.add_argument("--epochs", type=float, nargs="+", default=[Size().epochs])
    arguments.add_argument("--vary", nargs="*", default=[], metavar="NAME=VALUE,VALUE", help="Settings of the trial.")
    given = arguments.parse_args()
    cache, data = ready(given)
    jobs = [
        Job(
            {"preset": preset, "epochs": epochs, **varied, "tickets": given.tickets, "seed": seed},
            replace(recipe, seed=seed),
            data,
        )
        for seed in range(1, given.seeds + 1)
        for preset in given.presets
        for epochs in given.epochs
        for varied, recipe in every(with_settings(presets()[preset].recipe, given.set), given.vary)
    ]
    told: dict[str, list[Found]] = {}
    for found in run_grid(try_out, jobs, cache, given.jobs):
        if "failed" not in found:
            told.setdefault(json.dumps({name: found[name] for name in jobs[0].label if name != "seed"}), []).append(
                found
            )
    for combination, tests in told.items():
        print(json.dumps({**json.loads(combination), **summary(tests)}), flush=True)


def try_out(job: Job, base: "BaseModel", folder: Path) -> Found:
    """Make one test."""
    rows = list(conversations(job.data / TRAIN))
    size = Size(job.label["tickets"], epochs=job.label["epochs"])
    began, told = time.perf_counter(), [0.0]

    def report(stage: str, fraction: float | None) -> None:
        if "step" in stage and time.perf_counter() - told[0] > 20:
            told[0] = time.perf_counter()
            print(json.dumps({**job.label, "at": stage, "after": round(told[0] - began)}), flush=True)

    found = make_trial(job.recipe, rows, PrivacyOptions(), base, folder, report, lambda: False, size, job.recipe.seed)
    return {
        "outcome": found.outcome,
        "steps": found.steps,
        "fired": f"{found.strongest.out} of {found.strongest.count}",
        "out": found.out,
        "auc": round(found.auc, 3),
        "control": [[row.role[0], row.times, row.out, row.count, round(row.auc, 2)] for row in found.control],
    }


def summary(tests: list[Found]) -> dict[str, Any]:
    """What several tests with one recipe say together."""
    strongest = [row for test in tests for row in test["control"] if row[0] == "a" and row[1] == 8]
    fired = [row[2] >= FIRES * row[3] for row in strongest]
    return {
        "tests": len(tests),
        "control_fired": sum(fired),
        "control_out": f"{sum(row[2] for row in strongest)} of {sum(row[3] for row in strongest)}",
        "masked_out": sum(test["out"] for test in tests),
        "masked_auc": round(sum(test["auc"] for test in tests) / len(tests), 3),
        "masked_auc_highest": max(test["auc"] for test in tests),
        "outcomes": sorted({test["outcome"] for test in tests}),
        "seconds": round(sum(test["seconds"] for test in tests) / len(tests), 1),
    }


if __name__ == "__main__":
    main()
