"""The names of a data set's files stand in one place, and its lines are read in one."""

import ast
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.dataset import files
from engine.tickets.dataset.files import PREPARED, REPORT, numbered_lines

ROOT = Path(__file__).parents[4]
NAMES = {*PREPARED, files.NAME, files.EDITS, files.ORIGIN}


def test_nowhere_else_does_the_program_spell_the_name_of_a_data_sets_file():
    spelt = []
    for module in (ROOT / "app.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in NAMES and module != Path(files.__file__):
                spelt.append(f"{module.relative_to(ROOT)}:{node.lineno} {node.value}")
    assert spelt == []


def test_the_report_is_the_last_file_that_is_put_in_place():
    assert PREPARED[-1] == REPORT and len(set(PREPARED)) == len(PREPARED)


def test_lines_are_numbered_from_one_and_a_file_that_is_not_there_has_none(tmp_path):
    (tmp_path / "two.jsonl").write_bytes(b"{}\n[]")
    assert list(numbered_lines(tmp_path / "two.jsonl")) == [(1, b"{}\n"), (2, b"[]")]
    assert list(numbered_lines(tmp_path / "none.jsonl")) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "train.jsonl").mkdir()
    with pytest.raises(TicketsError, match=r"train.jsonl of the data set cannot be read: Is a directory"):
        list(numbered_lines(tmp_path / "train.jsonl"))
