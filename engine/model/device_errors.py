"""What PyTorch raises when a machine fails: memory that ran out, and a GPU that stopped answering.

Which sentence a person gets for it, those decide who know what was being done: loading, training or answering. torch's
own exceptions are known by their names, so that a failure can be told before torch is imported.
"""

from engine.errors import LostGpuError

_OUT_OF_MEMORY = ("out of memory", "can't allocate", "alloc_failed")
"""What is said of memory that ran out where it is no torch.OutOfMemoryError: CUDA itself, the CPU, cuBLAS and cuDNN."""
_LOST_GPU = ("cuda error", "cuda driver")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the GPU or without one."""
    text = str(error).lower()
    known = isinstance(error, MemoryError) or _is_torchs(error, "OutOfMemoryError")
    return known or any(sign in text for sign in _OUT_OF_MEMORY)


def has_lost_gpu(error: BaseException) -> bool:
    """Whether the GPU failed in a way that leaves it of no use to this process.

    After a fault in a kernel every call into CUDA fails, in this process alone, until it ends
    (https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html, cudaErrorLaunchFailure and its kin).
    """
    if isinstance(error, LostGpuError):
        return True
    if is_out_of_memory(error):
        return False
    text = str(error).lower()
    return _is_torchs(error, "AcceleratorError") or any(sign in text for sign in _LOST_GPU)


def without_frames(error: Exception) -> Exception:
    """Let go of the frames of an error and of those behind it: their variables hold what filled the memory."""
    behind: BaseException | None = error
    while behind is not None:
        behind = behind.with_traceback(None)
        behind = behind.__cause__ or behind.__context__
    return error


def _is_torchs(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == "torch" for kind in type(error).__mro__)
