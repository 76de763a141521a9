"""Sheets with several tables: each is found, the one of tickets is read, and another one can be chosen."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files.table_areas import find_areas
from engine.tickets.overrides import SourceOverrides
from tests.engine.tickets.exports import read, workbook, write

STOCK = [["Product", "Status", "Date"], ["Lamp", "in stock", "2026-01-02"], ["Kettle", "gone", "2026-01-03"]]
TALKS = [["Question", "Answer"], ["Where is it?", "In van 4."], ["Is it dark?", "Press the knob."]]
MORE = [["Question", "Answer"], ["And the kettle?", "It comes on Friday."]]
FAQ = [["Question", "Answer", "Category"], ["May I return it?", "Within 30 days.", "returns"]]


def beside(*tables: list[list[Any]]) -> list[list[Any]]:
    """Put tables beside each other, a blank column between them."""
    rows = []
    for number in range(max(map(len, tables))):
        cells = [table[number] if number < len(table) else [""] * len(table[0]) for table in tables]
        rows.append([cell for part in cells for cell in (*part, "")][:-1])
    return rows


def book(folder: Path, **sheets: list[list[Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    return write(folder / "shop.xlsx", workbook(sheets))


def asked(path: Path, sheet: str = "") -> list[str]:
    return [found.messages[0].content for found in read(path, overrides=SourceOverrides(sheet=sheet))]


def test_tables_below_each_other_are_told_by_their_headers(tmp_path: Path) -> None:
    path = book(tmp_path, March=[["Stock of March"], [""], *STOCK, [""], ["What customers ask"], *TALKS])
    apart = book(tmp_path / "apart", March=[*TALKS, [""], ["What lies there"], [""], *STOCK])
    assert asked(apart) == ["Where is it?", "Is it dark?"]
    found = detect([path])
    assert asked(path) == ["Where is it?", "Is it dark?"]
    assert found.label == "Workbook, sheet 'March', table at A8 (What customers ask)"
    assert found.sheets == ("March!A8", "March!A3")
    assert any("'March!A8' is read, and not 'March!A3'" in caution for caution in found.cautions)


def test_tables_beside_each_other_are_parted_by_the_blank_column(tmp_path: Path) -> None:
    path = book(tmp_path, March=[["March"], *beside(STOCK, TALKS)])
    assert asked(path) == ["Where is it?", "Is it dark?"]
    assert detect([path]).columns == ("Question", "Answer")


def test_another_table_can_be_chosen_by_its_first_cell(tmp_path: Path) -> None:
    path = book(tmp_path, March=[*TALKS, [""], *FAQ], April=[["Question", "Answer"], ["Why?", "So."]])
    assert asked(path, "March!A5") == asked(path, "!a5") == ["May I return it?"]
    assert asked(path, "April") == ["Why?"]
    with pytest.raises(TicketsError, match=r"no table 'March!B9'\. Its tables are 'March!A1', 'March!A5', 'April'"):
        asked(path, "March!B9")


def test_tables_of_the_same_columns_are_read_together(tmp_path: Path) -> None:
    path = book(tmp_path, March=[*TALKS, [""], ["April"], *MORE])
    assert asked(path) == ["Where is it?", "Is it dark?", "And the kettle?"]


@pytest.mark.parametrize(
    "rows",
    [
        [*TALKS[:2], ["", ""], *TALKS[2:]],  # a blank row between two tickets
        [["Question", "", "Answer"], ["Where is it?", "", "In van 4."], ["Is it dark?", "", "Press the knob."]],
        [["Our questions"], [""], *TALKS],
        [*TALKS[:2], [""], [*TALKS[2], "seen", "by Ada"], ["Why?", "So."]],  # remarks beside the table
        [["Our questions", ""], *TALKS, ["", ""], ["Total", 2]],
        [["Question", "", "Answer", "Date"], ["Where is it?", "", "In van.", "x"], ["Is it dark?", "", "Press.", "y"]],
    ],
)  # fmt: skip
def test_what_parts_no_tables_parts_none(tmp_path: Path, rows: list[list[Any]]) -> None:
    assert find_areas(rows) == ()
    assert asked(book(tmp_path, A=rows))[:2] == ["Where is it?", "Is it dark?"]


def test_a_table_goes_on_behind_a_blank_row_until_the_next_header() -> None:
    first, second = find_areas([*TALKS, ["", ""], ["And this?", "That."], ["", ""], *FAQ])
    assert ((first.top, first.bottom), (second.top, second.bottom)) == ((0, 5), (6, 8))
    assert (first.corner, second.corner) == ("A1", "A7")


def test_a_sheet_of_many_headers_is_a_form_and_read_as_one_table() -> None:
    assert find_areas([row for _ in range(60) for row in (*TALKS, [""])]) == ()
