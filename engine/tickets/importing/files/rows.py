"""A table -> its header and its rows: CSV, TSV and workbooks, streamed where the format allows.

Owns delimiters, the search for the header row, and what a damaged row costs (itself). What a column means is decided in
:mod:`engine.tickets.importing.columns` and the readers. No cell is ever evaluated.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import TicketsError
from engine.tickets.conversation import DAMAGED, LeftOut, excerpt
from engine.tickets.importing.columns import known_headers
from engine.tickets.importing.files.cells import NULL, as_meant, is_backslash_quoted, unescaped, writes_breaks
from engine.tickets.importing.files.encodings import open_text
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.sources import HEAD_BYTES, Source
from engine.tickets.importing.files.table_areas import Area
from engine.tickets.importing.files.workbooks import Workbook

DELIMITERS = (",", ";", "\t", "|")
CELL_CHARS = 32 << 20
"""The largest cell that is read; Python's own limit of 131,072 is below real answers with a log pasted in."""
ROW_CHARS = 24 << 20
"""A row that spans more than this has lost a quote: its first line is given up and reading goes on behind it."""
ROW_CHARS_LATER = 1 << 20
"""The same once :data:`PATIENCE` rows have done so: each costs reading all that it swallowed again."""
PATIENCE = 8
MOST_READ_AGAIN = 256 << 20
"""Characters that are read again behind lost quotes; from then on every line is a row by itself."""
HEADER_SEARCH = 15
SAMPLE_ROWS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One row, padded or cut to the width of the header."""

    number: int
    """The line (CSV) or row (workbook) where it begins, from 1."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out, found by looking at its beginning."""

    encoding: str
    delimiter: str
    """Empty for a workbook."""
    header_row: int
    """How many rows stand above the header."""
    columns: tuple[str, ...]
    """The header as the file has it, repeats included; blank ones are called ``column 3``."""
    sample: tuple[tuple[str, ...], ...]
    """The first rows under the header."""
    sheet: str = ""
    area: Area | None = None
    """Where the table lies on its sheet; None where it is the only one."""
    alike: tuple[str, ...] = ()
    """Tables of the workbook, by their places, that are read with this one."""
    unread: tuple[str, ...] = ()
    """Tables of the workbook that have rows under other columns."""
    others: tuple[str, ...] = ()
    """All other tables of the workbook, those that are empty or of the same columns too."""
    empty_formulas: int = 0
    """Formulas in the first rows of a workbook whose result it does not hold."""
    escaped: bool = False
    r"""Whether a quote inside of a cell is written as ``\""."""
    breaks: bool = False
    r"""Whether line breaks are written as ``\n``."""

    @property
    def place(self) -> str:
        """The sheet, or a table of a sheet with several as ``sheet!A14``."""
        return f"{self.sheet}!{self.area.corner}" if self.area else self.sheet


def find_layout(source: Source, encoding: str, delimiter: str = "") -> Layout:
    """Look at the beginning of a table.

    Args:
        source: A text stream or a workbook.
        encoding: The text encoding; ignored for workbooks.
        delimiter: What the person says separates the cells; empty to find out.

    Raises:
        TicketsError: The file is no table, or a workbook that cannot be opened.
    """
    if source.workbook:
        return workbook_layouts(source)[0]
    with open_text(source, encoding) as stream:
        head = stream.read(HEAD_BYTES)
        complete = not stream.read(1)
    # A blank line at the top is not a column; \r alone ends lines in files from old Macs.
    head = head.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    delimiter = "\t" if delimiter in ("\\t", "tab", "TAB") else delimiter or find_delimiter(head)
    if len(delimiter) != 1:
        raise TicketsError(f"{delimiter!r} cannot separate cells.", "A delimiter is one character, such as , or ;")
    escaped = is_backslash_quoted(head, delimiter)
    rows = _sample(unescaped(head) if escaped else head, delimiter, complete)
    layout = _layout(source.name, rows, encoding, delimiter, "")
    return _as_meant(replace(layout, escaped=escaped, breaks=writes_breaks(layout.sample)))


def _as_meant(layout: Layout) -> Layout:
    """Undo in header and sample what :func:`read_rows` undoes in the rows."""
    sample = tuple(tuple(_meant(cell, layout) for cell in row) for row in layout.sample)
    return replace(layout, columns=tuple(as_meant(column) for column in layout.columns), sample=sample)


def _meant(cell: str, layout: Layout) -> str:
    return "" if layout.escaped and cell == NULL else as_meant(cell, layout.breaks)


def find_delimiter(head: str) -> str:
    """Tell which of comma, semicolon, tab and bar separates the cells.

    The one under which most rows have the same number of cells, more than one, wins; known headers decide first.
    """
    best, best_score = ",", -1.0
    for delimiter in DELIMITERS:
        if delimiter not in head:
            continue
        rows = [row for row in _sample(head, delimiter, complete=False) if any(row)]
        if not rows:
            continue
        widths = Counter(len(row) for row in rows)
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]))
        headers = max((known_headers(row) for row in rows[:HEADER_SEARCH]), default=0)
        score = headers * 2 + (times / len(rows) if width > 1 else 0) + min(width, 50) / 1000
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _sample(head: str, delimiter: str, complete: bool) -> list[list[str]]:
    lines = head.split("\n")
    if not complete and len(lines) > 1:
        lines.pop()
    csv.field_size_limit(CELL_CHARS)
    rows: list[list[str]] = []
    try:
        for row in csv.reader((line + "\n" for line in lines), delimiter=delimiter):
            rows.append(row)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _layout(
    name: str,
    rows: Sequence[Sequence[str]],
    encoding: str,
    delimiter: str,
    sheet: str,
    header: int | None = None,
) -> Layout:
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        raise TicketsError(f"{name} holds no rows.", "Check that the export finished.")
    header = _header_row(rows) if header is None else header
    cells = list(rows[header])
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    columns = tuple(cell.strip() or f"column {index}" for index, cell in enumerate(cells, start=1))
    sample = tuple(tuple(row[: len(columns)]) for row in rows[header + 1 : header + 1 + SAMPLE_ROWS] if any(row))
    return Layout(encoding, delimiter, header, columns, sample, sheet)


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """Find the header: the row with most known names, else the first that is as wide as the rest."""
    counts = [known_headers(row) for row in rows[:HEADER_SEARCH]]
    if counts and max(counts) >= 1:
        return counts.index(max(counts))
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = Counter(filled[1:] or filled).most_common(1)[0][0]
    return next((index for index, count in enumerate(filled[:HEADER_SEARCH]) if count >= max(usual, 1)), 0)


def read_rows(source: Source, layout: Layout) -> Iterator[Row | LeftOut]:
    """Yield the rows under the header.

    Blank rows are passed over. A row with more filled cells than the header, or one that swallowed the lines behind it
    because a quote is missing, is handed on as a :class:`LeftOut`.
    """
    if source.workbook:
        yield from _workbook_rows(source, layout)
        return
    csv.field_size_limit(CELL_CHARS)
    with open_text(source, layout.encoding) as stream:
        lines = _Lines(stream, layout.escaped)
        skip = layout.header_row + 1
        for number, cells in _csv_rows(lines, layout.delimiter, len(layout.columns)):
            if cells is None:
                yield LeftOut(
                    f"line {number} of {source.name}", DAMAGED, excerpt(f"a quote is missing: {lines.broken}")
                )
            elif skip:
                skip -= 1
            elif any(cell.strip() for cell in cells):
                yield _fitted(cells, number, layout, source.name)


def as_records(rows: Iterable[Row], columns: Sequence[str], source: str) -> Iterator[Record]:
    """Turn rows into records by header; the cells under a repeated header become a list."""
    times = Counter(columns)
    for row in rows:
        value: dict[str, Any] = {}
        for column, cell in zip(columns, row.cells, strict=True):
            if times[column] > 1:
                value.setdefault(column, []).append(cell)
            else:
                value[column] = cell
        yield Record(value, source, f"row {row.number}")


def _fitted(cells: Sequence[str], number: int, layout: Layout, name: str) -> Row | LeftOut:
    width = len(layout.columns)
    if any(cell.strip() for cell in cells[width:]):
        what = f"{len(cells)} cells under {width} columns: {layout.delimiter.join(cells)}"
        return LeftOut(f"line {number} of {name}", DAMAGED, excerpt(what))
    meant = [_meant(cell, layout) for cell in cells[:width]]
    return Row(number, (*meant, *("",) * (width - len(meant))))


class _Lines:
    """Physical lines with a way back: the lines of the row in progress are kept until the row is whole."""

    def __init__(self, stream: io.TextIOWrapper, escaped: bool) -> None:
        self._stream = stream
        self._escaped = escaped
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.number = 0
        self.broken = ""
        self._chars = 0
        self._runaways = 0
        self.read_again = 0
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._chars > (ROW_CHARS if self._runaways < PATIENCE else ROW_CHARS_LATER):
            self._runaways += 1
            raise _Runaway
        line = self._again.popleft() if self._again else self._read()
        if not line:
            self.ended = True
            raise StopIteration
        if self.number == 0 and not self.row:
            line = line.lstrip("\ufeff")
        self.row.append(line)
        self._chars += len(line)
        return line

    def _read(self) -> str:
        line = self._stream.readline(CELL_CHARS)
        return unescaped(line) if self._escaped else line

    def finish_row(self) -> int:
        """Forget the row's lines; return the number of its first line."""
        begin = self.number + 1
        self.number += len(self.row)
        self.row, self._chars = [], 0
        return begin

    def give_back(self) -> int:
        """Give up the first line of the row and read the others again; return the number of the line given up."""
        self.number += 1
        self.broken = self.row[0]
        self._again.extendleft(reversed(self.row[1:]))
        self.read_again += self._chars
        self.row, self._chars, self.ended = [], 0, False
        return self.number


class _Runaway(Exception):
    """A row that does not end."""


def _csv_rows(lines: _Lines, delimiter: str, width: int) -> Iterator[tuple[int, list[str] | None]]:
    """Yield (line number, cells); None for the cells of a line whose quote never closes."""
    while lines.read_again < MOST_READ_AGAIN:
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for cells in reader:
                if len(lines.row) > 1 and _swallowed(lines, cells, delimiter, width):
                    yield lines.give_back(), None
                    break
                yield lines.finish_row(), cells
            else:
                return
        except (_Runaway, csv.Error):
            if not lines.row:
                return
            yield lines.give_back(), None
    yield from _line_by_line(lines, delimiter)


def _line_by_line(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Go on without line breaks inside of cells: quotes mean nothing in this file."""
    for line in lines:
        try:
            cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
        except csv.Error:
            yield lines.give_back(), None
        else:
            yield lines.finish_row(), cells


def _swallowed(lines: _Lines, cells: list[str], delimiter: str, width: int) -> bool:
    """Tell a row of several lines that lost a quote from one whose cells hold line breaks."""
    odd = sum(line.count('"') for line in lines.row) % 2
    if odd and lines.ended:
        return True
    if len(cells) == width:
        return False
    behind = lines.row[-1]
    alone = next(csv.reader([behind], delimiter=delimiter), [])
    return bool(odd) or (len(alone) == width and behind.count('"') % 2 == 0)


def workbook_layouts(source: Source, wanted: str = "") -> list[Layout]:
    """Look at the beginning of every table of a workbook: a sheet has one, or several.

    Args:
        source: A workbook.
        wanted: The sheet that the person chose, or a table in it as ``sheet!A14``, by its first cell; empty to find
            out.

    Returns:
        The table that looks most like tickets, or the chosen one, and with it all others of the same columns, such as
        a sheet a month. The first of them names those that are not read.

    Raises:
        TicketsError: No sheet has rows, or there is nothing of that name.
    """
    workbook = Workbook(source.path, source.name)
    every = [layout for name in workbook.sheets for layout in _tables(workbook, source.name, name)]
    if not every:
        raise TicketsError(f"{source.name} holds no rows.", "Check that the export finished.")
    found = [layout for layout in every if _is_meant(layout, wanted)]
    if not found:
        if wanted in workbook.sheets:
            raise TicketsError(f"{source.name} holds no rows.", "Check that the export finished.")
        what = "table" if "!" in wanted else "sheet"
        named = ", ".join(repr(layout.place) for layout in every) if "!" in wanted else _quoted(workbook.sheets)
        raise TicketsError(f"{source.name} has no {what} {wanted!r}.", f"Its {what}s are {named}.")
    best = max(found, key=_worth)
    alike = [layout for layout in found if layout is not best and layout.columns == best.columns]
    unread = tuple(layout.place for layout in found if layout.columns != best.columns)
    empty = [name for name in workbook.sheets if name not in {layout.sheet for layout in every}]
    others = tuple(name for name in (*(layout.place for layout in every), *empty) if name != best.place)
    return [replace(best, alike=tuple(layout.place for layout in alike), unread=unread, others=others), *alike]


def _tables(workbook: Workbook, source: str, sheet: str) -> Iterator[Layout]:
    """Yield the tables of a sheet; none for one without rows."""
    areas = workbook.areas(sheet)
    most = max((area.top for area in areas), default=0) + SAMPLE_ROWS + 1
    rows = list(workbook.rows(sheet, most))
    for area in areas:
        inside = [area.of(row) for row in rows[area.top : min(area.bottom, area.top + SAMPLE_ROWS)]]
        layout = _layout(source, inside, "", "", sheet, header=0)
        yield replace(layout, header_row=area.top, area=area, empty_formulas=workbook.empty_formulas)
    if not areas and any(any(row) for row in rows[:SAMPLE_ROWS]):
        layout = _layout(source, rows[:SAMPLE_ROWS], "", "", sheet)
        yield replace(layout, empty_formulas=workbook.empty_formulas)


def _is_meant(layout: Layout, wanted: str) -> bool:
    """Tell whether a person's words mean a table: its sheet, its place, or ``!A14`` on whatever sheet."""
    if wanted in ("", layout.sheet):
        return True
    sheet, _, corner = wanted.rpartition("!")
    is_here = layout.area is not None and corner.strip().upper() == layout.area.corner
    return is_here and sheet in ("", layout.sheet)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _worth(layout: Layout) -> tuple[int, int]:
    return known_headers(layout.columns), len(layout.sample)


def _workbook_rows(source: Source, layout: Layout) -> Iterator[Row | LeftOut]:
    workbook = Workbook(source.path, source.name)
    source.meter.done += source.path.stat().st_size
    area = layout.area
    for number, whole in enumerate(workbook.rows(layout.sheet, area.bottom if area else None), start=1):
        cells = area.of(whole) if area else whole
        if number > layout.header_row + 1 and any(cell.strip() for cell in cells):
            width = len(layout.columns)
            yield Row(number, (*cells[:width], *("",) * (width - len(cells))))
