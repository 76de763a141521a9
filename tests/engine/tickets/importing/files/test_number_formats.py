import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.tickets.importing.detect import detect
from engine.tickets.importing.files.number_formats import shown
from engine.tickets.importing.files.sheet_formats import sheet_formats
from tests.engine.tickets.exports import read, said, workbook, write

EURO = '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.075, "0.0%", "7.5%"),
        (0.5, "0%", "50%"),
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (1234.5, EURO, "1,234.50 €"),
        (-1234.5, EURO, "-1,234.50 €"),
        (0.0, EURO, "- €"),
        (1234.5, "#,##0.00 [$€-407]", "1.234,50 €"),
        (-1234.5, "#,##0.00_);(#,##0.00)", "(1,234.50)"),
        (-5.0, "0.00", "-5.00"),
        (-0.001, "0.0", "0.0"),
        (12.0, "00000", "00012"),
        (2.005, "0.00", "2.01"),
        (1_234_567.0, '#,##0,"k"', "1,235k"),
        (1234.5678, "#,##0.##", "1,234.57"),
        (3.0, "0.##", "3"),
        (1.5e9, "0.00E+00", "1.50E+09"),
        (0.0, '0;-0;"none"', "none"),
        (4.0, '[Red]0 "pieces"', "4 pieces"),
        (0.5, "# ?/?", None),
        (17.0, '[>10]"many"', None),
        (3.0, "General", None),
    ],
)
def test_numbers_are_written_as_the_sheet_shows_them(value: float, code: str, text: str | None) -> None:
    assert shown(value, code) == text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (date(2026, 3, 15), "dd.mm.yyyy", "15.03.2026"),
        (datetime(2026, 3, 5, 14, 5), "d/m/yy h:mm AM/PM", "5/3/26 2:05 PM"),
        (datetime(2026, 3, 5, 14, 5), "mmmm d, yyyy;@", "March 5, 2026"),
        (datetime(2026, 3, 5, 1, 2, 3), "yyyy\\-mm\\-dd hh:mm:ss", "2026-03-05 01:02:03"),
        (time(14, 5), "h:mm", "14:05"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        (datetime(2026, 3, 5), "[$-407]d. mmmm yyyy", None),
        (date(2026, 3, 5), "0.0", None),
    ],
)
def test_moments_are_written_as_the_sheet_shows_them(value: Any, code: str, text: str | None) -> None:
    assert shown(value, code) == text


def test_a_workbook_is_read_as_it_is_shown_but_for_columns_of_dates(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Ticket", "Created at", "Question", "Answer"],
        [(7, "00000"), (46096, "dd.mm.yyyy"), "How much off?", (0.075, "0.0%")],
        [(8, "00000"), (46097, "dd.mm.yyyy"), "What does it cost?", (1234.5, '"$"#,##0.00')],
        [(9, "00000"), (46098, "dd.mm.yyyy"), "When?", (46096, "dd.mm.yyyy")],
        [(10, "00000"), (46099, "dd.mm.yyyy"), "How many?", 12],
    ]
    found = read(write(tmp_path / "t.xlsx", workbook({"Sheet": rows})))
    assert [said(conversation)[1][2] for conversation in found] == ["7.5%", "$1,234.50", "15.03.2026", "12"]
    assert [conversation.created_at for conversation in found][:2] == ["2026-03-15", "2026-03-16"]
    assert [conversation.id for conversation in found][:2] == ["00007", "00008"]


def test_formulas_without_a_result_are_said_to_be_empty(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Question", "Answer"], ["Dark?", ("=", "A1")], ["Bright?", "Press it."]]
    path = write(tmp_path / "t.xlsx", workbook({"Sheet": rows}))
    assert "1 of the first cells are formulas" in detect([path]).cautions[0]
    assert detect([write(tmp_path / "u.xlsx", workbook({"Sheet": rows[:1] + rows[2:]}))]).cautions == ()


def test_a_sheet_of_unclosed_tags_is_looked_through_once(tmp_path: Path) -> None:
    sheet = b'<c s="1" ' * 300_000 + b"<" * 300_000 + b'<row><c s="1"><v>1</v></c>'
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", '<sheet name="a" r:id="r1"/>')
        archive.writestr("xl/_rels/workbook.xml.rels", '<Relationship Id="r1" Target="/xl/sheet.xml"/>')
        archive.writestr("xl/styles.xml", '<cellXfs><xf numFmtId="0"/><xf numFmtId="9"/></cellXfs>')
        archive.writestr("xl/sheet.xml", sheet)
    assert sheet_formats(tmp_path / "t.xlsx", "a").codes == {(0, 0): "0%"}
