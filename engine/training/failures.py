"""What the exceptions of a training run mean, in a sentence and a remedy."""

import errno
from pathlib import Path

import torch

from engine.errors import ResourceError, RunError, StudioError
from engine.workspace import explain_disk_error

FAILED_WRITES = ("No space left", "PytorchStreamWriter", "inline_container", "file write failed")
"""What torch.save says on a full disk, depending on where in the file it happens."""
KEPT = "Checkpoints made so far are kept."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the GPU or without one."""
    text = str(error)
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or "out of memory" in text or "can't allocate" in text


def explain(error: BaseException, folder: Path) -> StudioError:
    """Translate what a run raised.

    Args:
        error: Anything that came out of a training step, an evaluation or a save.
        folder: The run's folder, for the sentence about the disk.
    """
    if isinstance(error, StudioError):
        return error
    text = str(error)
    if is_out_of_memory(error):
        return ResourceError(
            f"Memory ran out during training. {KEPT}",
            "Lower 'conversations at a time' or the longest conversation, or pick a smaller model.",
        )
    if any(sign in text for sign in FAILED_WRITES):
        return explain_disk_error(OSError(errno.ENOSPC, text), folder)
    if isinstance(error, OSError):
        return explain_disk_error(error, folder)
    if "CUDA error" in text or "CUDA driver" in text:
        return ResourceError(
            f"The GPU stopped answering ({text.splitlines()[0][:120]}). {KEPT}",
            "Restart the program, then press Resume.",
        )
    if isinstance(error, KeyError) and error.args[:1] in {("exp_avg",), ("state1",)}:
        return RunError(
            "This run was begun on another kind of device, with another optimizer, and cannot go on here.",
            "Resume it where it was begun, or start a new run.",
        )
    if "Target modules" in text and "not found" in text:
        return RunError(
            "The base model has no layers of the names given as target modules.", "Write all-linear in the recipe."
        )
    what = text.splitlines()[0][:200] if text else "no message"
    return RunError(
        f"Training ended unexpectedly ({type(error).__name__}: {what}). {KEPT}",
        "The details are in the log; Resume goes on from the last checkpoint.",
    )
