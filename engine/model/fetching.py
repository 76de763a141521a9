"""How far a fetch is, in bytes: what is told while a model comes from the hub or from the package index.

The text says how many bytes are here, the fraction how large a part that is; whoever shows it reckons the time left.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.task import Report

LOOK = 0.5
"""Seconds between two looks at how many bytes are here."""


def told(what: str, done: int, total: int) -> str:
    """Write how far a fetch is: 'Fetching Qwen3 4B (1.2 of 8.0 GB)'."""
    unit, size = ("GB", 1e9) if total >= 1e9 else ("MB", 1e6)
    digits = 1 if total < 100 * size else 0
    return f"Fetching {what} ({min(done, total) / size:.{digits}f} of {total / size:.{digits}f} {unit})"


@contextmanager
def watched(folder: Path, what: str, total: int, report: Report) -> Iterator[None]:
    """Report how far a fetch into a folder is for as long as the context lasts.

    Looked at from outside, since what fetches (plain HTTP or the hub's own protocol) changes between versions, and the
    files on the disk do not.

    Args:
        folder: Where the files grow; it need not be there yet.
        what: What is fetched, in words.
        total: Bytes that are to come.
        report: Called from a thread of its own; what it raises to call the fetch off is raised at the end.
    """
    before, ended, called_off = _bytes_in(folder), threading.Event(), list[BaseException]()

    def look() -> None:
        while not ended.wait(LOOK):
            done = max(0, _bytes_in(folder) - before)
            try:
                report(told(what, done, total), min(1.0, done / max(1, total)))
            except BaseException as error:
                called_off.append(error)
                return

    report(told(what, 0, total), 0.0)
    watcher = threading.Thread(target=look, name="fetch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    for error in called_off:
        raise error


def _bytes_in(folder: Path) -> int:
    """Bytes that files in a folder take on the disk: one that is written in any order is not as long as it looks."""
    total = 0
    for file in folder.glob("*"):
        try:
            seen = file.lstat()
        except OSError:  # renamed meanwhile
            continue
        total += min(seen.st_size, getattr(seen, "st_blocks", 1 << 40) * 512)
    return total
