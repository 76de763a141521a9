"""Every word table can be read, repeats nothing, is what its head says, and is used."""

import re
from pathlib import Path

import pytest

from engine.tickets.words import WordTables, alternatives

TICKETS = Path(__file__).parents[3] / "engine" / "tickets"
FILES = sorted(TICKETS.rglob("words/*.txt"))
GROUP = re.compile(r"\[(.+)\]")


def head(file: Path) -> str:
    """The comment over the first entry."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return " ".join(line[2:] for line in lines[: next(i for i, line in enumerate(lines) if line[:1] != "#")])


def tables(file: Path) -> list[tuple[str, ...]]:
    """The entries that must not repeat one another: those of the file, or of each of its groups."""
    read = WordTables(file.parent)
    is_grouped = any(GROUP.fullmatch(entry) for entry in read.entries(file.stem))
    return list(read.groups(file.stem).values()) if is_grouped else [read.entries(file.stem)]


def test_there_are_tables_for_every_drawer_that_reads_languages():
    assert {file.parent.parent.name for file in FILES} == {"cleaning", "importing", "preparing", "privacy", "tickets"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_a_table_says_what_it_holds_and_holds_it_once(file):
    assert " " in head(file) and re.search(r"[.:]", head(file)), "the first lines say what the entries are"
    for entries in tables(file):
        assert entries and not [entry for entry in entries if entries.count(entry) > 1]
        if "egular expressions" in head(file):
            assert re.compile(alternatives(entries), re.IGNORECASE).search("") is None, "an entry matches nothing"
        if "small letters" in head(file) or "lower case" in head(file):
            assert [entry for entry in entries if entry != entry.lower()] == []


def test_every_table_is_read_by_somebody():
    sources = "".join(module.read_text(encoding="utf-8") for module in TICKETS.rglob("*.py"))
    assert [file.stem for file in FILES if not re.search(rf"[\"']{file.stem}[\"']", sources)] == []


def test_comments_and_blank_lines_are_no_entries_and_order_is_kept(tmp_path):
    (tmp_path / "colours.txt").write_text("# Colours.\nred\n\n  dark blue  # of the sea\n# German\nblau\n", "utf-8")
    read = WordTables(tmp_path)
    assert read.entries("colours") == ("red", "dark blue", "blau")
    assert read.words("colours") == {"red", "dark blue", "blau"}
    assert read.pattern("colours") == "dark blue|blau|red"


def test_groups_may_have_several_heads_and_come_twice(tmp_path):
    (tmp_path / "sounds.txt").write_text("# Who says what.\n[cat, kitten]\nmeow\n[dog]\nwoof\n[cat]\npurr\n", "utf-8")
    assert WordTables(tmp_path).groups("sounds") == {"cat": ("meow", "purr"), "kitten": ("meow",), "dog": ("woof",)}
