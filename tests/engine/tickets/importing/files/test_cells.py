from pathlib import Path

import pytest

from engine.tickets.importing.files.cells import as_meant, is_backslash_quoted, writes_breaks
from tests.engine.tickets.exports import read, said, write


def answers(path: Path) -> list[str]:
    return [said(found)[-1][2] for found in read(path)]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("'- Turn it\n- Wait", "- Turn it\n- Wait"),
        ("'+49 30 1234567 is ours, it's free", "+49 30 1234567 is ours, it's free"),
        ("'=in stock", "=in stock"),
        ("'@all: open", "@all: open"),
        ("'-quoted' words stay", "'-quoted' words stay"),
        ("'Tis dark", "'Tis dark"),
        ('="0012"', "0012"),
        ('="Say ""on"" twice"', 'Say "on" twice'),
        ('="a"&"b"', '="a"&"b"'),
        ("=1+1", "=1+1"),
        ("", ""),
    ],
)
def test_guards_against_formulas_are_taken_off(cell: str, meant: str) -> None:
    assert as_meant(cell) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        (r"Turn it.\n\nThen wait.\r\nThen go.", "Turn it.\n\nThen wait.\nThen go."),
        (r"Hi Ada\n\nthe lamp is here,\nyours", "Hi Ada\n\nthe lamp is here,\nyours"),
        (r"Steps:\n- one\n- two", "Steps:\n- one\n- two"),
        (r"お試しください。\nよろしく", "お試しください。\nよろしく"),
        (r"Open C:\new\north or \\nas\new.", r"Open C:\new\north or \\nas\new."),
        (r"print('a\nb')", r"print('a\nb')"),
    ],
)
def test_written_line_breaks_become_real_ones_and_paths_stay(cell: str, meant: str) -> None:
    assert as_meant(cell, breaks=True) == meant


def test_line_breaks_are_only_read_where_the_table_has_no_real_ones() -> None:
    assert writes_breaks([["Dark?", r"Turn it.\nThen wait."]])
    assert not writes_breaks([["Dark?", r"Turn it.\nThen wait."], ["Line\nbreak", "b"]])
    assert not writes_breaks([["Dark?", r"Open C:\new\reports."]])


def test_a_table_with_written_line_breaks_is_read_so(tmp_path: Path) -> None:
    rows = [r"Dark?,Turn it.\n\nThen wait.", r"Where?,Open C:\new\north."]
    path = write(tmp_path / "t.csv", "\n".join(["question,answer", *rows]))
    assert answers(path) == ["Turn it.\n\nThen wait.", r"Open C:\new\north."]
    real = write(tmp_path / "real.csv", "\n".join(["question,answer", *rows, '"Two\nlines","Yes."']))
    assert answers(real)[0] == r"Turn it.\n\nThen wait."


def test_quotes_with_a_backslash_are_quotes(tmp_path: Path) -> None:
    table = (
        'question,answer,note\n"My 24\\" screen","Press \\"On\\", then wait.",\\N\n'
        '"He said \\"no\\"","See C:\\\\temp.",\\N\n"Plain, that is","Two\\\nlines.",\\N\n'
    )
    path = write(tmp_path / "t.csv", table)
    assert answers(path) == ['Press "On", then wait.', "See C:\\temp.", "Two\nlines."]
    assert [said(found)[0][2] for found in read(path)] == ['My 24" screen', 'He said "no"', "Plain, that is"]


@pytest.mark.parametrize(
    "table",
    [
        'question,answer\n"Where is ""it""?","In C:\\new\\"\n"And?","There."\n',
        'question,answer\nWhat is \\"on\\"?,The switch.\n',
    ],
)
def test_a_backslash_before_a_quote_may_be_nothing_but_a_backslash(table: str) -> None:
    assert not is_backslash_quoted(table, ",")
