"""Scratch folders: where something is made before it gets its place; what a killed program leaves of them is swept.

    .<what>.<process>-<begun>.<random>.scratch   for the owner alone (mode 0700)

The name says whose it is, so that a sweep never takes anything from a process that lives. What is in one is in no list;
it may be a raw export.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.identity import is_alive, this_process

SUFFIX = ".scratch"
OLD_DAYS = 1.0
"""Days after which what an earlier version left, whose names did not say whose it was, is swept."""
_OWNED = re.compile(r"\..*\.(\d+)-(\d+\.\d\d)\.[^.]*\.scratch", re.DOTALL)
_WRITTEN = re.compile(r"\..+\.(\d+)\.(\d{15,})", re.DOTALL)
"""A file that engine.workspace.write_atomically was writing: process id and nanoseconds."""
_EARLIER = re.compile(r"\..*\.partial|\.sources|\.import-.*|\.starter-.*|\..*\.editing", re.DOTALL)


@contextmanager
def scratch(parent: Path, what: str) -> Iterator[Path]:
    """Give a new folder to make something in, and remove it at the end with all that is still in it.

    Args:
        parent: The folder in which it is made: that of the thing's own place, so that a rename brings it there.
        what: What is made; the beginning of the folder's name.

    Raises:
        OSError: The folder cannot be made.
    """
    process, started = this_process()
    prefix = f".{what[:40]}.{process}-{started:.2f}."
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=SUFFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folders: Iterable[Path]) -> None:
    """Remove what processes that have ended left in these folders."""
    for folder in folders:
        with suppress(OSError):
            for path in folder.glob(".*"):
                if _is_left(path):
                    _remove(path)


def outside(path: Path) -> Path:
    """Return a path as a person may know it: what lies in a scratch folder will lie beside it."""
    for parent in (path, *path.parents):
        if parent.name.endswith(SUFFIX):
            path = parent.parent
    return path


def _is_left(path: Path) -> bool:
    if owner := _OWNED.fullmatch(path.name):
        return not is_alive(int(owner[1]), float(owner[2]))
    if written := _WRITTEN.fullmatch(path.name):
        return not _was_alive(int(written[1]), int(written[2]) / 1e9)
    return bool(_EARLIER.fullmatch(path.name)) and time.time() - path.lstat().st_mtime > OLD_DAYS * 86_400


def _was_alive(process: int, then: float) -> bool:
    """Whether the process with this id is the one that there was at that time."""
    import psutil

    try:
        return bool(psutil.Process(process).create_time() <= then)
    except (psutil.Error, ValueError, OverflowError):
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
