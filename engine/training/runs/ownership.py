"""Who trains a run: one process at a time, told by a lock of the operating system that even kill -9 gives back.

    runs/<id>/.owner         locked for as long as a process is responsible for the run
    runs/<id>/.status.lock   locked for the milliseconds in which somebody writes status.json

Locks are held by this process as a whole; which of its threads may touch a run, the training queue says. The process id
and its start stand in status.json as well, for whoever only looks.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from engine.errors import ResourceError, RunError
from engine.locks import locked

if TYPE_CHECKING:
    from filelock import BaseFileLock

OWNER, WRITING = ".owner", ".status.lock"
PATIENCE = 10.0
"""Seconds to wait for another program that writes the same status; a write takes milliseconds."""
_one_writer = threading.RLock()
_held: "WeakValueDictionary[tuple[int, Path], Claim]" = WeakValueDictionary()
"""By process id, since a fork inherits the table but not the locks."""


class Claim:
    """The right of this process to train a run; given back by :meth:`close`, or when nobody refers to it any more."""

    def __init__(self, lock: "BaseFileLock") -> None:
        self._lock = lock

    def close(self) -> None:
        """Give it back."""
        self._lock.release(force=True)


def claim(folder: Path) -> Claim:
    """Take the right to train a run, or return the one that this process has.

    Raises:
        RunError: Another process has it.
        ResourceError: The folder cannot be written.
    """
    with _one_writer:
        known = _held.get((os.getpid(), folder))
        if known is not None:
            return known
        lock = locked(folder / OWNER, 0.0)
        if lock is None:
            raise RunError("Another program is training this run.")
        made = _held[os.getpid(), folder] = Claim(lock)
        return made


def give_up(folder: Path) -> None:
    """Give back what :func:`claim` took; nothing where this process has no right to the run."""
    with _one_writer:
        known = _held.pop((os.getpid(), folder), None)
        if known is not None:
            known.close()


def is_ours(folder: Path) -> bool:
    """Whether this process has the right to train the run."""
    return (os.getpid(), folder) in _held


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only one, in all threads and programs, who reads, changes and writes a run's status.

    Raises:
        ResourceError: The folder cannot be written, or another program has not come to an end for seconds.
    """
    with _one_writer:
        lock = locked(folder / WRITING, PATIENCE, poll=0.005)
        if lock is None:
            raise ResourceError(
                f"Another program has been writing the state of {folder.name} for {PATIENCE:.0f} seconds.",
                "Close that program and try again.",
            )
        try:
            yield
        finally:
            lock.release()
