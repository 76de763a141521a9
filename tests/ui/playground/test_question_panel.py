"""Many questions at once: kept, answered into a table, and taken home as a file that no spreadsheet computes with."""

import csv
from pathlib import Path

import pytest

from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, until
from ui.playground.question_components import HELDOUT

SETTINGS = ("", 0.0, 0.9, 64, 0)


def done(wired):
    """Watch until the answers are there."""
    watch = wired.handler("playground.question_panel.watch")
    return until(lambda: shown if "answers" in (shown := by_id(watch("me"))) else None)


@pytest.fixture
def answered(wired, studio):
    studio.add_run("Run 1")
    answer = wired.handler("playground.question_panel.answer")
    answer("", "Where is it?\n\n How long? ", "me", ["run:run-1"], "set-1", *SETTINGS)
    return done(wired)


def test_each_question_is_a_row_and_each_voice_a_column_with_all_text_as_text(answered, studio):
    table = answered["answers"]
    assert table.count("<tr>") == 3
    assert "Where is it?" in table and "How long?" in table
    assert HOSTILE not in table and "&lt;img" in table
    assert answered["download-answers"].visible
    [asked] = [call for call in studio.calls if call[0] == "answer"]
    assert asked[1:3] == (["Where is it?", "How long?"], ("base", "run:run-1"))


def test_the_file_has_no_cell_that_a_spreadsheet_computes(answered, wired):
    shown = by_id(wired.handler("playground.question_panel.download")("me", ""))
    with Path(shown["answers-file"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    each = [[name, f"{name}: facts from nowhere", f"{name}: which"] for name in ("base", "run:run-1")]
    assert rows[0] == ["question", *each[0], *each[1]]
    assert rows[1][2:4] == ["1", "Kestrel Post"]
    assert rows[1][0] == "Where is it?"
    assert rows[1][1].startswith("'=")


def test_each_voices_facts_from_nowhere_are_marked_and_counted(answered):
    table = answered["answers"]
    assert table.count('<mark class="invented" tabindex="0"') == 4
    assert "Facts from nowhere: base 2 in 2 answers, run:run-1 2 in 2 answers." in table


def test_without_a_data_set_nothing_is_called_invented(wired, studio):
    wired.handler("playground.question_panel.answer")("", "Where is it?", "me", [], "", *SETTINGS)
    table = done(wired)["answers"]
    assert "Where is it?" in table and "nowhere" not in table
    shown = by_id(wired.handler("playground.question_panel.download")("me", ""))
    with Path(shown["answers-file"]).open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file)) == ["question", "base"]


def test_held_out_tickets_bring_what_the_agent_wrote(wired, studio):
    wired.handler("playground.question_panel.answer")(HELDOUT, "", "me", [], "set-1", *SETTINGS)
    assert "The agent" in done(wired)["answers"]


def test_a_set_is_kept_chosen_and_deleted(wired, studio):
    kept = by_id(wired.handler("playground.question_panel.save")("Mine", "Where is it?"))
    assert ("Mine", "Mine") in kept["question-set"].choices
    chosen = by_id(wired.handler("playground.question_panel.choose")("Mine"))
    assert chosen["set-questions"].value == "Where is it?"
    assert chosen["delete-question-set"].visible
    by_id(wired.handler("playground.question_panel.delete")("Mine"))
    assert studio.questions.saved() == {}


def test_a_reload_shows_the_answers_again(answered, wired):
    again = by_id(wired.handler("playground.tab.show")("me", [], ""))
    assert "Where is it?" in again["answers"]
