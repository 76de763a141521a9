"""Word tables of the clean-up and of the privacy detectors: text files, an entry a line, ``#`` opens a comment.

Whoever speaks a language can mend its words here without reading Python. The files lie beside this module, so that
whatever ships the package ships them.
"""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def entries(name: str) -> tuple[str, ...]:
    """Return the entries of one table, in their order.

    Args:
        name: The file's name without its ending, such as ``roles``.
    """
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in (raw.split(" #")[0].strip() for raw in lines) if line and line[0] != "#")


def words(name: str) -> frozenset[str]:
    """Return the entries of one table as a set."""
    return frozenset(entries(name))


def pattern(name: str) -> str:
    """Return the entries of one table as the alternatives of a regular expression, the longest first.

    Each entry is a pattern itself; a space in it stands for one space.
    """
    return "|".join(sorted(entries(name), key=len, reverse=True))
