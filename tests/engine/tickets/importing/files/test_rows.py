import io
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut
from engine.tickets.importing.files import rows as reading
from engine.tickets.importing.files.rows import find_layout, read_rows
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import workbook, write


def table(path: Path, delimiter: str = "") -> tuple[tuple[str, ...], list[tuple[str, ...] | str]]:
    (source,) = find_sources([path])
    layout = find_layout(source, "utf-8", delimiter)
    return layout.columns, [row.ticket if isinstance(row, LeftOut) else row.cells for row in read_rows(source, layout)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_although_the_words_are_full_of_others(tmp_path: Path, delimiter: str) -> None:
    cells = [f'"Hello, you; there | {n}","a\tb; c, {n}"'.replace('","', f'"{delimiter}"') for n in range(9)]
    columns, rows = table(write(tmp_path / "t.txt", f"alpha{delimiter}beta\n" + "\n".join(cells)))
    assert columns == ("alpha", "beta")
    assert rows[3] == ("Hello, you; there | 3", "a\tb; c, 3")


def test_line_breaks_of_every_kind_and_blank_rows(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        content = f'a,b{end}"x{end}y",z{end}{end},{end}1,2{end}'
        columns, rows = table(write(tmp_path / "t.csv", content))
        assert columns == ("a", "b")
        assert rows == [(f"x{end}y", "z"), ("1", "2")]


def test_the_header_may_stand_below_titles(tmp_path: Path) -> None:
    columns, rows = table(write(tmp_path / "t.csv", "Export,\nof May,\n,\nQuestion,Answer\na,b\n"))
    assert (columns, rows) == (("Question", "Answer"), [("a", "b")])
    columns, rows = table(write(tmp_path / "u.csv", "Report\n\nalpha,beta,gamma\n1,2,3\n4,5,6\n"))
    assert (columns, rows) == (("alpha", "beta", "gamma"), [("1", "2", "3"), ("4", "5", "6")])


def test_short_rows_are_padded_and_empty_headers_get_names(tmp_path: Path) -> None:
    columns, rows = table(write(tmp_path / "t.csv", "question,,answer\na\nb,c,d,,\n"))
    assert (columns, rows) == (("question", "column 2", "answer"), [("a", "", ""), ("b", "c", "d")])


def test_a_row_that_swallowed_others_is_given_up_and_the_others_read(tmp_path: Path) -> None:
    body = "".join(f'"q{n}","a{n}"\n' for n in range(30)).replace('"q4",', '"q4,').replace('"a20"', '"a20')
    _, rows = table(write(tmp_path / "t.csv", "question,answer\n" + body))
    whole = [row for row in rows if isinstance(row, tuple)]
    assert {("q3", "a3"), ("q6", "a6"), ("q19", "a19"), ("q29", "a29")} <= set(whole)
    assert len(whole) >= 26


def test_a_quote_open_to_the_end_costs_its_line(tmp_path: Path) -> None:
    _, rows = table(write(tmp_path / "t.csv", 'question,answer\na,b\n"c,d\ne,f\ng,h\n'))
    assert rows == [("a", "b"), "line 3 of t.csv", ("e", "f"), ("g", "h")]


def test_numbers_of_rows_are_those_of_the_file(tmp_path: Path) -> None:
    (source,) = find_sources([write(tmp_path / "t.csv", 'question,answer\n"a\nb",c\nd,e\n')])
    rows = list(read_rows(source, find_layout(source, "utf-8")))
    assert [row.number for row in rows if not isinstance(row, LeftOut)] == [2, 4]


def test_workbooks_give_whole_numbers_and_the_best_sheet(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.bin", workbook({"A": [["x"]], "B": [["question", "answer"], [1, "=1+1"], ["", ""], [2.5, "z"]]})
    )
    assert table(path) == (("question", "answer"), [("1", "=1+1"), ("2.5", "z")])


def test_what_is_called_a_workbook_and_is_none_is_refused(tmp_path: Path) -> None:
    raw = workbook({"A": [["question", "answer"], ["a", "b"]]})
    path = write(tmp_path / "t.xlsx", raw[: len(raw) // 2])
    with pytest.raises(TicketsError, match="damaged archive"):
        table(path)
    empty = write(tmp_path / "e.xlsx", workbook({"A": []}))
    with pytest.raises(TicketsError, match="holds no rows"):
        table(empty)


@pytest.mark.parametrize(
    "line", ['How "is {n}?,"Care {n}', '"How is {n}?,With care {n}', 'a,"b {n}', '"a ""{n},b', 'a "b" "{n},"']
)
def test_quotes_that_open_on_every_line_are_read_again_so_often_and_no_oftener(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_READ_AGAIN", 1 << 20)
    text = "".join(line.format(n=n) + "\n" for n in range(5000))
    lines = reading._Lines(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline=""), escaped=False)
    found = list(reading._csv_rows(lines, ",", 2))
    assert 2500 <= len(found) <= 5000
    assert lines.read_again <= (1 << 20) + len(text)
    assert found[-1][1] is not None
