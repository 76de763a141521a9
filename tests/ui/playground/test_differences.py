from markupsafe import Markup

from tests.ui.fake_tickets import HOSTILE
from ui.playground.differences import MOST_WORDS, marked


def test_words_that_the_other_has_not_are_marked():
    assert marked("We send it on Monday.", "We send it on Friday.") == Markup("We send it on <mark>Monday</mark>.")


def test_capitals_make_no_difference():
    assert "<mark>" not in marked("Hello there", "hello There")


def test_the_same_text_and_no_text_have_no_marks():
    for text, other in (("a b", "a b"), ("a b", ""), ("", "a b")):
        assert marked(text, other) == text


def test_a_ticket_is_never_a_part_of_the_page():
    assert "<img" not in marked(HOSTILE, "something else")
    assert "<img" not in marked(f"it {HOSTILE}", f"that {HOSTILE}")


def test_very_long_answers_are_shown_as_they_are():
    assert "<mark>" not in marked("a " * MOST_WORDS, "b " * MOST_WORDS)


def test_no_word_is_lost():
    shown = marked("One, two,  three!\nFour", "Two; three")
    assert Markup(shown).striptags().split() == ["One,", "two,", "three!", "Four"]
