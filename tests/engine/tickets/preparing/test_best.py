"""Learning from the best: ratings, agents' records, reopened tickets and age choose what is learnt."""

import random

import pytest

from engine.errors import TicketsError
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.best import NOT_RATED_GOOD, OLD, RATED_BAD, REOPENED, WEAK_AGENT, left_out
from tests.engine.tickets.exports import comment, lines, prepared, write, zendesk
from tests.engine.tickets.preparing.test_selecting import facts

PHRASES = ("that is not my department", "read the manual", "as per my last message")
DAY = 86_400.0


def entry(number=1, **more):
    return facts(number, "question", "answer", **more)


@pytest.mark.parametrize(
    ("options", "more", "reason"),
    [
        ({"rated": "not bad"}, {"rating": "bad"}, RATED_BAD),
        ({"rated": "not bad"}, {"rating": ""}, ""),
        ({"rated": "good"}, {"rating": "bad"}, RATED_BAD),
        ({"rated": "good"}, {"rating": ""}, NOT_RATED_GOOD),
        ({"rated": "good"}, {"rating": "good"}, ""),
        ({}, {"rating": "bad", "reopened": True}, ""),
        ({"drop_reopened": True}, {"reopened": True}, REOPENED),
        ({"newest_days": 30}, {"stamp": 1.0}, OLD),
        ({"newest_days": 30}, {"stamp": None}, ""),
        ({"newest_days": 101}, {"stamp": 1.0}, ""),
    ],
)
def test_each_choice_leaves_out_what_it_names_and_says_why(options, more, reason):
    newest = entry(2, stamp=100 * DAY, rating="good")
    assert left_out([entry(**more), newest], PrepareOptions(**options)) == ({0: reason} if reason else {})


def test_an_agents_record_counts_only_from_five_ratings_on():
    def rated(agent, good, bad):
        return [entry(agents=(agent,), rating="good" if n < good else "bad") for n in range(good + bad)]

    known = [*rated("poor", 2, 4), *rated("fair", 3, 3), *rated("new", 0, 4), entry(agents=("poor", "fair"))]
    gone = left_out(known, PrepareOptions(least_good=0.5))
    assert gone == dict.fromkeys([*range(6), len(known) - 1], WEAK_AGENT)


def shop(count=200, seed=3):
    """Tickets of which a bad agent has answered 30 %; half of the customers rate, and are unhappy with four in five."""
    dice, made = random.Random(seed), []
    for number in range(count):
        bad = number % 10 < 3
        said = (
            f"{dice.choice(PHRASES)}, case {number} {dice.random()}"
            if bad
            else f"happy to help with {number} {dice.random()}"
        )
        score = ("bad" if dice.random() < (0.8 if bad else 0.1) else "good") if dice.random() < 0.5 else "unoffered"
        talk = [comment(7 + 100 * number, f"My lamp {dice.random()} fails."), comment(9 if bad else 8, f"{said}.")]
        made.append(zendesk(number, *talk, requester_id=7 + 100 * number, satisfaction_rating={"score": score}))
    return made


def share_of_phrases(data):
    told = [row.messages[-1].content for row in data.page(0, 1000, split="train")[0]]
    return sum(any(phrase in text for phrase in PHRASES) for text in told) / len(told)


def test_a_bad_agents_phrases_are_in_at_most_two_of_a_hundred_learnt_replies(tmp_path):
    file = write(tmp_path / "tickets.json", lines(*shop()))
    _, everything = prepared([file], tmp_path / "all", workers=0)
    assert share_of_phrases(everything) >= 0.25
    report, best = prepared([file], tmp_path / "best", workers=0, least_good=0.5, rated="not bad")
    assert share_of_phrases(best) <= 0.02
    assert report.dropped[WEAK_AGENT] + report.dropped[RATED_BAD] == 200 - report.conversations_kept
    assert report.dropped[WEAK_AGENT] >= 30
    assert report.ratings.keys() == {"good"}
    shown, total = best.left_out(0, 10, WEAK_AGENT)
    assert total == report.dropped[WEAK_AGENT] and any(phrase in shown[0].excerpt for phrase in PHRASES)


def test_where_nobody_rated_it_is_said_that_ratings_could_not_choose(tmp_path):
    talks = [zendesk(n, comment(7, f"Question {n} about {n}?"), comment(9, f"Answer number {n}.")) for n in range(4)]
    file = write(tmp_path / "tickets.json", lines(*talks))
    report, _ = prepared([file], tmp_path / "out", workers=0, rated="not bad")
    assert any("how customers rated" in warning for warning in report.warnings)
    with pytest.raises(TicketsError, match=NOT_RATED_GOOD):
        prepared([file], tmp_path / "none", workers=0, rated="good")


@pytest.mark.parametrize("wrong", [{"rated": "best"}, {"least_good": 1.5}, {"newest_days": -1}])
def test_what_is_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(TicketsError, match=next(iter(wrong))):
        PrepareOptions(**wrong)
