"""What the exceptions of a training run mean, in a sentence and a remedy."""

import errno
from pathlib import Path

from engine.errors import DivergedError, LostGpuError, ResourceError, RunError, StudioError
from engine.model.device_errors import has_lost_gpu, is_out_of_memory
from engine.workspace import explain_disk_error

FAILED_WRITES = ("No space left", "PytorchStreamWriter", "inline_container", "file write failed")
"""What torch.save says on a full disk, depending on where in the file it happens."""
LOWER = 5
"""A run that diverged is to be tried again with its learning rate divided by this."""
KEPT = "Checkpoints made so far are kept."
OUT_OF_MEMORY = (
    f"Memory ran out during training. {KEPT}",
    "Lower 'conversations at a time' or the longest conversation, or pick a smaller model.",
)
"""Sentence and remedy."""


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
        return ResourceError(*OUT_OF_MEMORY)
    if any(sign in text for sign in FAILED_WRITES):
        return explain_disk_error(OSError(errno.ENOSPC, text), folder)
    if isinstance(error, OSError):
        return explain_disk_error(error, folder)
    if has_lost_gpu(error):
        return LostGpuError(
            f"The GPU stopped answering ({text.splitlines()[0][:120]}). {KEPT}",
            "Restart the program, then press Resume.",
        )
    if isinstance(error, KeyError) and error.args[:1] in {("exp_avg",), ("state1",)}:
        return RunError(
            "This run was begun on another kind of device, with another optimizer, and cannot go on here.",
            "Resume it where it was begun, or start a new run.",
        )
    what = text.splitlines()[0][:200] if text else "no message"
    return RunError(
        f"Training ended unexpectedly ({type(error).__name__}: {what}). {KEPT}",
        "The details are in the log; Resume goes on from the last checkpoint.",
    )


def diverged(step: int, rate: float) -> DivergedError:
    """Return the failure of a run whose loss or weights are NaN or infinite at ``step``."""
    lower = float(f"{rate / LOWER:.2g}")
    return DivergedError(
        f"The loss is no longer a number at step {step}: too large steps have broken the model.",
        f"Start again with a lower learning rate ({lower:g} instead of {rate:g}); the best checkpoint is kept.",
        lower,
    )
