"""Puts the weights of a checkpoint into a run's adapter folder, complete or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from engine.errors import RunError
from engine.training.runs import checkpoints
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Finished, LogNote
from engine.workspace import disk_errors

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def keep(folder: Path, step: int, complete: Callable[[Path], None]) -> None:
    """Make the adapter folder of a run anew.

    Args:
        folder: The run's.
        step: Of a checkpoint that it has.
        complete: Adds to the new folder what a checkpoint does not hold: chat format and mark of the base.
    """
    source, beside, old = checkpoints.place(folder / "checkpoints", step), folder / ".adapter", folder / "adapter"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    for name in ADAPTER_FILES:
        shutil.copyfile(source / name, beside / name)
    complete(beside)
    shutil.rmtree(old, ignore_errors=True)
    beside.rename(old)


def take_checkpoint(run: RunDirectory, step: int) -> None:
    """Let the result of a run that has ended be that of another of its checkpoints.

    Raises:
        RunError: The run has no result yet, or that checkpoint is not on the disk any more.
        ResourceError: The disk is full.
    """
    if not run.has_adapter():
        raise RunError(f"'{run.status.name}' has no adapter yet.", "Let it finish first.")
    if step not in run.checkpoint_steps() or not checkpoints.is_sound(run.checkpoint(step)):
        known = ", ".join(f"{known:,}" for known in run.checkpoint_steps()) or "none"
        raise RunError(
            f"The checkpoint of step {step:,} is not on the disk any more.",
            f"Those of these steps are: {known}. The recipe says how many are kept (keep checkpoints).",
        )

    def complete(made: Path) -> None:
        for file in run.adapter.iterdir():
            if file.is_file() and file.name not in ADAPTER_FILES:
                shutil.copyfile(file, made / file.name)

    finished = run.history.read().finished
    with disk_errors(run.path):
        keep(run.path, step, complete)
    run.emit(LogNote(f"The adapter is that of step {step:,} from now on, as you chose."))
    run.emit(Finished(step, finished.seconds if finished else 0.0))
    run.history.keep()
