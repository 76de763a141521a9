"""What runs forget: the rise of the loss on general texts and instructions, at a recipe's rate and at ten times it.

    python tests/benchmarks/bench_forgetting.py --folder DIR [--preset quick] [--seeds 20] [--factors 1 10] [--set ...]

Each run learns the sample shop over the starter model (or another, --set model=...). The alarm must stay silent at the
preset's own rate in every seed, and ring at ten times that in every seed. What DIR holds already is not trained again.
The last line is one JSON object: factor -> how many of how many rang, and the rises in nats a token.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.presets import presets
from engine.studio import Studio
from engine.training.forgetting.alarm import ALLOWED, alarm, rises
from engine.training.runs.events import GeneralChecked
from engine.workspace import Workspace


def main() -> None:
    """Train, measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--folder", type=Path, required=True, help="A workspace, kept.")
    arguments.add_argument("--preset", default="quick", choices=sorted(presets()))
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--factors", type=float, nargs="*", default=[1.0, 10.0])
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Any setting of the runs.")
    given = arguments.parse_args()
    studio = Studio(Workspace(given.folder))
    sets = studio.tickets.all()
    dataset = sets[0].id if sets else studio.tickets.prepare_sample().wait(600)
    known = {run.status.name: run.id for run in studio.runs.all() if run.has_adapter}
    recipe = presets()[given.preset].recipe.with_text(dict(text.split("=", 1) for text in given.set))
    result = {}
    for factor in given.factors:
        risen, rang = [], 0
        for seed in range(1, given.seeds + 1):
            name = f"{given.preset}, {factor:g} times the rate, seed {seed}"
            if name not in known:
                made = replace(recipe, seed=seed, learning_rate=recipe.learning_rate * factor)
                known[name] = studio.runs.start(made, dataset, name)
                studio.runs.queue.wait(known[name], None)
            checks = studio.runs.info(known[name]).history.general
            risen.append(_rises(checks))
            rang += alarm(checks) is not None
            print(f"{name}: {risen[-1]}", file=sys.stderr)
        result[f"{factor:g}"] = {"rang": rang, "of": given.seeds, "rises": risen}
    studio.close()
    print(json.dumps({**result, "allowed": dict(ALLOWED)}))


def _rises(checks: Sequence[GeneralChecked]) -> dict[str, float]:
    """By how much each loss has risen from the untouched base to the last step."""
    return {rise.on: round(rise.nats, 3) for rise in rises(checks[0], checks[-1])} if len(checks) > 1 else {}


if __name__ == "__main__":
    main()
