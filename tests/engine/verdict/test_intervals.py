"""Intervals that cover the truth as often as they say, with customers and topics that hang together."""

import math

import numpy as np
import pytest

from engine.verdict.intervals import FEWEST, Interval, interval, rounded, tickets_needed

EXPERIMENTS = 1000
TRUTH = 1.5


def shop(dice, tickets, customers, topics, by_customer, by_topic):
    """Differences of a made-up shop, and whose and about what they are; groups are uneven, as they are in real ones."""
    weights = 1 / np.arange(1, customers + 1) ** 0.5
    customer = dice.choice(customers, tickets, p=weights / weights.sum())
    topic = dice.choice(topics, tickets) if topics else np.arange(tickets)
    values = (
        TRUTH
        + dice.normal(0, 1, tickets)
        + dice.normal(0, by_customer, customers)[customer]
        + dice.normal(0, by_topic, max(topics, tickets))[topic]
    )
    return values, customer.tolist(), topic.tolist()


def coverage(*, clustered=True, seed=7, **about):
    dice, held = np.random.default_rng(seed), 0
    for _ in range(EXPERIMENTS):
        values, customer, topic = shop(dice, **about)
        ways = [customer, topic] if about["topics"] else [customer]
        seen = interval(values, *(ways if clustered else []))
        held += seen.low <= TRUTH <= seen.high
    return held / EXPERIMENTS


@pytest.mark.parametrize(
    "about",
    [
        {"tickets": 20, "customers": 20, "topics": 0, "by_customer": 0.0, "by_topic": 0.0},
        {"tickets": 40, "customers": 14, "topics": 0, "by_customer": 1.0, "by_topic": 0.0},
        {"tickets": 150, "customers": 40, "topics": 0, "by_customer": 2.0, "by_topic": 0.0},
        {"tickets": 200, "customers": 120, "topics": 12, "by_customer": 0.5, "by_topic": 1.0},
        {"tickets": 60, "customers": 60, "topics": 8, "by_customer": 0.0, "by_topic": 1.0},
    ],
    ids=["alone", "few customers", "many customers", "customers and topics", "topics"],
)
def test_the_interval_covers_the_truth_in_93_to_97_of_100_experiments(about):
    assert 0.93 <= coverage(**about) <= 0.97


def test_an_interval_that_takes_tickets_for_independent_would_be_wrong_where_they_are_not():
    """Else the test above says nothing of clusters."""
    about = {"tickets": 150, "customers": 40, "topics": 0, "by_customer": 2.0, "by_topic": 0.0}
    assert coverage(clustered=False, **about) < 0.75


def test_with_every_ticket_alone_it_is_students_interval():
    values = [1.0, 2.0, 4.0, 8.0]
    seen = interval(values)
    assert seen.error == pytest.approx(np.std(values, ddof=1) / 2)
    assert seen.high - seen.mean == pytest.approx(3.182446 * seen.error, rel=1e-6)  # t, 3 degrees of freedom


def test_even_groups_have_one_degree_of_freedom_less_than_groups():
    values = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0, 8.0]
    seen = interval(values, [0, 0, 1, 1, 2, 2, 3, 3])
    alone = interval(values[::2])
    assert (seen.low, seen.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_one_customer_alone_says_nothing():
    seen = interval([1.0, 2.0, 3.0], ["a", "a", "a"])
    assert (seen.low, seen.high) == (-math.inf, math.inf)
    assert not seen.is_clear


def test_few_groups_are_never_clear_however_alike_they_are():
    assert not interval([1.0] * (FEWEST - 1)).is_clear
    assert interval([1.0] * FEWEST).is_clear


def test_a_mean_is_within_a_margin_only_where_its_interval_is():
    assert Interval(0.1, -0.9, 1.1, 0.5, 20, 20).within(1.2)
    assert not Interval(0.1, -0.9, 1.1, 0.5, 20, 20).within(1.0)


def test_so_many_tickets_as_are_asked_for_show_the_difference_four_times_of_five():
    dice = np.random.default_rng(3)
    pilot = dice.normal(0, 1, 20)
    pilot = interval(6 * (pilot - pilot.mean()) / pilot.std(ddof=1))
    needed = tickets_needed(pilot, margin=3.0)
    seen = sum(interval(dice.normal(3.0, 6, needed)).is_clear for _ in range(EXPERIMENTS))
    assert 0.74 <= seen / EXPERIMENTS <= 0.86


def test_a_large_difference_that_is_not_clear_yet_asks_for_fewer_tickets_than_a_small_one():
    small, large = (Interval(mean, mean - 50, mean + 50, 10.0, 19, 8) for mean in (1.0, 7.5))
    assert tickets_needed(small, margin=3.0) == 1657  # 19 x (2.80 x 10 / 3)²
    assert tickets_needed(large, margin=3.0) == 266  # 19 x (2.80 x 10 / 7.5)²


def test_more_tickets_are_asked_for_than_there_are():
    assert tickets_needed(Interval(0.5, -0.1, 1.1, 0.3, 400, 400), margin=3.0) > 400


@pytest.mark.parametrize(("count", "told"), [(7, 7), (43, 43), (187, 190), (1234, 1300)])
def test_a_number_of_tickets_is_no_more_exact_than_it_can_be(count, told):
    assert rounded(count) == told
