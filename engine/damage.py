"""What in a workspace cannot be read: passed over by every list, and named, so that a person can delete it.

Knows paths and sentences; what makes an entry damaged, each list decides.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine.errors import StudioError

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Damaged:
    """An entry of a workspace that no list can show."""

    path: Path
    """The file or folder, directly under one of the workspace's folders."""
    why: str
    """What is wrong with it, one sentence."""

    @property
    def id(self) -> str:
        """Its folder and name, as ``adapters/20260101-120000-shop``."""
        return f"{self.path.parent.name}/{self.path.name}"


def readable(paths: Iterable[Path], look: Callable[[Path], Entry]) -> tuple[list[Entry], list[Damaged]]:
    """Look at each of the paths.

    Args:
        paths: Entries of one of the workspace's folders.
        look: Reads one; raises a StudioError where it cannot.

    Returns:
        What could be read, in the order of the paths, and what could not.
    """
    entries: list[Entry] = []
    damaged: list[Damaged] = []
    for path in paths:
        try:
            entries.append(look(path))
        except StudioError as error:
            # Between the listing and the look somebody may have deleted it: that is no damage.
            if path.exists():
                damaged.append(Damaged(path, error.message))
    return entries, damaged
