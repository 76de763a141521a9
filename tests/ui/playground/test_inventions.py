"""How an answer's facts from nowhere are marked and counted."""

from engine.verdict.facts.fact import Fact
from tests.ui.fake_tickets import HOSTILE
from ui.playground.inventions import NOWHERE, counted, marked

NONE: frozenset[str] = frozenset()


def fact(start, end, kind="time"):
    return Fact(kind, start, end, NONE, NONE)


def test_a_mark_says_what_it_is_to_the_pointer_to_a_reader_and_is_reached_by_keyboard():
    shown = marked("In 9 days.", [fact(3, 9)])
    assert shown.startswith("In <mark") and shown.endswith("9 days</mark>.")
    assert 'tabindex="0"' in shown and f'title="{NOWHERE}: a time"' in shown and 'aria-label="9 days. ' in shown


def test_what_is_marked_is_text():
    shown = marked(HOSTILE, [fact(0, len(HOSTILE), "name")])
    assert "<img" not in shown and "&lt;img" in shown


def test_of_two_that_overlap_the_first_is_marked():
    assert marked("for free in 9 days", [fact(0, 8, "promise"), fact(4, 18)]).count("<mark") == 1


def test_no_fact_and_nobody_has_looked_are_two_things():
    assert counted(None) == "" and counted(()) == "no fact from nowhere"
    assert counted([fact(0, 1), fact(2, 3)]) == "2 facts from nowhere"
