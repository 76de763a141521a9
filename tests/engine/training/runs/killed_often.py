"""Train one run while killing its process again and again; then compare its losses with a run that was left alone.

    python -m tests.engine.training.runs.killed_often --kills 30

Each life is a fork of this process, so that none has to import the libraries anew; it is killed with SIGKILL at a
random moment: while it prepares, steps, checks or writes. The last line is one JSON object.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[4]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import torch

    from engine.base_holder import BaseHolder
    from engine.recipe import Recipe
    from engine.training import trainer  # noqa: F401  imported before the forks
    from engine.training.runs.directory import RunDirectory
    from tests.tiny import make_model, write_data

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        recipe = Recipe(
            model=str(make_model(root / "model")),
            max_steps=given.steps,
            epochs=100.0,
            batch_size=2,
            accumulation=2,
            max_length=64,
            eval_steps=5,
            patience=0,
        )
        data = write_data(root / "data")
        bases = BaseHolder(root)
        with bases.use(recipe):
            pass  # loaded before the forks, which share its memory
        whole, killed = (RunDirectory.create_at(root / name, recipe, data, name) for name in ("whole", "killed"))
        for run in (whole, killed):
            run.release()  # each life takes it anew
        began = time.monotonic()
        wait_for(fork(whole, bases))
        longest = time.monotonic() - began
        chance, states, kills = random.Random(given.seed), [], 0
        while kills < given.kills:
            kills += 1
            process = fork(killed, bases)
            time.sleep(chance.uniform(0.05, min(2.5, 0.6 * longest)))
            os.kill(process, signal.SIGKILL)
            wait_for(process)
            states.append(RunDirectory(killed.path).status.state)
            assert states[-1] in {"interrupted", "finished"}, states[-1]
            if states[-1] == "finished":
                break
        if states[-1] != "finished":
            wait_for(fork(killed, bases))
        ended = RunDirectory(killed.path)
        losses = [
            {seen.step: seen.loss for seen in RunDirectory(run.path).history.read().steps} for run in (whole, killed)
        ]
        print(
            json.dumps(
                {
                    "kills": kills,
                    "state": ended.status.state,
                    "message": ended.status.message,
                    "steps": len(losses[1]),
                    "same_losses": losses[0] == losses[1] and len(losses[0]) == given.steps,
                    "left_behind": sorted(file.name for file in ended.checkpoints.glob(".*")),
                }
            )
        )


def fork(run: object, bases: object) -> int:
    """Begin a life that trains the run from its newest sound checkpoint; return its process id."""
    process = os.fork()
    if process:
        return process
    from engine.training.runs.directory import RunDirectory
    from engine.training.runs.queue import TrainingQueue

    queue = TrainingQueue(bases)
    alive = RunDirectory(run.path)
    queue.add(alive)
    queue.wait(alive.id)
    os._exit(0)


def wait_for(process: int) -> None:
    """Wait until a process has ended."""
    os.waitpid(process, 0)


if __name__ == "__main__":
    main()
