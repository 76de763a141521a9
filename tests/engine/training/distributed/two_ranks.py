"""Train the same tickets in one process and in two that share the work, and tell what each did.

    python -m tests.engine.training.distributed.two_ranks

Each process is a fork of this one, so that none has to import the libraries anew, and is what ``accelerate launch``
would start. The last line is one JSON object: case -> what its run's folder tells.
"""

import json
import os
import signal
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.program import free_port

ROOT = Path(__file__).parents[4]
Patch = Callable[[int], None]
"""Changes something in a process of this rank, before it begins."""


class Cases:
    """Runs in a temporary folder.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        from tests.tiny import make_model, write_data

        self.root = root
        self.model = str(make_model(root / "model"))
        self.data = write_data(root / "data", learnt=21, heldout=5)  # the last step of an epoch holds one row
        self.told: dict[str, Any] = {}

    def run(self, name: str, ranks: int, patch: Patch = lambda rank: None, kill_at: int = 0, **changes: Any) -> None:
        """Train, from the newest checkpoint if the run is there already; remember what it tells.

        Args:
            name: The run's.
            ranks: How many processes.
            patch: Applied in each.
            kill_at: Kill all with SIGKILL as soon as so many steps are told.
            changes: Fields of the recipe.
        """
        from engine.recipe import Recipe
        from engine.training.distributed.control import read_failure
        from engine.training.runs.directory import RunDirectory

        recipe = Recipe(
            **{
                "model": self.model,
                "max_steps": 8,
                "epochs": 50.0,
                "batch_size": 2,
                "accumulation": 2,
                "learning_rate": 5e-3,
                "max_length": 64,
                "eval_steps": 2,
                "dropout": 0.0,
                "patience": 0,
                **changes,
            }
        )
        folder = self.root / name
        run = RunDirectory(folder) if folder.exists() else RunDirectory.create_at(folder, recipe, self.data, name)
        run.release()  # the processes take it
        codes = []
        if ranks == 1:
            alone(folder)
        else:
            codes = together(ranks, [str(folder), "--cache", str(self.root)], patch, run, kill_at)
        history = RunDirectory(folder).history.read()
        failure = read_failure(folder)
        self.told[name] = {
            "codes": codes,
            "losses": [step.loss for step in history.steps],
            "norms": [step.grad_norm for step in history.steps],
            "heldout": [seen.loss for seen in history.evaluations],
            "checkpoints": run.checkpoint_steps(),
            "kept": history.finished.step if history.finished else None,
            "notes": [note.text for _, note in history.notes],
            "state": run.status.state,
            "failure": None if failure is None else {"message": failure.message, "settings": failure.settings},
            "streamed": None if history.started is None else history.started.streamed,
            "files": sorted(file.name for file in run.adapter.glob("*")),
            "held": [json.loads(file.read_text()) for file in sorted(folder.glob("held-*.json"))],
            "random_states": len(list(folder.glob("checkpoints/checkpoint-8/rng_state*.pth"))),
        }


OWN_END = 30.0
"""Seconds in which a process may end by itself after another has failed, before it is ended."""


def together(ranks: int, words: list[str], patch: Patch, run: Any, kill_at: int) -> list[int]:
    """Fork the processes and wait for them; when one fails the others are ended, as the launcher does it."""
    port = free_port()
    processes = [fork(rank, ranks, port, words, patch) for rank in range(ranks)]
    codes: dict[int, int] = {}
    failed_at = 0.0
    while len(codes) < ranks:
        for process in processes:
            if process not in codes:
                done, status = os.waitpid(process, os.WNOHANG)
                if done:
                    codes[process] = os.waitstatus_to_exitcode(status)
        cut = kill_at and len(run.history.read().steps) >= kill_at
        failed_at = failed_at or (time.monotonic() if any(codes.values()) else 0.0)
        if cut or (failed_at and time.monotonic() > failed_at + OWN_END):
            for process in processes:
                if process not in codes:
                    os.kill(process, signal.SIGKILL)
            kill_at = 0
            for process in processes:
                if process not in codes:
                    codes[process] = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        time.sleep(0.01)
    return [codes[process] for process in processes]


def alone(folder: Path) -> None:
    """Train as the program does, in this process, which then has all imported that the forks need."""
    from engine.base_holder import BaseHolder
    from engine.training.runs.directory import RunDirectory
    from engine.training.runs.queue import TrainingQueue

    queue = TrainingQueue(BaseHolder(folder.parent))
    run = RunDirectory(folder)
    queue.add(run)
    queue.wait(run.id)


def fork(rank: int, ranks: int, port: int, words: list[str], patch: Patch) -> int:
    """Begin one process; return its id."""
    process = os.fork()
    if process:
        return process
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()}, MASTER_ADDR="127.0.0.1")
    from engine.training.distributed.worker import main as work

    try:
        patch(rank)
        work(words)
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(1)


def no_number(rank: int) -> None:
    """Let the gradients of the second process be no numbers from the fifth step on."""
    from engine.training.qlora_trainer import QLoRATrainer

    real = QLoRATrainer.training_step

    def broken(self: Any, *args: Any, **options: Any) -> Any:
        loss = real(self, *args, **options)
        return loss * float("nan") if rank == 1 and self.state.global_step == 5 else loss

    QLoRATrainer.training_step = broken


def full(rank: int) -> None:
    """Let the memory of the second process be too small for two rows at a time from the third step on."""
    import torch

    from engine.training.qlora_trainer import QLoRATrainer

    real = QLoRATrainer.training_step

    def narrow(self: Any, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        if rank == 1 and self.state.global_step >= 3 and len(inputs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return real(self, model, inputs, *args, **options)

    QLoRATrainer.training_step = narrow


def on_disk(rank: int) -> None:
    """Let the computer's memory be short of the layers."""
    from engine.model.streaming import loading

    loading.ARENA_SHARE = 0.0


def one_too_small(rank: int) -> None:
    """Let the second process have no room for the whole base, which the first has."""
    from engine.model import base

    base._is_too_large = lambda *args: rank == 1


def weigh(rank: int) -> None:
    """Write down what a process holds of the 4-bit weights while they are split, between two steps and in a layer."""
    import torch.distributed.fsdp
    from torch.distributed.tensor import DTensor

    from engine.model.unpacking import linear_4bit_layers
    from engine.training.distributed import fsdp
    from engine.training.qlora_trainer import QLoRATrainer

    real, split, split_layer = QLoRATrainer.training_step, fsdp.shard, torch.distributed.fsdp.fully_shard
    whole: list[int] = []

    def watched(model: Any, *args: Any) -> None:
        weights = [weakref.ref(layer.weight) for layer in linear_4bit_layers(model)]

        def counted(*args: Any, **options: Any) -> Any:
            done = split_layer(*args, **options)
            whole.append(sum(weight() is not None for weight in weights))
            return done

        torch.distributed.fsdp.fully_shard = counted
        split(model, *args)

    def held(model: Any) -> float:
        weights = [layer.weight for layer in linear_4bit_layers(model)]
        here = [weight.to_local() if isinstance(weight, DTensor) else weight for weight in weights]
        return sum(part.numel() for part in here) / sum(weight.numel() for weight in weights)

    def weighed(self: Any, model: Any, *args: Any, **options: Any) -> Any:
        during: list[float] = []
        hook = self.model.base_model.model.model.layers[1].mlp.register_forward_hook(
            lambda *_: during.append(held(self.model))
        )
        loss = real(self, model, *args, **options)
        hook.remove()
        shares = {
            "whole": whole,
            "between": held(self.model),
            "during": during[0],
            "types": sorted({str(layer.weight.dtype) for layer in linear_4bit_layers(self.model)}),
        }
        (Path(self.args.output_dir).parent / f"held-{rank}.json").write_text(json.dumps(shares))
        return loss

    fsdp.shard = watched
    QLoRATrainer.training_step = weighed


def all_cases(cases: Cases) -> None:
    """One process and two, whole bases and split ones, and what can go wrong."""
    cases.run("one", 1)
    cases.run("one packed", 1, packing="on", memory="saving", max_length=128)
    cases.run("two", 2)
    cases.run("two packed", 2, packing="on", memory="saving", max_length=128)
    cases.run("two forgetting", 2, dropout=0.1)
    cases.run("two killed", 2, dropout=0.1, kill_at=5)
    cases.run("two killed", 2)
    cases.run("streamed killed", 2, on_disk, kill_at=5, memory="streamed")
    cases.run("streamed killed", 2, on_disk)
    cases.run("one too small", 2, one_too_small)
    cases.run("no number", 2, no_number)
    cases.told["no number first"] = cases.told["no number"]
    cases.run("no number", 1)
    cases.run("full", 2, full)
    cases.run("shards", 2, weigh, spread="shards")
    split = {"spread": "shards", "memory": "saving", "packing": "on", "max_length": 128}
    cases.run("shards killed", 2, kill_at=5, **split)
    cases.run("shards killed", 2)


def main() -> None:
    """See the module."""
    sys.path.insert(0, str(ROOT))
    import torch

    from engine.training import trainer  # noqa: F401  imported before the forks
    from engine.training.qlora_trainer import QLoRATrainer  # noqa: F401

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        cases = Cases(Path(temporary))
        all_cases(cases)
        print(json.dumps(cases.told))


if __name__ == "__main__":
    main()
