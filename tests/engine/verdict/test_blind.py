"""The blind test: orders are balanced and stay, intervals cover, and votes become preference pairs."""

import numpy as np
import pytest

from engine.verdict.blind import Tally, Vote, agreement, counted, order_of, preference
from engine.verdict.intervals import rounded

TUNED, OTHER = "run:a", "base+lookup"
TICKETS = [str(number) for number in range(1001, 1021)]


def vote(voter, ticket, wins):
    return Vote(voter, ticket, TUNED, OTHER, {1: "first", 0: "second"}.get(wins, "tie"))


def test_the_order_is_balanced_for_every_voter_and_for_10_000_together():
    places = []
    for number in range(10_000):
        order = order_of(f"voter {number}", TICKETS[:7], TUNED, OTHER)
        firsts = [first == TUNED for first, _ in order.values()]
        assert sum(firsts) in (3, 4)
        places.append(firsts)
    assert np.mean(places, axis=0) == pytest.approx(0.5, abs=0.02)


def test_a_page_that_is_opened_again_shows_the_same_order():
    assert order_of("Ann", TICKETS, TUNED, OTHER) == order_of("Ann", TICKETS, TUNED, OTHER)
    assert order_of("Ann", TICKETS, TUNED, OTHER) != order_of("Bob", TICKETS, TUNED, OTHER)


@pytest.mark.parametrize(("truth", "by_ticket"), [(0.5, 0.15), (0.65, 0.3)])
def test_intervals_of_5000_simulated_voters_each_cover_the_truth(truth, by_ticket):
    """1,000 tests of five voters, 10,000 with both truths; what they think of a ticket hangs together."""
    dice, held = np.random.default_rng(11), 0
    for _ in range(1000):
        liked = truth + dice.uniform(-by_ticket, by_ticket, len(TICKETS))
        votes = [
            vote(f"v{voter}", ticket, int(dice.random() < chance))
            for voter in range(5)
            for ticket, chance in zip(TICKETS, liked, strict=True)
        ]
        share = counted(votes, TUNED).share
        held += share.low <= truth <= share.high
    assert 0.93 <= held / 1000 <= 0.97


def test_the_last_vote_of_a_voter_on_a_ticket_counts():
    seen = counted([vote("Ann", "1001", 1), vote("Ann", "1001", 0), vote("Ann", "1002", 1)], TUNED)
    assert (seen.votes, seen.wins, seen.losses) == (2, 1, 1)


def test_ten_votes_of_ten_are_clear_and_not_certain_and_three_of_three_are_neither():
    ten = counted([vote("Ann", ticket, 1) for ticket in TICKETS[:10]], TUNED)
    assert ten.is_clear and ten.share.low < 0.9
    assert ten.sentence == "People prefer the tuned model: 10 of 10 votes of 1 person, 0 for the other (clear)."
    three = counted([vote("Ann", ticket, 1) for ticket in TICKETS[:3]], TUNED)
    assert not three.is_clear


def test_undecided_votes_say_how_many_would_decide():
    seen = counted([vote("Ann", ticket, number % 2) for number, ticket in enumerate(TICKETS)], TUNED)
    assert seen.needed > len(TICKETS)
    assert f"about {rounded(seen.needed):,} votes would be needed" in seen.sentence


def test_a_tie_and_both_bad_are_half_a_vote_for_each():
    votes = [Vote("Ann", "1", TUNED, OTHER, "tie"), Vote("Ann", "2", OTHER, TUNED, "both bad")]
    seen = counted(votes, TUNED)
    assert (seen.ties, seen.both_bad, seen.share.mean) == (1, 1, 0.5)
    assert counted([], TUNED) == Tally(0, 0, 0, 0, 0, 0, None, None, 0)


def test_agreement_is_the_share_of_pairs_that_think_the_same_whatever_stood_first():
    same = [Vote("Ann", "1", TUNED, OTHER, "first"), Vote("Bob", "1", OTHER, TUNED, "second")]
    assert agreement(same, TUNED) == 1
    assert agreement([*same, Vote("Eve", "1", TUNED, OTHER, "both bad")], TUNED) == pytest.approx(1 / 3)
    assert agreement(same[:1], TUNED) is None


def test_a_vote_is_a_preference_pair_that_trl_takes():
    from datasets import Dataset
    from trl.data_utils import is_conversational

    asked = [{"role": "user", "content": "Where is it?"}]
    line = preference(asked, Vote("Ann", "1", OTHER, TUNED, "second"), "I do not know.", "On its way!")
    assert line["chosen"] == [{"role": "assistant", "content": "On its way!"}]
    assert line["rejected"] == [{"role": "assistant", "content": "I do not know."}]
    assert is_conversational(Dataset.from_list([line])[0])
    assert preference(asked, Vote("Ann", "1", OTHER, TUNED, "tie"), "a", "b") is None
    assert preference(asked, Vote("Ann", "1", OTHER, TUNED, "first"), "The same.", "The same. ") is None
