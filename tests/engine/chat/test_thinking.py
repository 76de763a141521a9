"""Models that think before they answer: not unless asked to, and told apart from the answer."""

import pytest

from engine.chat.answer_builder import AnswerBuilder, before_stop_word
from engine.chat.continuous_batch import RowState
from engine.model.chat_format import chat_format
from engine.reasoning import split_reasoning
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
