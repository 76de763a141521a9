from itertools import pairwise

import pytest

from engine.chat.text import TextStream

TEXTS = [
    "hello dear customer",
    "Grüße aus Köln, 41 €",
    "日本語のテキスト",
    "🎁👩‍👩‍👧 🇩🇪!",
    " leading and trailing \n\n",
    "a\ufffdb",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_grows_by_whole_characters_and_ends_complete(tiny_base, text):
    tokenizer = tiny_base.chat.tokenizer
    tokens = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
    stream = TextStream(tokenizer)
    shown = [stream.update(tokens[:count]) for count in range(1, len(tokens) + 1)]
    for earlier, later in pairwise(shown):
        assert later.startswith(earlier)
    assert all(text.startswith(part) for part in shown)
    assert stream.finish() == text


def test_characters_of_several_tokens_are_held_back_until_they_are_whole(tiny_base):
    tokenizer = tiny_base.chat.tokenizer
    tokens = tuple(tokenizer("a🎁", add_special_tokens=False)["input_ids"])
    stream = TextStream(tokenizer)
    assert len(tokens) == 5
    assert [stream.update(tokens[:count]) for count in range(1, 6)] == ["a", "a", "a", "a", "a🎁"]


def test_answer_cut_within_a_character_shows_that(tiny_base):
    tokenizer = tiny_base.chat.tokenizer
    tokens = tuple(tokenizer("a🎁", add_special_tokens=False)["input_ids"])[:3]
    stream = TextStream(tokenizer)
    assert stream.update(tokens) == ""
    assert stream.finish() == "a\ufffd"


def test_special_tokens_are_not_shown(tiny_base):
    tokenizer = tiny_base.chat.tokenizer
    tokens = (*tokenizer("hello", add_special_tokens=False)["input_ids"], tokenizer.pad_token_id)
    assert TextStream(tokenizer).update(tuple(tokens)) == "hello"
