"""Which process this is, and whether another one is still there: ids are used again, so the start counts too."""

import os
from functools import cache


def this_process() -> tuple[int, float]:
    """Return the id of this process and when it began, in Unix seconds."""
    return os.getpid(), _start_of(os.getpid())


def is_alive(process: int, started: float) -> bool:
    """Whether a process with this id, begun at this time, is there."""
    import psutil

    try:
        return bool(abs(psutil.Process(process).create_time() - started) < 2.0)
    except (psutil.Error, ValueError, OverflowError):
        return False


@cache
def _start_of(process: int) -> float:
    """When this process began: asked once, since the answer moves with the computer's clock."""
    import psutil

    return float(psutil.Process(process).create_time())
