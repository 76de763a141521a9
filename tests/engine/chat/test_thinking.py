"""Models that think before they answer: not unless asked to, and told apart from the answer."""

from dataclasses import replace

import pytest

from engine.chat.answer_builder import AnswerBuilder, before_stop_word
from engine.chat.continuous_batch import RowState
from engine.chat.decoding import Request, Row, SharedBatch
from engine.chat.records import Sampling
from engine.chat.thought import ThoughtLimit, thought_limit
from engine.model.chat_format import chat_format
from engine.reasoning import split_reasoning
from tests.engine.chat.lora import greedy_with_transformers, with_peft
from tests.engine.training.families import DEEPSEEK_R1, QWEN3, SMOLLM2
from tests.tiny import make_tokenizer

ASK = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("text", "begun", "split"),
    [
        ("Hello.", False, ("", "Hello.")),
        ("  Hello <think> about it.", False, ("", "  Hello <think> about it.")),
        ("<think>\nHm.", False, ("Hm.", "")),
        ("<think>\nHm.\n</think>\n\nHello.", False, ("Hm.", "Hello.")),
        ("\n<think>\n\n</think>\n\nHello.", False, ("", "Hello.")),
        ("Hm, well", True, ("Hm, well", "")),
        ("Hm.\n</think>\n\nHello.", True, ("Hm.", "Hello.")),
        ("[THINK]Hm.[/THINK]Hello.", False, ("Hm.", "Hello.")),
        ("", True, ("", "")),
    ],
)
def test_thoughts_are_told_from_the_answer_while_it_is_written(text, begun, split):
    assert split_reasoning(text, begun=begun) == split


def test_qwen3_thinks_only_where_it_is_asked_to():
    made = chat_format(make_tokenizer(QWEN3))
    assert made.thinks
    assert made.render(ASK, ask=True).endswith("assistant\n<think>\n\n</think>\n\n")
    assert made.render(ASK, ask=True, thinking=True).endswith("assistant\n")
    assert made.prompt(ASK, thinking=True) == made.encode(made.render(ASK, ask=True, thinking=True))


def test_a_thought_that_the_prompt_opens_is_closed_unless_it_is_asked_for():
    made = chat_format(make_tokenizer(DEEPSEEK_R1))
    assert made.thinks
    assert made.closes_thought
    assert made.render(ASK, ask=True).endswith("<think>\n\n</think>\n\n")
    assert made.render(ASK, ask=True, thinking=True).endswith("<think>\n")


def test_a_model_that_knows_no_thoughts_is_asked_as_always():
    made = chat_format(make_tokenizer(SMOLLM2))
    assert not made.thinks
    assert made.render(ASK, ask=True, thinking=True) == made.render(ASK, ask=True)


def test_thoughts_of_an_answer_grow_apart_from_its_text():
    tokenizer = make_tokenizer()
    ids = tuple(tokenizer("<think>return window</think>hello dear", add_special_tokens=False)["input_ids"])
    builder = AnswerBuilder(["base"], tokenizer)
    shown = []
    for length in range(1, len(ids) + 1):
        builder.update([RowState(ids[:length], length == len(ids), "end" if length == len(ids) else None)])
        shown.append((builder.answers[0].thoughts, builder.answers[0].text))
    assert shown[-1] == ("return window", "hello dear")
    assert any(thoughts and not text for thoughts, text in shown)
    assert builder.frame("Writing").stage == ""


LIMIT = ThoughtLimit(4, begin=7, end=8, closing=(3, 8))


@pytest.mark.parametrize(
    ("tokens", "forced", "answered"),
    [
        ((), None, 0),
        ((7, 1, 1), None, 0),
        ((7, 1, 1, 1), 3, 0),
        ((7, 1, 1, 3), 3, 0),
        ((7, 1, 1, 1, 3), 8, 0),
        ((7, 1, 1, 1, 3, 8), None, 0),
        ((7, 1, 1, 1, 3, 8, 5, 5), None, 2),
        ((7, 1, 8, 5, 5, 5), None, 3),
        ((1, 7, 1, 1), 3, 0),
        ((1, 1, 1, 1, 1), None, 5),
    ],
)
def test_a_thought_that_takes_too_long_is_closed_and_counts_for_no_answer(tokens, forced, answered):
    assert (LIMIT.forced(tokens), LIMIT.answered(tokens)) == (forced, answered)


def test_a_thought_gives_way_where_there_is_no_room_for_both():
    assert LIMIT.longest == 6
    assert [LIMIT.within(room, answer=10).budget for room in (100, 16, 15, 12, 3)] == [4, 4, 3, 0, 0]
    at_once = replace(LIMIT, budget=0, begin=None)
    assert at_once.forced(()) == 3 and at_once.forced((3,)) == 8 and at_once.forced((3, 8)) is None


def test_a_model_answers_from_what_it_has_thought_when_its_tokens_for_it_are_used_up(bank, friendly, tiny_base, prompt):
    """Whatever stands beside it in the batch, and thinks or not."""
    free = greedy_with_transformers(with_peft(tiny_base, friendly), list(prompt), 12)
    end, line = (token for token in range(300, 302))
    assert not {end, line} & set(free)
    limit, how = ThoughtLimit(5, None, end, (line, end)), Sampling(temperature=0.0, max_new_tokens=6)
    requests = [
        Request(Row(prompt, bank.load(friendly)), how, frozenset(), thought=thought) for thought in (limit, None)
    ]
    *_, states = SharedBatch(bank, 0).answer(requests)
    thinking, plain = (list(state.tokens) for state in states)
    assert plain == free[:6]
    thought = [*free[:5], line, end]
    assert thinking[:7] == thought
    assert thinking[7:] == greedy_with_transformers(with_peft(tiny_base, friendly), [*prompt, *thought], 6)
    assert [state.stopped_by for state in states] == ["length", "length"]


@pytest.mark.parametrize(("template", "begun"), [(QWEN3, False), (DEEPSEEK_R1, True)])
def test_the_tags_of_a_thought_are_those_of_the_template(template, begun):
    tokenizer = make_tokenizer(template)
    assert thought_limit(chat_format(tokenizer), 9) is None, "letters, which cannot be counted on"
    tokenizer.add_tokens(["<think>", "</think>"])
    begin, end = tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    found = thought_limit(chat_format(tokenizer), 9)
    assert found == ThoughtLimit(9, None if begun else begin, end, (*tokenizer("\n")["input_ids"], end))


def test_a_model_that_knows_no_thoughts_has_no_limit_of_them():
    assert thought_limit(chat_format(make_tokenizer(SMOLLM2)), 9) is None


@pytest.mark.parametrize(
    ("text", "done", "shown"),
    [
        ("Kind reg", False, ("Kind ", False)),
        ("Kind reg", True, ("Kind reg", False)),
        ("Kind regards, Ann", False, ("Kind ", True)),
        ("Kind regret", False, ("Kind regret", False)),
        ("a\n\nb", False, ("a", True)),
        ("a\n", False, ("a", False)),
    ],
)
def test_a_text_is_shown_up_to_what_may_become_a_stop_word(text, done, shown):
    assert before_stop_word(text, ("regards", "\n\n"), done=done) == shown
