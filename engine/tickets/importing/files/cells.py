r"""What programs write into the cells of a CSV for each other, and nobody wrote to a customer.

Guards against formulas (``'=`` and ``="..."``), line breaks written as ``\n``, quotes escaped as ``\"`` (MySQL). Each
is undone only where the file shows that it is meant so. Knows neither columns nor rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence

_ESCAPE = re.compile(r'\\(["\\]|\r?\n)')
_GUARDED = re.compile(r"'[=+\-@\t\r]")
_CLOSING = re.compile(r"'(?!\w)")
_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_BREAK = re.compile(r"(?:\\r)?\\n")
_ENDS = frozenset(".!?…;,)。！？")
_BEGINS = frozenset("-*•–—\"'( \t#>")
_PATH = re.compile(r"[A-Za-z]:\\|\\\\\w")
NULL = "\\N"
"""What MySQL writes for no value where it escapes with a backslash."""


def is_backslash_quoted(head: str, delimiter: str) -> bool:
    r"""Tell a table that writes a quote inside of a cell as ``\"`` from one that doubles it.

    Args:
        head: The beginning of the text.
        delimiter: What separates its cells.

    Returns:
        Whether more rows can be read to the letter when ``\"`` is taken for a quote.
    """
    if '\\"' not in head:
        return False
    return _strict_rows(unescaped(head), delimiter) > _strict_rows(head, delimiter)


def _strict_rows(text: str, delimiter: str) -> int:
    rows = 0
    try:
        for _ in csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True):
            rows += 1
    except csv.Error:
        pass
    return rows


def unescaped(text: str) -> str:
    r"""Double the quotes that ``\"`` stands for, and take off the backslash before line ends and backslashes."""
    return _ESCAPE.sub(_doubled, text) if "\\" in text else text


def _doubled(match: re.Match[str]) -> str:
    return '""' if match[1] == '"' else match[1]


def writes_breaks(rows: Iterable[Sequence[str]]) -> bool:
    r"""Tell a table that writes line breaks as ``\n``: no cell holds a real one, an escape stands between sentences."""
    cells = [cell for row in rows for cell in row]
    if any("\n" in cell.strip() for cell in cells):
        return False
    return any(_is_break(match) for cell in cells if "\\n" in cell for match in _BREAK.finditer(cell))


def as_meant(cell: str, breaks: bool = False) -> str:
    r"""Return a cell as its author meant it.

    Args:
        cell: As the file holds it.
        breaks: Whether the table writes line breaks as ``\n``; those in a path such as ``C:\new`` stay.
    """
    if cell[:1] == "'" and _GUARDED.match(cell) and not _CLOSING.search(cell, 1):
        cell = cell[1:]
    elif cell[:2] == '="' and (text := _AS_TEXT.fullmatch(cell)):
        cell = text[1].replace('""', '"')
    if breaks and "\\n" in cell:
        return _BREAK.sub(lambda match: "\n" if _is_break(match) else match[0], cell)
    return cell


def _is_break(match: re.Match[str]) -> bool:
    """Tell a line break from a backslash and the letter n: it stands behind a sentence, or before the next."""
    cell, start, end = match.string, match.start(), match.end()
    before, after = cell[start - 1 : start], cell[end : end + 2]
    if before in _ENDS:
        return True
    word = cell[cell.rfind(" ", 0, start) + 1 : start + 1]
    if _PATH.match(word):
        return False
    return (
        not before
        or not after
        or before == ":"
        or cell[start - 2 : start] == "\\n"
        or after in ("\\n", "\\r")
        or after[0].isupper()
        or after[0].isdigit()
        or after[0] in _BEGINS
    )
