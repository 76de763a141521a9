"""What this process has just written in the folders of runs, for whoever keeps a list of them (index.py)."""

import threading
from collections import deque
from pathlib import Path

REMEMBERED = 1000
"""Changes that are kept in mind; whoever asks later than that has to look at everything."""

_lock = threading.Lock()
_latest: "deque[Path]" = deque(maxlen=REMEMBERED)
_count = 0


def note_change(folder: Path) -> None:
    """Say that something in a run's folder has changed."""
    global _count
    with _lock:
        _latest.append(folder)
        _count += 1


def since(mark: int) -> tuple[int, set[Path] | None]:
    """Return a new mark, and the folders that have changed since the old one; None where that is too long ago.

    Args:
        mark: What the last call returned; -1 at first.
    """
    with _lock:
        new = _count - mark
        if new > len(_latest):
            return _count, None
        return _count, set(list(_latest)[len(_latest) - new :])
