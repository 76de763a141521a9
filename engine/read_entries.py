"""The files of a workspace's folder, kept in memory for as long as they are the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from engine.damage import Damaged, readable
from engine.workspace import Workspace

Entry = TypeVar("Entry")


class ReadEntries(Generic[Entry]):
    """The entries of a workspace's folder, read again only when one has come or gone or was written anew.

    Args:
        workspace: Where they are.
        folder: One of its folders.
        look: As for :func:`readable`; reads one file.
    """

    def __init__(self, workspace: Workspace, folder: Path, look: Callable[[Path], Entry]) -> None:
        self._workspace, self._folder, self._look = workspace, folder, look
        self._read: tuple[int, tuple[list[Entry], list[Damaged]]] | None = None

    @property
    def revision(self) -> int:
        """Another number whenever an entry is another one."""
        return self._workspace.mark(self._folder)

    def all(self) -> tuple[list[Entry], list[Damaged]]:
        """Return what can be read, in the order of the names, and what cannot. Any thread may ask."""
        revision, read = self.revision, self._read
        if read is None or read[0] != revision or read[1][1]:  # what is damaged may heal without a trace of it
            self._read = read = revision, readable(sorted(self._workspace.entries(self._folder)), self._look)
        return read[1]
