"""Which tickets are found, which never, and how near they are said to be."""

import json

import pytest

from engine.tickets.dataset.dataset import DataSet
from engine.tickets.lookup.building import build_index
from engine.tickets.lookup.index import open_index
from engine.tickets.lookup.question import asked, customers_in, of_ticket
from engine.tickets.lookup.ranking import NEAREST, near_enough, nearest
from tests.engine.tickets.lookup.shop import TALKS, prepared, ticket


def said(words):
    return asked([{"role": "user", "content": words}])


def tickets(found):
    return [near.entry.ticket for near in found]


def entry_of(folder, number):
    return next(row for row in DataSet(folder).conversations("train") if row.ticket == str(number))


def test_a_ticket_never_finds_itself(folder):
    index, customers = open_index(folder), customers_in(folder)
    for number in range(1, len(TALKS) + 1):
        entry = entry_of(folder, number)
        assert str(number) in tickets(
            nearest(index, asked([{"role": said.role, "content": said.content} for said in entry.messages]))
        )
        assert str(number) not in tickets(nearest(index, of_ticket(entry, customers), len(TALKS)))


def test_a_ticket_never_finds_one_that_says_nearly_the_same(tmp_path):
    asked_, told = "The kettle of my aunt drips from its spout every single day", TALKS[0][1] + " It lasts for years."
    more = (ticket(51, asked_, told), ticket(52, asked_ + " now", told))
    folder = prepared(tmp_path, *more)
    found = tickets(nearest(open_index(folder), of_ticket(entry_of(folder, 51), {}), 10))
    assert "52" not in found and "1" in found


def test_a_ticket_never_finds_another_one_of_its_customer(tmp_path):
    more = (ticket(51, "The kettle whistles too early", "Fill the kettle to the upper mark.", customer=7),)
    more += (ticket(52, "The kettle lost its handle", "A handle of the kettle costs 5.", customer=7),)
    folder = prepared(tmp_path, *more)
    index, entry = open_index(folder), entry_of(folder, 51)
    assert "52" in tickets(nearest(index, of_ticket(entry, {}), 10))
    found = tickets(nearest(index, of_ticket(entry, customers_in(folder)), 10))
    assert "52" not in found and "1" in found


def test_numbers_count_and_stop_words_do_not(folder):
    assert tickets(nearest(open_index(folder), said("what is it with the 31 days that you have?")))[0] == "3"
    assert nearest(open_index(folder), said("Hello, what is it that you have and where do they do this?")) == []


def test_all_that_the_customer_has_said_is_looked_up(folder):
    turns = [("user", "my curtains"), ("assistant", "Which showroom and which voucher?"), ("user", "how to wash them")]
    question = asked([{"role": role, "content": words} for role, words in turns])
    assert tickets(nearest(open_index(folder), question))[0] == "8"
    assert "7" not in tickets(nearest(open_index(folder), question))


def test_of_tickets_as_near_the_one_that_others_agree_with_comes_first(tmp_path):
    wrong = ticket(50, "kettle spout drips drips kettle", "Please paint the fence, and call the gardener.")
    more = [
        ticket(60 + n, f"{word} kettle has a spout that drips", "Descale the kettle with vinegar please.")
        for n, word in enumerate(("tin", "copper", "small", "garden", "office"))
    ]
    index = open_index(prepared(tmp_path, wrong, *more))
    assert tickets(nearest(index, said("kettle spout drips")))[0] != "50"


def test_a_nearness_lies_between_0_and_1_and_grows_with_what_is_shared(prepared_shop):
    index = open_index(prepared_shop)
    (little, *_), (more, *_) = (nearest(index, said(words)) for words in ("kettle moon", "kettle drips from the spout"))
    assert 0 < little.score < more.score < 1


def test_what_is_not_near_enough_is_not_looked_up(prepared_shop):
    index = open_index(prepared_shop)
    assert near_enough(index, said("A zebra crossing in the town of Ulm"))[0] == []
    index.threshold = 0.99
    found, best = near_enough(index, said("kettle drips"))
    assert found == [] and 0 < best < 0.99
    index.threshold = best
    assert len(near_enough(index, said("kettle drips"))[0]) <= NEAREST


@pytest.mark.parametrize(
    ("asked_", "told", "words"),
    [
        ("ランプの電球はどれですか", "ランプには四ワットの電球が合います。", "電球を教えて"),
        ("灯泡坏了怎么办", "请把灯泡寄回工厂。", "我的灯泡"),
        ("램프 전구를 바꾸고 싶어요", "전구는 가게에서 바꿔 드립니다.", "전구가 깨졌어요"),
        ("หลอดไฟเสียแล้ว", "ส่งหลอดไฟกลับมาได้เลย", "หลอดไฟแตก"),
    ],
)
def test_scripts_without_spaces_are_found_by_a_part_of_what_is_written(tmp_path, asked_, told, words):
    rows = [
        {"ticket": str(n), "messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}
        for n, (a, b) in enumerate([*TALKS, (asked_, told)], 1)
    ]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert tickets(nearest(build_index(tmp_path), said(words)))[0] == str(len(rows))


def test_the_threshold_is_chosen_on_held_out_tickets_that_were_helped(tmp_path, prepared_shop):
    kinds = [
        f"{colour} {thing}" for colour in ("red", "green", "white", "amber") for thing in ("stove", "tiles", "pond")
    ]
    more = [
        ticket(
            100 + 12 * copy + n, f"{how} about the {kind}?", f"Every {kind} takes {31 + n} days of patience from {n}."
        )
        for copy, how in enumerate(("What", "News", "Word", "Ask", "Hint"))
        for n, kind in enumerate(kinds)
    ]
    index = open_index(prepared(tmp_path, *more, heldout=0.2, split="random"))
    assert 0 < index.threshold < 1 and "held-out tickets" in index.why
    assert "the usual one" in open_index(prepared_shop).why
