"""Facts that stand nowhere are found and counted; facts of the ticket, of near tickets and of training answers not."""

import json

import pytest

from engine.chat.records import LookedUpTicket, LookUp
from engine.verdict.facts.index import FactIndex, fact_index
from engine.verdict.facts.reading import facts_in
from engine.verdict.inventions import count_inventions, inventions, sides
from tests.engine.verdict.planted import TRAINING, inventing_answers, true_answers

NOTHING = FactIndex({}, 0)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The facts of the shop, each in two training answers."""
    folder = tmp_path_factory.mktemp("set")
    rows = [
        {"ticket": str(n), "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]}
        for n, answer in enumerate((*TRAINING, *TRAINING))
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return fact_index(folder)


def marked(answer, index=NOTHING, told=(), agents=(), **options):
    return [answer[fact.start : fact.end] for fact in inventions(answer, told, agents, index, **options)]


def test_of_200_inventions_95_in_100_are_found(index):
    missed = [
        planted
        for planted in inventing_answers()
        if not any(hits(planted, text) for text in marked(planted.answer, index))
    ]
    assert len(missed) <= 10, missed


def hits(planted, text):
    return text in planted.invented or planted.invented in text


def test_of_200_true_answers_at_most_5_in_100_are_marked(index):
    wrong = [(planted.answer, found) for planted in true_answers() if (found := marked(planted.answer, index))]
    assert len(wrong) <= 10, wrong


def test_beside_an_invention_what_is_true_stays_unmarked(index):
    found = [(planted, marked(planted.answer, index)) for planted in inventing_answers()]
    more = [(planted.answer, texts) for planted, texts in found if not all(hits(planted, text) for text in texts)]
    assert len(more) <= 10, more


def values(text):
    return {reading for fact in facts_in(text) for reading in fact.readings if not reading.startswith(("num:", "any:"))}


@pytest.mark.parametrize(
    "ways",
    [
        ("1.234,50 EUR", "EUR 1,234.50", "1 234,50 euros", "€1234.50", "1'234.50 €"),
        ("3 days", "three days", "drei Tage", "trois jours", "3-day", "72 hours"),
        ("2 weeks", "14 Tage", "zwei Wochen"),
        ("1 year", "12 months", "12 Monate"),
        ("15%", "15 percent", "15 Prozent", "15 pour cent"),
        ("4 pounds 20", "£4.20", "GBP 4,20"),
        ("https://www.a.example/b/", "a.example/b", "http://a.example/b.", "https://a.example/b?utm_source=x"),
        ("17:30", "5:30 pm", "17h30", "17.30 Uhr"),
        ("5 May 2026", "2026-05-05", "May 5th, 2026", "5. Mai 2026", "05.05.2026", "5 de mayo de 2026"),
        ("Tuesdays", "dienstags", "martes"),
        ("jo@A.example", "JO@a.example"),
        ("+44 20 7946 0118", "020 7946 0118", "(020) 7946-0118"),
    ],
)
def test_what_means_the_same_is_the_same(ways):
    first, *others = map(values, ways)
    for way, other in zip(ways[1:], others, strict=True):
        assert first & other, (ways[0], first, way, other)


def test_a_number_that_means_two_things_is_known_by_either():
    assert marked("It costs 1.234 EUR.", agents=["That is 1234 EUR."]) == []
    assert marked("It costs 1.234 EUR.", agents=["That is 1,234 EUR."]) == []
    assert marked("It costs 1.234 EUR.", agents=["That is 1235 EUR."]) == ["1.234 EUR"]


def test_a_fact_of_one_training_answer_may_be_a_slip(index):
    once = FactIndex({"seconds:259200": 1}, 1)
    assert marked("It takes 3 days.", once) == ["3 days"]
    assert marked("It takes 3 days.", once, least=1) == []


def test_what_the_ticket_or_a_near_one_says_is_known():
    near = LookUp((LookedUpTicket("7", 0.6, ({"role": "assistant", "content": "It takes 9 days."},)),), 0.6, 0.2, 1)
    turns = [{"role": "user", "content": "Order 5260 for my Falcon?"}]
    answer = "Order 5260, your Falcon, takes nine days."
    assert count_inventions(answer, turns, near, NOTHING) == 0
    assert count_inventions(answer, turns, None, NOTHING) == 1
    assert count_inventions(answer, turns, None, NOTHING, reference="After 9 days.") == 0


def test_a_promise_that_only_the_customer_asks_for_is_an_invention():
    turns = [{"role": "user", "content": "I want a full refund within 9 days!"}]
    answer = "You will get a full refund within 9 days."
    assert [answer[f.start : f.end] for f in inventions(answer, *sides(turns, None), NOTHING)] == ["get a full refund"]
    assert marked("We cannot give you a full refund.") == []
    assert marked("A full refund is not possible, but we guarantee a reply.") == ["full refund", "we guarantee"]


def test_lists_placeholders_headings_and_greetings_are_no_facts():
    answer = (
        "1. Open the page\n2) Press [Your Name]\n\nStep 3: wait.\n\n## How To Reset Your Device\nDear [NAME_1], bye."
    )
    assert marked(answer) == []


def test_an_answer_without_facts_has_none():
    assert marked("") == [] and marked("\n\n") == [] and marked("Good, we look into it.") == []


def test_names_side_by_side_are_one_mark(index):
    assert marked("It comes with Falcon Air Cargo soon.", index) == ["Falcon Air Cargo"]


def test_in_german_a_capital_is_no_name_and_a_code_is():
    assert marked("Bitte drehen Sie den Schalter am Gehäuse und öffnen Sie die Klappe des GX-500.") == ["GX-500"]


def test_the_facts_are_read_once_and_again_when_the_tickets_change(index, tmp_path, monkeypatch):
    row = {
        "ticket": "1",
        "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "In 9 days."}],
    }
    train = tmp_path / "train.jsonl"
    train.write_text((json.dumps(row) + "\n") * 2)
    assert fact_index(tmp_path).count("seconds:777600") == 2
    assert (tmp_path / "facts.json").stat().st_mode & 0o777 == 0o600
    made = (tmp_path / "facts.json").stat().st_mtime_ns
    assert fact_index(tmp_path).answers == 2 and (tmp_path / "facts.json").stat().st_mtime_ns == made
    train.write_text((json.dumps(row) + "\n") * 3)
    assert fact_index(tmp_path).count("seconds:777600") == 3
    (tmp_path / "facts.json").write_text("{")
    assert fact_index(tmp_path).count("seconds:777600") == 3
