"""What the exceptions of a training run mean, in a sentence and a remedy."""

import errno
from pathlib import Path

import torch

from engine.errors import DivergedError, LostGpuError, ResourceError, RunError, StudioError
from engine.workspace import explain_disk_error

FAILED_WRITES = ("No space left", "PytorchStreamWriter", "inline_container", "file write failed")
"""What torch.save says on a full disk, depending on where in the file it happens."""
OUT_OF_MEMORY = ("out of memory", "can't allocate", "ALLOC_FAILED")
"""What is said of memory that ran out where it is no torch.OutOfMemoryError: CUDA itself, the CPU, cuBLAS and cuDNN."""
LOWER = 5
"""A run that diverged is to be tried again with its learning rate divided by this."""
KEPT = "Checkpoints made so far are kept."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the GPU or without one."""
    text = str(error)
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(sign in text for sign in OUT_OF_MEMORY)


def has_lost_gpu(error: BaseException) -> bool:
    """Whether the GPU failed in a way that leaves it of no use to this process.

    After a fault in a kernel every call into CUDA fails, in this process alone, until it ends
    (https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html, cudaErrorLaunchFailure and its kin).
    """
    if isinstance(error, LostGpuError):
        return True
    return not is_out_of_memory(error) and any(sign in str(error) for sign in ("CUDA error", "CUDA driver"))


def without_frames(error: Exception) -> Exception:
    """Let go of the frames of an error and of those behind it: their variables hold what filled the memory."""
    behind: BaseException | None = error
    while behind is not None:
        behind = behind.with_traceback(None)
        behind = behind.__cause__ or behind.__context__
    return error


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
