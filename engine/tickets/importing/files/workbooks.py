"""Spreadsheets: read cell by cell. No formula is ever evaluated; what is too large, workbook_limits.py has refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from engine.errors import TicketsError
from engine.tickets.importing.files.number_formats import shown
from engine.tickets.importing.files.sheet_formats import sheet_formats
from engine.tickets.importing.files.table_areas import Area, find_areas

EXCEL_CELL_CHARS = 32_767
"""Excel cuts cells at this length (Microsoft, 'Excel specifications and limits')."""
_MOST_SHEETS = 50


class Workbook:
    """An opened .xlsx, .xls or .ods.

    Args:
        path: The file.
        name: What the person sees.

    Raises:
        TicketsError: It is damaged, locked, or no workbook at all.
    """

    def __init__(self, path: Path, name: str) -> None:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        self._name = name
        self._path = path
        self.empty_formulas = 0
        """Formulas in the rows read last whose result the file does not hold."""
        try:
            self._book: Any = CalamineWorkbook.from_path(str(path))
        except PasswordError as error:
            raise TicketsError(f"{name} is locked with a password.", "Save a copy without one.") from error
        except (CalamineError, OSError) as error:
            raise TicketsError(
                f"{name} is no workbook that can be read ({error}).", "Save it again as .xlsx, or as CSV."
            ) from error
        self.sheets: list[str] = list(self._book.sheet_names[:_MOST_SHEETS])
        self._read: tuple[str, list[list[object]]] = ("", [])
        """The sheet that was read last."""

    def areas(self, sheet: str) -> tuple[Area, ...]:
        """Return where the tables of a sheet lie that has several; empty for any other.

        Raises:
            TicketsError: The sheet is damaged.
        """
        return find_areas(self._cells(sheet))

    def rows(self, sheet: str, most: int | None = None) -> Iterator[list[str]]:
        """Yield the rows of a sheet as text, blank ones included: their numbers are what the person sees.

        Args:
            sheet: One of :attr:`sheets`.
            most: Stop after so many.

        Raises:
            TicketsError: The sheet is damaged.
        """
        cells = self._cells(sheet)
        formats = sheet_formats(self._path, sheet, most)
        self.empty_formulas = formats.empty_formulas
        rows = cells if most is None else cells[:most]
        dates = _date_columns(rows) if formats.codes else set()
        for number, row in enumerate(rows):
            yield [_shown(cell, formats.codes.get((number, at)), at in dates) for at, cell in enumerate(row)]

    def _cells(self, sheet: str) -> list[list[object]]:
        from python_calamine import CalamineError, WorksheetNotFound

        if self._read[0] != sheet or not self._read[1]:
            try:
                self._read = (sheet, self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False))
            except (CalamineError, WorksheetNotFound) as error:
                raise TicketsError(
                    f"The sheet {sheet!r} of {self._name} is damaged ({error}).", "Save it again."
                ) from error
        return self._read[1]


def _date_columns(rows: Sequence[Sequence[object]]) -> set[int]:
    """Return the columns of which most filled cells are dates: they stay ISO 8601, which is never mistaken."""
    filled: Counter[int] = Counter()
    dates: Counter[int] = Counter()
    for row in rows:
        for at, cell in enumerate(row):
            filled[at] += cell not in ("", None)
            dates[at] += isinstance(cell, date)
    return {at for at, times in dates.items() if times * 2 > filled[at]}


def _shown(value: object, code: str | None, is_date_column: bool) -> str:
    """Write a cell as the sheet shows it."""
    if code is None or isinstance(value, str | bool) or (is_date_column and isinstance(value, date)):
        return _cell(value)
    known = shown(value, code) if isinstance(value, int | float | date | time | timedelta) else None
    return _cell(value) if known is None else known


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
