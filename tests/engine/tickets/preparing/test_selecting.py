from typing import Any

from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.duplicates import signature, words_of
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.selecting import CANNED, REPEATED, Canned, select


def facts(number: int, question: str, answer: str, **more: Any) -> Facts:
    every, answers = words_of([question, answer]), words_of([answer])
    base: dict[str, Any] = {
        "ticket": str(number),
        "stamp": float(number),
        "customer": "",
        "tags": (),
        "language": "en",
        "turns": 2,
        "question_chars": len(question),
        "answer_chars": (len(answer),),
        "words_key": " ".join(every).encode(),
        "question_key": question.encode(),
        "answers_key": " ".join(answers).encode(),
        "sketch": signature(every),
        "answer_sketch": signature(answers),
        "agents": ("9",),
        "topic_words": (),
    }
    return Facts(**{**base, **more})


TEMPLATE = "I bought it in the shop at the corner, it worked for a year, and since yesterday it does not any more."


def different(count: int, **more: Any) -> list[Facts]:
    return [
        facts(n, f"question {n} " + f"about{n} thing{n} " * 5, f"answer {n} " + f"do{n} this{n} " * 5, **more)
        for n in range(count)
    ]


def test_canned_answers_are_capped_and_the_newest_stay() -> None:
    entries = [facts(n, f"question {n} about{n} thing{n}", "Please turn it off and on again.") for n in range(30)]
    selection = select(entries, PrepareOptions(canned_cap=10, heldout=0), ids_are_unique=True)
    assert set(selection.dropped.values()) == {CANNED}
    assert sorted(selection.dropped) == list(range(20))
    assert selection.canned == [Canned(29, times=30, kept=10)]


def test_lightly_edited_copies_of_one_reply_are_canned() -> None:
    reply = "Please turn the lamp off, wait for ten seconds, turn it on again and write to us if it stays dark."
    entries = [facts(n, f"question {n}", f"{'Hello Ann' if n % 2 else 'Hi Bob'}. {reply}") for n in range(12)]
    (canned,) = select(entries, PrepareOptions(canned_cap=5), ids_are_unique=True).canned
    assert (canned.times, canned.kept) == (12, 5)


def test_one_answer_to_different_questions_stays_on_one_side() -> None:
    macro = "Thank you for writing, we have passed your request on to our colleagues in the workshop downstairs."
    entries = [
        facts(n, f"question {n} " + f"about{n} thing{n} " * 5, macro) if n % 20 == 19 else entry
        for n, entry in enumerate(different(100))
    ]
    selection = select(entries, PrepareOptions(heldout=0.1), ids_are_unique=True)
    assert len(selection.heldout) >= 8
    assert {19, 39, 59, 79, 99} <= selection.heldout or selection.heldout.isdisjoint({19, 39, 59, 79, 99})
    assert selection.shared_answers == 0


def test_answers_that_had_to_go_on_both_sides_are_counted() -> None:
    macro = "Thank you for writing, we have passed your request on to our colleagues in the workshop downstairs."
    entries = [facts(n, f"question {n} " + f"about{n} thing{n} " * 5, macro) for n in range(100)]
    selection = select(entries, PrepareOptions(heldout=0.1, canned_cap=1000), ids_are_unique=True)
    assert len(selection.heldout) == selection.shared_answers == 10
    assert not selection.loosened


def test_answers_that_differ_in_a_number_are_not_canned() -> None:
    entries = [facts(n, f"question {n}", f"Answer number {n} is this one here.") for n in range(30)]
    assert not select(entries, PrepareOptions(canned_cap=10), ids_are_unique=True).dropped


def test_the_longer_copy_of_a_ticket_stays() -> None:
    entries = [facts(1, "a", "b", turns=4), facts(1, "a", "c", turns=2), facts(2, "d", "e"), facts(2, "d", "f")]
    assert select(entries, PrepareOptions(heldout=0), ids_are_unique=True).dropped == {1: REPEATED, 2: REPEATED}
    assert not select(entries, PrepareOptions(heldout=0), ids_are_unique=False).dropped


def test_customers_and_near_copies_stay_on_one_side() -> None:
    entries = different(40)
    copy = facts(40, f"question 3 {'about3 thing3 ' * 5}", f"answer 3 {'do3 this3 ' * 5}")
    entries = [*entries[:5], facts(5, "unlike any other", "quite another thing", customer="c"), *entries[6:], copy]
    entries[39] = facts(39, "the newest of them", "an answer to the newest", customer="c")
    held = select(entries, PrepareOptions(heldout=0.1), ids_are_unique=True).heldout
    assert {3, 40} <= held and {5, 39} <= held
    assert len(held) == 4


def test_tickets_from_one_template_can_still_be_split() -> None:
    entries = [facts(n, f"How do I reset device {n}? {TEMPLATE}", f"Press button {n}. {TEMPLATE}") for n in range(60)]
    selection = select(entries, PrepareOptions(heldout=0.2), ids_are_unique=True)
    assert 10 <= len(selection.heldout) <= 14
    assert selection.loosened


def test_one_customer_for_all_can_still_be_split() -> None:
    selection = select(different(20, customer="same"), PrepareOptions(heldout=0.2), ids_are_unique=True)
    assert len(selection.heldout) == 4
    assert selection.loosened
