"""Learning with look-up: which tickets stand before which conversation, and that nothing of them is learnt."""

import dataclasses
import json
from itertools import chain

import pytest

from engine.model.chat_format import chat_format
from engine.recipe import Recipe
from engine.tickets.conversation import Message
from engine.tickets.dataset.files import CUSTOMERS, HELDOUT, LOOKUP, TRAIN
from engine.tickets.dataset.stored import StoredConversation
from engine.training.data.examples import IGNORED, build_examples
from engine.training.data.learn_view import learn_view
from engine.training.data.looked_up import WITHOUT, with_lookup
from engine.training.data.token_counts import count_tokens
from engine.training.runs.directory import RunDirectory
from engine.training.trainer import TrainingData
from tests.tiny import CHATML, make_tokenizer

THINGS = ("kettle", "lamp", "carpet", "sofa", "desk", "curtain", "mirror", "clock", "vase", "stool")
TROUBLES = ("leaks", "squeaks", "fades", "wobbles", "rusts", "smells", "hums", "sticks", "tears", "blinks")
ONE_TEXT_AN_ANSWER = CHATML.replace(
    "message['content']", "(message['content'] if loop.last else message['content'] | upper)"
)


def row(number):
    thing, trouble = THINGS[number % 10], TROUBLES[number // 10]
    asked = Message("user", f"my {thing} {trouble} since {number} days")
    told = Message("assistant", f"a {thing} that {trouble} goes to bench {number % 7}")
    return StoredConversation(str(number), (asked, told), key=f"{number + 1:016x}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of 90 conversations to learn from and 10 held out; 0 and 10 are of one customer."""
    folder = tmp_path_factory.mktemp("set")
    (folder / TRAIN).write_bytes(b"".join(row(number).line() for number in range(90)))
    (folder / HELDOUT).write_bytes(b"".join(row(number).line() for number in range(90, 100)))
    (folder / CUSTOMERS).write_text(json.dumps({row(0).key: 1, row(10).key: 1}))
    return folder


@pytest.fixture(scope="module")
def chat():
    return chat_format(make_tokenizer())


@pytest.fixture(scope="module")
def data(folder):
    return TrainingData.load(folder, Recipe(lookup=True))


def shown(conversation):
    """The tickets before a conversation, by their questions."""
    return [ticket[0]["content"] for ticket in conversation.looked_up]


def test_most_conversations_get_three_tickets_and_a_third_none(data):
    counts = [len(shown(conversation)) for conversation in data.train]
    assert set(counts) == {0, 3}
    assert WITHOUT - 0.15 < counts.count(0) / len(counts) < WITHOUT + 0.15


def test_no_conversation_sees_itself_or_its_customers_other_one(folder):
    for seed in range(4):
        for conversation in with_lookup([row(number) for number in range(90)], folder, seed):
            assert conversation.messages[0].content not in shown(conversation)
        for number, other in ((0, 10), (10, 0)):
            (conversation,) = with_lookup([row(number)], folder, seed)
            assert row(other).messages[0].content not in shown(conversation)


def test_what_is_held_out_is_always_asked_with_the_nearest_and_never_seen(folder, data):
    held = {conversation.messages[0].content for conversation in data.heldout}
    assert all(len(shown(conversation)) == 3 for conversation in data.heldout)
    assert not held & set(chain.from_iterable(shown(one) for one in (*data.train, *data.heldout)))
    again = TrainingData.load(folder, Recipe(lookup=True, seed=7))
    assert [shown(one) for one in again.heldout] == [shown(one) for one in data.heldout]


def test_some_tickets_are_wrong(folder):
    """Far from the question in every word: such as look-up would never find."""
    far = 0
    for conversation in with_lookup([row(number) for number in range(90)], folder, 3):
        words = set(conversation.messages[0].content.split()) - {"my", "since", "days"}
        far += sum(not words & set(asked.split()) for asked in shown(conversation))
    assert 0 < far < 60


def test_the_seed_decides_and_the_order_does_not(folder, data):
    rows = [row(number) for number in range(90)]
    assert [shown(one) for one in with_lookup(rows, folder, 42)] == [shown(one) for one in data.train]
    assert [shown(one) for one in with_lookup(rows[::-1], folder, 42)][::-1] == [shown(one) for one in data.train]
    assert [shown(one) for one in with_lookup(rows, folder, 43)] != [shown(one) for one in data.train]


@pytest.mark.parametrize("template", [CHATML, ONE_TEXT_AN_ANSWER])
def test_what_is_learnt_is_what_is_learnt_without_and_nothing_of_the_tickets(data, template):
    chat, recipe = chat_format(make_tokenizer(template)), Recipe(lookup=True)
    conversation = next(one for one in data.train if shown(one))
    alone = build_examples([row(int(conversation.ticket))], chat, recipe).examples
    together = build_examples([conversation], chat, recipe).examples
    assert [[label for label in one.labels if label != IGNORED] for one in together] == [
        [label for label in one.labels if label != IGNORED] for one in alone
    ]
    assert all(len(one.input_ids) > len(other.input_ids) for one, other in zip(together, alone, strict=True))
    text = chat.tokenizer.decode(together[0].input_ids).lower()
    assert all(asked in text for asked in shown(conversation))
    assert text.index(shown(conversation)[0]) > text.index(shown(conversation)[-1])  # the nearest comes last


def test_the_prompt_of_an_answer_is_the_one_that_the_playground_asks_with(data, chat):
    conversation = next(one for one in data.train if shown(one))
    turns = [turn for ticket in reversed(conversation.looked_up) for turn in ticket]
    prompt = chat.prompt([*turns, conversation.turns[0]])
    (example,) = build_examples([conversation], chat, Recipe(lookup=True)).examples
    assert list(example.input_ids[: len(prompt)]) == prompt
    assert set(example.labels[: len(prompt)]) == {IGNORED}


def test_tickets_give_way_to_the_conversation_where_room_is_short(data, chat):
    conversation = next(one for one in data.train if shown(one))
    alone = row(int(conversation.ticket))
    (plain,) = build_examples([alone], chat, Recipe()).examples
    (whole,) = build_examples([conversation], chat, Recipe(lookup=True)).examples
    lengths = set()
    for limit in range(len(plain.input_ids), len(whole.input_ids) + 1):
        (example,) = build_examples([conversation], chat, Recipe(lookup=True, max_length=max(32, limit))).examples
        assert len(example.input_ids) <= max(32, limit) and example.learnt == plain.learnt and not example.cut
        lengths.add(len(example.input_ids))
    assert len(lengths) > 2 and min(lengths) == len(plain.input_ids)


def test_without_the_option_every_token_is_what_it_was(folder, data, chat):
    plain = TrainingData.load(folder, Recipe())
    assert plain.train == [row(number) for number in range(90)]
    without = [one for one in data.train if not shown(one)]
    rows = [row(int(one.ticket)) for one in without]
    assert build_examples(without, chat, Recipe(lookup=True)) == build_examples(rows, chat, Recipe())


def test_the_view_shows_the_tickets_apart_from_the_conversation(data, chat):
    conversation = next(one for one in data.train if shown(one))
    view = learn_view(conversation, chat, Recipe(lookup=True))
    (piece,) = (piece for piece in view.pieces if piece.part == "lookup")
    assert all(asked in piece.text for asked in shown(conversation))
    own = conversation.messages[0].content
    assert own not in piece.text
    assert own in "".join(piece.text for piece in view.pieces if piece.part == "context")
    (example,) = build_examples([conversation], chat, Recipe(lookup=True)).examples
    assert sum(piece.tokens for piece in view.pieces) == len(example.input_ids)


def test_the_counts_count_the_tickets(data, chat):
    plain = count_tokens([row(number) for number in range(90)], chat, Recipe())
    counts = count_tokens(data.train, chat, Recipe(lookup=True))
    assert counts.learnt == plain.learnt and counts.end == plain.end
    assert 2 * plain.context < counts.context and sum(counts.lengths) == counts.context + counts.learnt + counts.end
    assert counts.context_only == 0


def test_a_run_takes_the_index_along_and_need_not_make_it_again(folder, tmp_path):
    from engine.tickets.lookup.building import build_index
    from engine.tickets.lookup.index import open_index

    build_index(folder)
    run = RunDirectory.create_at(tmp_path / "run", dataclasses.replace(Recipe(), lookup=True), folder, "run")
    try:
        assert open_index(run.data) is not None
        assert (run.data / LOOKUP).read_bytes() == (folder / LOOKUP).read_bytes()
        assert (run.data / CUSTOMERS).exists() and run.recipe.lookup
    finally:
        run.release()
