"""How far a fetch is, in bytes, and its end when it is called off: whatever comes from the hub or goes there.

The text says how many bytes are here, the fraction how large a part that is; whoever shows it reckons the time left.
The hub's library waits for the network wherever it likes, for minutes where that is slow. So it works in a thread of
its own, and whoever waits for it looks at it and goes away as soon as it is called off.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.meanwhile import meanwhile
from engine.task import Report

T = TypeVar("T")


def told(what: str, done: int, total: int) -> str:
    """Write how far a fetch is: 'Fetching Qwen3 4B (1.2 of 8.0 GB)'."""
    return f"Fetching {what} ({amount(done, total)})"


def amount(done: int, total: int) -> str:
    """Write how many bytes of how many: '1.2 of 8.0 GB'."""
    unit, size = ("GB", 1e9) if total >= 1e9 else ("MB", 1e6)
    digits = 1 if total < 100 * size else 0
    return f"{min(done, total) / size:.{digits}f} of {total / size:.{digits}f} {unit}"


def fetched(fetch: Callable[[type[Any]], T], folder: Path, what: str, total: int, report: Report) -> T:
    """Fetch into a folder, and report how far it is.

    The bytes are counted from outside, since what fetches (plain HTTP or the hub's own protocol) changes between
    versions, and the files on the disk do not.

    Args:
        fetch: Gets a class of progress bars for the hub's library, which ends a fetch that was called off.
        folder: Where the files grow; it need not be there yet.
        what: What is fetched, in words.
        total: Bytes that are to come.
        report: Called a few times a second; what it raises to call the fetch off is raised at once.

    Returns:
        What ``fetch`` returns.
    """
    before = _bytes_in(folder)

    def look() -> None:
        done = max(0, _bytes_in(folder) - before)
        report(told(what, done, total), min(1.0, done / max(1, total)))

    report(told(what, 0, total), 0.0)
    return meanwhile(lambda still_wanted: fetch(_bar(still_wanted)), look, "fetch")


def _bar(still_wanted: Callable[[], None]) -> type[Any]:
    """A progress bar that shows nothing, and ends what it is to show once nobody wants it."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]  # no stubs are installed

    def begin(self: Any, *args: Any, **options: Any) -> None:
        options.pop("name", None)  # the hub's own bars have one
        tqdm.__init__(self, *args, **{**options, "disable": True})

    def update(self: Any, n: float | None = 1) -> Any:
        still_wanted()
        return tqdm.update(self, n)

    return type("Bar", (tqdm,), {"__init__": begin, "update": update})


def _bytes_in(folder: Path) -> int:
    """Bytes that files in a folder take on the disk: one that is written in any order is not as long as it looks."""
    total = 0
    for file in folder.rglob("*"):
        try:
            if file.is_dir():
                continue
            seen = file.lstat()
        except OSError:  # renamed meanwhile
            continue
        total += min(seen.st_size, getattr(seen, "st_blocks", 1 << 40) * 512)
    return total
