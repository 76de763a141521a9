"""Checkpoints on disk: written to the side and renamed, judged sound before they are used, the older ones removed.

A checkpoint is a folder ``checkpoint-<step>`` that transformers' Trainer wrote: adapter weights, optimizer, scheduler,
random state and trainer_state.json. This module knows files only.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.workspace import disk_errors

PREFIX = "checkpoint-"
MAKING = ".making"
"""Where a checkpoint grows; a crash leaves it there, where nobody takes it for a checkpoint."""
WEIGHTS = "adapter_model.safetensors"
STATE = "trainer_state.json"


def place(checkpoints: Path, step: int) -> Path:
    """Return the folder of the checkpoint at ``step``, be it there or not."""
    return checkpoints / f"{PREFIX}{step}"


@contextmanager
def written_aside(checkpoints: Path, step: int) -> Iterator[Path]:
    """Give a folder to write a checkpoint into; afterwards it is flushed to the disk and renamed into place.

    Args:
        checkpoints: The folder of all checkpoints.
        step: The optimizer step.

    Yields:
        The folder in which ``checkpoint-<step>`` is to be made.

    Raises:
        ResourceError: The disk is full or cannot be written; what was there before is untouched.
    """
    side = checkpoints / MAKING
    shutil.rmtree(side, ignore_errors=True)
    with disk_errors(checkpoints):
        side.mkdir(parents=True)
        try:
            yield side
            beside, final = place(side, step), place(checkpoints, step)
            for file in beside.rglob("*"):
                if file.is_file():
                    _flush(file)
            if final.exists():
                shutil.rmtree(final)
            beside.rename(final)
            _flush(checkpoints)
        finally:
            shutil.rmtree(side, ignore_errors=True)


def _flush(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def steps(checkpoints: Path) -> list[int]:
    """Return the steps that have a complete checkpoint, ascending; a quick look at names only."""
    numbers = []
    for folder in checkpoints.glob(f"{PREFIX}*"):
        step = folder.name.removeprefix(PREFIX)
        if step.isdecimal() and (folder / STATE).exists() and (folder / WEIGHTS).exists():
            numbers.append(int(step))
    return sorted(numbers)


def is_sound(folder: Path) -> bool:
    """Say whether all that a resume reads is whole: weights, optimizer, schedule, random state, trainer state.

    Reads every archive to its end, since torch.save writes checksums: for a resume, not for a list of runs.
    """
    try:
        state = json.loads((folder / STATE).read_bytes())
        archives = [folder / "optimizer.pt", folder / "scheduler.pt", *folder.glob("rng_state*.pth")]
        return (
            isinstance(state.get("global_step"), int)
            and _is_whole(folder / WEIGHTS)
            and len(archives) > 2
            and all(_has_its_checksums(archive) for archive in archives)
        )
    except (OSError, ValueError, AttributeError, TypeError, LookupError, RecursionError, zipfile.BadZipFile):
        return False


def _has_its_checksums(archive: Path) -> bool:
    with zipfile.ZipFile(archive) as file:
        return file.testzip() is None


def _is_whole(weights: Path) -> bool:
    """Whether a safetensors file holds tensors, and is as long as its header says: safetensors' reader checks that."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as tensors:
            return bool(tensors.keys())
    except SafetensorError:
        return False


def newest_sound(checkpoints: Path) -> int:
    """Return the step of the newest sound checkpoint, or 0."""
    return next((step for step in reversed(steps(checkpoints)) if is_sound(place(checkpoints, step))), 0)


def set_aside(checkpoints: Path, step: int) -> None:
    """Hide a damaged checkpoint, so that it is not counted among the newest that are kept."""
    hidden = checkpoints / f".damaged-{step}"
    shutil.rmtree(hidden, ignore_errors=True)
    with disk_errors(checkpoints):
        place(checkpoints, step).rename(hidden)


def best_step(checkpoints: Path) -> int | None:
    """Return the step with the lowest held-out loss, as the newest checkpoint knows it; None where nobody does."""
    for step in reversed(steps(checkpoints)):
        with suppress(OSError, ValueError, AttributeError):
            best = json.loads((place(checkpoints, step) / STATE).read_bytes()).get("best_global_step")
            return best if isinstance(best, int) else None
    return None


def remove_older(checkpoints: Path, keep: int, always: Collection[int]) -> None:
    """Remove all but the newest ``keep`` checkpoints and those in ``always``.

    A folder is renamed first, so that one half removed is never taken for a checkpoint.
    """
    for step in steps(checkpoints)[:-keep]:
        if step not in always:
            going = checkpoints / f".{PREFIX}{step}"
            shutil.rmtree(going, ignore_errors=True)
            place(checkpoints, step).rename(going)
            shutil.rmtree(going, ignore_errors=True)
