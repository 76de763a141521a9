"""A conversation is asked again, edited, compared and kept."""

from pathlib import Path

import pytest

from engine.chat.records import STRANGE
from engine.errors import StudioError
from tests.ui.handlers import by_id, calls, last

SETTINGS = ("", 0.7, 0.9, 64, 3)
TUNED = ["run:run-1"]


@pytest.fixture
def asked(wired, studio):
    """A window in which two voices have answered a question."""
    studio.add_run("Run 1")
    list(wired.handler("playground.tab.ask")("Where is it?", "me", TUNED, "set-1", *SETTINGS))
    return wired


def again(wired, *settings):
    return wired.handler("playground.actions.again")("me", TUNED, "set-1", *settings)


def test_the_same_question_is_asked_with_another_seed(asked, studio):
    shown = last(again(asked, *SETTINGS))
    assert shown["answer-seed"] == 4
    first, second = calls(studio, "ask")
    assert second[2] == first[2]  # nothing of the first answer is in the conversation
    assert (first[3].seed, second[3].seed) == (3, 4)


def test_at_temperature_0_it_says_that_nothing_would_change(asked, studio):
    list(again(asked, "", 0.0, 0.9, 64, 3))
    assert len(calls(studio, "ask")) == 1
    assert "Where is it?" in by_id(asked.handler("playground.tab.show")("me", TUNED))["board"]


def test_an_edited_question_stands_in_the_field_and_no_longer_in_the_panes(asked):
    shown = by_id(asked.handler("playground.actions.edit")("me", TUNED))
    assert shown["question"] == "Where is it?"
    assert "Where is it?" not in shown["board"]


def test_differences_are_marked_when_they_are_asked_for(asked):
    compare = asked.handler("playground.actions.compare")
    assert "<mark>" in by_id(compare(True, "me", TUNED))["board"]
    assert "<mark>" not in by_id(compare(False, "me", TUNED))["board"]


def test_facts_from_nowhere_are_marked_until_that_is_switched_off(asked, studio):
    board = by_id(asked.handler("playground.tab.show")("me", TUNED))["board"]
    assert board.count('<mark class="invented"') == 1 and "1 fact from nowhere" in board
    mark = asked.handler("playground.actions.mark")
    switched_off = by_id(mark(False, "me", TUNED))["board"]
    assert "<mark" not in switched_off and "1 fact from nowhere" in switched_off
    assert '<mark class="invented"' in by_id(mark(True, "me", TUNED))["board"]


def test_strange_questions_are_passed_to_a_person_once_that_is_switched_on(asked, studio):
    asked.handler("playground.actions.pass_on")(True, "me")
    list(asked.handler("playground.tab.ask")("Do you hire plumbers?", "me", TUNED, "set-1", *SETTINGS))
    assert [call[-1] for call in calls(studio, "ask")] == [0.0, STRANGE]


def test_what_was_switched_on_stays_so_after_a_reload_and_in_the_next_conversation(asked):
    asked.handler("playground.actions.pass_on")(True, "me")
    asked.handler("playground.actions.compare")(True, "me", TUNED)
    asked.handler("playground.actions.mark")(False, "me", TUNED)
    begun = asked.handler("playground.tab.start_anew")("me", TUNED)
    picked = asked.handler("playground.tab.pick_ticket")("me", TUNED, "set-1", 0)
    for shown in (begun, picked, asked.handler("playground.tab.show")("me", TUNED)):
        assert [by_id(shown)[name] for name in ("differences", "invented", "pass-on")] == [True, False, True]
    assert by_id(asked.handler("playground.tab.show")("someone else", TUNED))["pass-on"] is False


def test_what_a_model_said_before_makes_nothing_true(asked, studio):
    list(asked.handler("playground.tab.ask")("And when?", "me", TUNED, "set-1", *SETTINGS))
    *_, call = calls(studio, "inventions")
    assert [turn["role"] for turn in call[2]] == ["user", "user"]
    assert [turn["content"] for turn in call[2]] == ["Where is it?", "And when?"]


def test_what_agents_said_in_the_ticket_is_true(wired, studio):
    wired.handler("playground.tab.pick_ticket")("me", [], "set-1", 0)
    list(wired.handler("playground.tab.ask")("Where is it?", "me", [], "set-1", *SETTINGS))
    *_, call = calls(studio, "inventions")
    assert call[4] != "" and call[2][-1]["content"] == "Where is it?"


def test_answers_stay_where_their_facts_cannot_be_looked_at(wired, studio, monkeypatch):
    def fails(*_):
        raise StudioError("The tickets are damaged.")

    studio.facts.inventions = fails
    list(wired.handler("playground.tab.ask")("Where is it?", "me", [], "set-1", *SETTINGS))
    board = by_id(wired.handler("playground.tab.show")("me", []))["board"]
    assert "I am not sure where it is." in board and "nowhere" not in board


def test_the_conversation_is_a_file(asked):

    file = Path(by_id(asked.handler("playground.actions.download")("me", TUNED))["conversation-file"])
    assert "Where is it?" in file.read_text(encoding="utf-8")


def test_where_nothing_was_asked_it_says_so(wired):
    assert wired.handler("playground.actions.edit")
    assert list(wired.handler("playground.actions.again")("me", [], "set-1", *SETTINGS))
