"""Votes on a judged run: several voters, each of whom goes on where they were; the verdict tells of them."""

import json
import threading

import pytest

from engine.errors import StudioError
from engine.tickets.dataset.files import PREFERENCES, TRAIN
from engine.tickets.dataset.preferences import preference
from engine.tickets.dataset.stored import conversations, json_line
from engine.verdict import paper as papers
from tests.engine.chat.test_lookup import TALKS
from tests.engine.test_two_bases import DEADLINE


@pytest.fixture
def judged(studio, finished, monkeypatch):
    monkeypatch.setattr(papers, "SHORTEST", 4)
    monkeypatch.setattr(papers, "LONGEST", 4)
    run = finished(TALKS, [(f"{asked} today", told) for asked, told in TALKS[:4]])
    studio.verdict.judge(run).wait(DEADLINE)
    return run


def test_a_voter_goes_on_where_they_were_and_others_vote_beside(studio, judged):
    first = studio.blind.test(judged, "Ann")
    assert (first.done, first.total) == (0, 4)
    studio.blind.vote(judged, "Ann", first.next.ticket, "first")
    again = studio.blind.test(judged, "Ann")
    assert again.done == 1 and again.next.ticket != first.next.ticket
    assert studio.blind.test(judged, "Bob").done == 0
    for _ in range(3):
        studio.blind.vote(judged, "Ann", studio.blind.test(judged, "Ann").next.ticket, "tie")
    assert studio.blind.test(judged, "Ann").next is None


def test_the_answers_are_those_of_the_tuned_voice_and_its_best_alternative_and_bear_no_name(studio, judged):
    found, seen = studio.verdict.verdict(judged), studio.blind.test(judged, "Ann").next
    said = studio.verdict.answers(judged)[seen.ticket][1]
    pair = {said[found.headline.tuned].text, said[found.headline.alternative].text}
    assert {seen.first, seen.second} == pair
    assert not {"run", "voice"} & set(type(seen).__dataclass_fields__)


def test_votes_end_in_the_verdict_and_as_preference_pairs(studio, judged):
    ticket = studio.blind.test(judged, "Ann").next
    studio.blind.vote(judged, "Ann", ticket.ticket, "second")
    assert studio.verdict.verdict(judged).blind["votes"] == 1
    [line] = map(json.loads, studio.blind.preferences(judged).splitlines())
    assert line["chosen"][0]["content"] == ticket.second
    assert line["rejected"][0]["content"] == ticket.first
    assert line["prompt"][-1]["role"] == "user"


def test_votes_stay_in_the_verdict_when_the_run_is_judged_again_or_its_leaks_are_tested(studio, judged):
    studio.blind.vote(judged, "Ann", studio.blind.test(judged, "Ann").next.ticket, "second")
    told = studio.verdict.verdict(judged).blind
    assert studio.verdict.judge(judged).wait(DEADLINE).blind == told
    studio.verdict.note(judged)
    assert studio.verdict.verdict(judged).blind == told


def test_votes_that_come_at_the_same_moment_are_all_counted(studio, judged):
    voters, begin = [f"voter {number}" for number in range(8)], threading.Barrier(9)

    def votes(voter):
        begin.wait(DEADLINE)
        while (seen := studio.blind.test(judged, voter).next) is not None:
            studio.blind.vote(judged, voter, seen.ticket, "first")

    def notes():
        begin.wait(DEADLINE)
        for _ in range(8):
            studio.verdict.note(judged)

    threads = [threading.Thread(target=votes, args=(voter,)) for voter in voters] + [threading.Thread(target=notes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    found = studio.verdict.verdict(judged).blind
    assert (found["votes"], found["voters"]) == (32, 8)


def test_where_no_answer_is_preferred_there_are_no_pairs_and_a_sentence_says_so(studio, judged):
    studio.blind.vote(judged, "Ann", studio.blind.test(judged, "Ann").next.ticket, "both bad")
    with pytest.raises(StudioError, match="No vote prefers"):
        studio.blind.preferences(judged)


def test_a_file_of_preference_pairs_is_loaded_by_datasets_and_has_what_trl_learns_from(studio, judged, tmp_path):
    from datasets import load_dataset
    from trl.data_utils import is_conversational

    for _ in range(3):
        studio.blind.vote(judged, "Ann", studio.blind.test(judged, "Ann").next.ticket, "first")
    file = tmp_path / "preferences.jsonl"
    file.write_text(studio.blind.preferences(judged), encoding="utf-8")
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.column_names == ["prompt", "chosen", "rejected"] and 1 <= len(rows) <= 3
    assert all(is_conversational(row) for row in rows)


def came_with(studio, run):
    """Put a pair beside a run's tickets, as preparing does."""
    data = studio.runs.get(run).data
    row = next(conversations(data / TRAIN))
    pair = preference(row.turns[:-1], row.turns[-1]["content"], "Who knows?")
    (data / PREFERENCES).write_bytes(json_line({**pair, "ticket": row.ticket, "key": row.key}))
    return pair


def test_pairs_that_came_with_the_tickets_go_along_with_the_votes_and_without(studio, judged, finished):
    assert not studio.blind.came_with_pairs(judged)
    ticket = studio.blind.test(judged, "Ann").next
    studio.blind.vote(judged, "Ann", ticket.ticket, "first")
    pair = came_with(studio, judged)
    voted, kept = map(json.loads, studio.blind.preferences(judged).splitlines())
    assert (voted["chosen"][0]["content"], kept) == (ticket.first, pair)
    other = finished(TALKS, TALKS[:2], name="other")
    with pytest.raises(StudioError, match="not judged yet"):
        studio.blind.preferences(other)
    pair = came_with(studio, other)
    assert studio.blind.came_with_pairs(other)
    assert [json.loads(line) for line in studio.blind.preferences(other).splitlines()] == [pair]


def test_votes_on_other_weights_are_not_counted(studio, judged):
    file = studio.runs.get(judged).path / "verdict" / "votes.jsonl"
    studio.blind.vote(judged, "Ann", studio.blind.test(judged, "Ann").next.ticket, "first")
    file.write_text(file.read_text().replace('"weights":"', '"weights":"other') + '{"cut off')
    assert studio.blind.tally(judged).votes == 0


def test_what_cannot_be_voted_on_is_refused_in_words(studio, judged, finished):
    with pytest.raises(StudioError, match="not to be voted on"):
        studio.blind.vote(judged, "Ann", "nobody", "first")
    with pytest.raises(StudioError, match="name is empty"):
        studio.blind.test(judged, " ")
    with pytest.raises(StudioError, match="not judged yet"):
        studio.blind.test(finished(TALKS, TALKS[:2], name="other"), "Ann")
