"""Word tables: text files, an entry a line, so that whoever speaks a language can mend its words without any Python.

``#`` opens a comment. The tables of a drawer lie in its folder ``words``; here lie those of none. Knows no table by
name.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path


class WordTables:
    """The tables of one folder, each read once.

    Args:
        folder: Where the files lie; whatever ships the package ships them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.entries = cache(self._entries)
        """Table -> its entries, in their order."""
        self.groups = cache(self._groups)
        """Table -> head of a group -> the entries below it, in their order."""

    def words(self, name: str) -> frozenset[str]:
        """Return the entries of a table as a set.

        Args:
            name: The file's name without its ending, such as ``wrote``.
        """
        return frozenset(self.entries(name))

    def pattern(self, name: str) -> str:
        """Return the entries of a table as the alternatives of a regular expression, the longest first.

        Each entry is a pattern itself; a space in it stands for one space.
        """
        return alternatives(self.entries(name))

    def _entries(self, name: str) -> tuple[str, ...]:
        return tuple(self._lines(name))

    def _groups(self, name: str) -> dict[str, tuple[str, ...]]:
        """Read a table whose lines stand in groups, each under a line ``[head]`` or ``[head, another head]``."""
        groups: dict[str, list[str]] = {}
        heads: list[str] = []
        for line in self._lines(name):
            if line[0] == "[" and line[-1] == "]":
                heads = [head.strip() for head in line[1:-1].split(",")]
                continue
            for head in heads:
                groups.setdefault(head, []).append(line)
        return {head: tuple(entries) for head, entries in groups.items()}

    def _lines(self, name: str) -> Iterator[str]:
        for line in (self._folder / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            entry = line.split(" #")[0].strip()
            if entry and entry[0] != "#":
                yield entry


def alternatives(patterns: tuple[str, ...]) -> str:
    """Join patterns to one that matches what any of them does, the longest first."""
    return "|".join(sorted(patterns, key=len, reverse=True))


TABLES = WordTables(Path(__file__).parent)
"""The tables that no drawer owns."""
