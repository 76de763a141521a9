"""A sheet with several tables on it -> where each lies: they are parted by blank rows or blank columns.

A blank row inside of a table parts nothing, and neither does an empty column: what comes behind counts as a table of
its own only where it begins with a header. A title above a table names it. Knows cells, and no workbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.tickets.importing.columns import guess_columns, known_headers

_MOST = 50
"""Tables of a sheet; what has more is a form, and read as one table."""
_LOOKED_AT = 200
"""Rows of a block in which columns are looked for that may be blank."""
_TITLE_ROWS = 3
_FEWEST_HEADERS = 2
_HEADER_CHARS = 60

Cells = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Area:
    """Where a table lies: numbers from 0, the last ones not included."""

    top: int
    """Its header."""
    left: int
    bottom: int
    right: int
    title: str = ""
    """What stands above it."""

    @property
    def corner(self) -> str:
        """Its first cell as spreadsheet programs write it, such as ``A1`` or ``AB12``."""
        letters, number = "", self.left + 1
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        return f"{letters}{self.top + 1}"

    def of(self, row: Sequence[str]) -> list[str]:
        """Return a row's cells inside of it."""
        return list(row[self.left : self.right])


def find_areas(cells: Cells) -> tuple[Area, ...]:
    """Find the tables of a sheet.

    Args:
        cells: All rows, as the workbook holds them.

    Returns:
        Two or more; empty where there is one at most, which then begins wherever its header is found.
    """
    found: list[Area] = []
    end, above = 0, ""
    for top, bottom in _blocks(cells):
        if title := _title(cells, top, bottom):
            above = title
            continue
        begun = _begun(cells, top, bottom, [area for area in found if area.bottom == end])
        if begun:
            found += [_area(cells, top, bottom, left, right, header, above) for left, right, header in begun]
        else:
            found = [replace(area, bottom=bottom) if area.bottom == end else area for area in found]
        end, above = bottom, ""
        if len(found) > _MOST:
            return ()
    return tuple(found) if len(found) > 1 else ()


def _begun(cells: Cells, top: int, bottom: int, before: Sequence[Area]) -> list[tuple[int, int, int]]:
    """Return the columns and headers of the tables that begin in a block; empty where those before it go on."""
    sides = _side_by_side(cells, top, bottom)
    headers = [_header(cells, top, bottom, *side) for side in sides]
    if before and all(header is None for header in headers) and _fits(cells[top], before):
        return []
    named = [
        _first_row(cells, top, bottom, *side) if header is None else header
        for side, header in zip(sides, headers, strict=True)
    ]
    return [(*side, header) for side, header in zip(sides, named, strict=True) if header is not None]


def _area(cells: Cells, top: int, bottom: int, left: int, right: int, header: int, above: str) -> Area:
    return Area(header, left, bottom, right, _title(cells, top, header, left, right) or above)


def _is_filled(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _blocks(cells: Cells) -> Iterator[tuple[int, int]]:
    """Yield where rows that are not blank begin and end."""
    top: int | None = None
    for number, row in enumerate(cells):
        if any(map(_is_filled, row)):
            top = number if top is None else top
        elif top is not None:
            yield top, number
            top = None
    if top is not None:
        yield top, len(cells)


def _side_by_side(cells: Cells, top: int, bottom: int) -> list[tuple[int, int]]:
    """Part a block at its blank columns, where that makes tables of it; else it is one, blank columns and all."""
    looked = cells[top : min(bottom, top + _LOOKED_AT)]
    width = max(map(len, looked), default=0)
    filled = {at for row in looked for at, value in enumerate(row) if _is_filled(value)}
    gaps = [at for at in range(width) if at not in filled]
    for row in cells[top + _LOOKED_AT : bottom]:
        gaps = [at for at in gaps if at >= len(row) or not _is_filled(row[at])]
        if not gaps:
            break
    parts, left = list[tuple[int, int]](), 0
    for gap in [*gaps, width]:
        if gap > left:
            parts.append((left, gap))
        left = gap + 1
    wide = [part for part in parts if part[1] - part[0] > 1]
    if len(wide) > 1 and any(_is_whole(cells, top, bottom, *part) for part in wide):
        return wide
    return [(parts[0][0], parts[-1][1])] if parts else []


def _is_whole(cells: Cells, top: int, bottom: int, left: int, right: int) -> bool:
    """Tell a part that is a table of questions and answers, or of messages, by itself."""
    header = _header(cells, top, bottom, left, right)
    return header is not None and bool(guess_columns(_texts(cells[header], left, right)))


def _header(cells: Cells, top: int, bottom: int, left: int, right: int) -> int | None:
    """Find the header among the first rows of a part; a title may stand above it."""
    for number in range(top, min(top + _TITLE_ROWS, bottom - 1)):
        names = [name for name in _texts(cells[number], left, right) if name]
        if known_headers(names) >= _FEWEST_HEADERS and all(len(name) <= _HEADER_CHARS for name in names):
            return number
    return None


def _first_row(cells: Cells, top: int, bottom: int, left: int, right: int) -> int | None:
    """Find what may be the header of a table of other things than tickets: the first row that is no title."""
    rows = range(top, min(top + _TITLE_ROWS, bottom - 1))
    first = next((at for at in rows if sum(map(_is_filled, cells[at][left:right])) > 1), None)
    return first if first is not None and _names_columns(cells[first][left:right]) else None


def _names_columns(row: Sequence[object]) -> bool:
    """Tell names from values: short words, each once, without a sentence or a number among them."""
    filled = [value for value in row if _is_filled(value)]
    names = [value.strip() for value in filled if isinstance(value, str)]
    short = all(len(name) <= _HEADER_CHARS and name[-1] not in ".?!" and not name[0].isdigit() for name in names)
    return len(names) == len(filled) == len(set(names)) and short


def _fits(row: Sequence[object], before: Sequence[Area]) -> bool:
    """Tell a row that may belong to the tables above it: it has nothing where they have no columns."""
    filled = (at for at, value in enumerate(row) if _is_filled(value))
    return all(any(area.left <= at < area.right for area in before) for at in filled)


def _title(cells: Cells, top: int, bottom: int, left: int = 0, right: int = 1 << 14) -> str:
    """Return what stands in rows above a header, if it is a word or two."""
    names = [name for row in cells[top:bottom] for name in _texts(row, left, right) if name]
    return " ".join(names[0].split())[:80] if len(names) == 1 else ""


def _texts(row: Sequence[object], left: int, right: int) -> list[str]:
    return [value.strip() if isinstance(value, str) else "" for value in row[left:right]]
