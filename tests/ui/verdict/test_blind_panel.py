"""The blind test in the window: a voter begins, votes, goes on; the votes end in words and in a file."""

from pathlib import Path

import pytest

from engine.errors import StudioError
from tests.ui.fake_tickets import HOSTILE
from tests.ui.fake_verdict import made_verdict
from tests.ui.handlers import by_id


@pytest.fixture
def judged(studio):
    run = studio.add_run("Run 1")
    studio.verdict.kept[run] = made_verdict(run, "Run 1", tickets=2)
    return run


def begin(wired, run, voter="Ann"):
    return by_id(wired.handler("verdict.blind_panel.begin")(run, voter))


def vote(wired, run, raised, choice, ticket):
    handler = wired.handler("verdict.blind_panel.vote")
    return by_id(handler(raised(choice=choice, ticket=ticket), run, "Ann"))


def test_two_answers_without_names_and_four_choices_with_keys(wired, judged):
    card = begin(wired, judged)["blind-card"]
    assert card.count("<section") == 2 and card.count('data-do="vote"') == 4
    for key in ("1", "2", "0", "b"):
        assert f"<kbd>{key}</kbd>" in card
    assert "uned" not in card and "ase model" not in card
    assert HOSTILE not in card and "&lt;img" in card


def test_whoever_votes_has_a_name(wired, judged):
    with pytest.raises(StudioError, match="Who votes"):
        begin(wired, judged, "  ")


def test_votes_lead_to_the_next_ticket_and_to_the_end(wired, judged, raised, studio):
    first = vote(wired, judged, raised, "first", "1001")
    assert 'data-ticket="1002"' in first["blind-card"]
    assert "1 of 1 votes of 1 person" in first["blind-tally"]
    last = vote(wired, judged, raised, "both bad", "1002")
    assert "you have read all 2 tickets" in last["blind-card"]
    assert begin(wired, judged, "Bob")["blind-card"].count("<section") == 2


def test_preference_pairs_can_be_taken_home(wired, judged, raised):
    assert vote(wired, judged, raised, "first", "1001")["blind-download"].visible
    file = Path(by_id(wired.handler("verdict.blind_panel.download")(judged))["blind-file"])
    assert file.name == "run-1-preferences.jsonl"
    assert len(file.read_text().splitlines()) == 1


def test_pairs_that_came_with_the_tickets_can_be_taken_home_before_anybody_votes(wired, judged, studio):
    assert not begin(wired, judged)["blind-download"].visible
    studio.blind.with_pairs.add(judged)
    assert begin(wired, judged)["blind-download"].visible
    file = Path(by_id(wired.handler("verdict.blind_panel.download")(judged))["blind-file"])
    assert len(file.read_text().splitlines()) == 1
