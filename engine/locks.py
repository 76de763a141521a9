"""Locks of the operating system, which even kill -9 gives back; what they protect, their callers know."""

import errno
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.workspace import disk_errors

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""What a file system without locks answers."""


def locked(file: Path, patience: float, *, poll: float = 0.05) -> "BaseFileLock | None":
    """Lock a file, which is made where there is none; a file system without locks does without.

    Args:
        file: The file; nobody but its owner may read it.
        patience: Seconds to wait for whoever has it.
        poll: Seconds between two looks.

    Returns:
        The lock, to be released by any thread; None where another program or thread has it.

    Raises:
        ResourceError: The file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(file, timeout=patience, poll_interval=poll, thread_local=False, mode=0o600)
    with disk_errors(file.parent):
        try:
            _make_way(file)
            lock.acquire()
        except Timeout:
            return None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            log.warning("%s lies on a file system without locks: %s", file, error)
        return lock


def _make_way(file: Path) -> None:
    """Rename a folder that has the name of a lock, as a damaged disk or a wrong copy leaves it."""
    if file.is_dir():
        file.rename(file.with_name(f"{file.name}-{time.time_ns()}"))
