"""What is measured of an answer: likeness to the agent's, length, language, how it ends; and what a ticket is about."""

import pytest

from engine.verdict.behaviour import behaviour, goes_in_circles
from engine.verdict.likeness import chrf, rouge_l
from engine.verdict.topics import topics_of
from tests.tiny import stored

AGENT = "Hello! Your parcel arrives on Friday. Kind regards, the workbench"


def test_the_agents_own_words_are_as_like_as_can_be_and_nothing_is_like_nothing():
    assert chrf(AGENT, AGENT) == pytest.approx(100)
    assert rouge_l(AGENT, AGENT) == 100
    for measure in (chrf, rouge_l):
        assert measure("", AGENT) == measure("  ", AGENT) == measure(AGENT, "") == 0


def test_rouge_l_is_that_of_lins_paper():
    """Section 3.1: 'police kill the gunman' shares three of four words in order with the reference, the other two."""
    reference = "police killed the gunman"
    assert rouge_l("police kill the gunman", reference) == pytest.approx(75)
    assert rouge_l("the gunman kill police", reference) == pytest.approx(50)


def test_words_of_scripts_without_spaces_are_their_characters():
    assert rouge_l("荷物は金曜日に届きます", "荷物は月曜日に届きます") == pytest.approx(100 * 10 / 11)


def test_a_like_answer_has_more_than_an_unlike_one():
    assert chrf("Your parcel arrives on Monday.", AGENT) > chrf("I do not know any lamps.", AGENT) + 20


def test_length_language_and_end_are_those_of_the_answer():
    seen = behaviour("Ihr Paket kommt am Freitag bei Ihnen an, viele Grüße aus der Werkstatt.", AGENT, "length")
    assert seen["language"] == 0
    assert seen["ends"] == 0
    assert seen["length"] == pytest.approx(1.1, abs=0.1)
    assert behaviour("Your parcel arrives on Friday, and we wish you a nice day.", AGENT, "end")["language"] == 1
    assert "language" not in behaviour("OK", AGENT, "end")


@pytest.mark.parametrize(
    "text",
    [
        "the parcel the parcel the parcel the parcel",
        "Yes, we can do that. I am sorry. " * 5,
        "1. We are sorry for it. 2. We are sorry for it. 3. We are sorry for it. 4. We are sorry for it.",
        "はいはいはいはいはいはいはいはい",
    ],
)
def test_an_answer_that_goes_in_circles_is_broken(text):
    assert goes_in_circles(text)
    assert behaviour(text, AGENT, "length")["broken"] == 1


@pytest.mark.parametrize(
    "text",
    [
        AGENT,
        "----------------------------------------\nOrder 4411111111, total 1000000 EUR",
        "Please open the settings. Please choose your account. Please press 'reset'. Then please wait for our mail, "
        "which comes within ten minutes, and follow the link in it. Kind regards",
        "    \n\n\n\n    \n hello",
    ],
)
def test_an_answer_that_goes_on_is_not(text):
    assert not goes_in_circles(text)


def test_an_empty_answer_is_broken():
    assert behaviour("  ", AGENT, "end")["broken"] == 1


def about(subject, tags=()):
    said = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    entry = stored("1", said)
    object.__setattr__(entry, "subject", subject)
    object.__setattr__(entry, "tags", tags)
    return entry


def test_a_topic_is_the_tag_where_there_is_one_else_a_word_that_others_share():
    found = topics_of(
        [
            about("Anything", ("returns",)),
            about("Whatever", ("returns", "vip")),
            about("Lamp flickers"),
            about("My lamp is dark"),
            about("Zebra"),
        ]
    )
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert len(set(found)) == 3


def test_a_tag_that_all_tickets_have_tells_none():
    assert len(set(topics_of([about(f"{word} matters", ("support",)) for word in ("alpha", "bravo", "gamma")]))) == 3
