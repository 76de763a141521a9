"""How likely the model thought its tokens: exact, of the very text that is shown, and nothing for who does not ask."""

import dataclasses
import math

import pytest
import torch

from engine.chat.decoding import Row, decode
from engine.chat.playground import Sampling, answer
from engine.chat.records import TokenChance
from engine.chat.scored_text import ScoredText, token_bytes
from tests.engine.chat.lora import with_peft
from tests.engine.chat.test_many import QUESTIONS
from tests.engine.chat.test_playground import ASK, BASE, StopsAt, final, tuned
from tests.tiny import make_tokenizer

TOLD = Sampling(max_new_tokens=10, logprobs=3)


def by_transformers(model, prompt, ids):
    """What a plain pass over question and answer says of each token of the answer; shape (answer, vocabulary)."""
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1]
    return logits.float().log_softmax(-1)


@pytest.mark.parametrize("sampling", [TOLD, dataclasses.replace(TOLD, temperature=1.3, top_p=0.8, seed=5)])
def test_they_are_the_models_own_for_each_row_of_a_batch_whatever_alters_the_draw(tiny_base, bank, friendly, sampling):
    prompts = [tuple(tiny_base.chat.prompt(question)) for question in QUESTIONS[:2]]
    models = [tiny_base.copy(), with_peft(tiny_base, friendly)]
    with bank.acquire([None, friendly]) as names:
        rows = [Row(prompt, name) for prompt, name in zip(prompts, names, strict=True)]
        *_, states = decode(bank, rows, sampling, frozenset(), 0)
    for prompt, model, state in zip(prompts, models, states, strict=True):
        expected = by_transformers(model, prompt, state.tokens)
        assert [chance.token for chance in state.chances] == list(state.tokens)
        assert len(state.chances) == 10
        for chance, row in zip(state.chances, expected, strict=True):
            assert chance.logprob == pytest.approx(float(row[chance.token]), abs=2e-3)
            assert [logprob for _, logprob in chance.likeliest] == pytest.approx(row.topk(3).values.tolist(), abs=2e-3)


def test_the_tokens_together_are_the_text(tiny_base, friendly):
    said = final(StopsAt(tiny_base), [tuned(friendly)], sampling=TOLD).answers[0]
    assert len(said.scored) == said.tokens == 10
    assert written(said) == said.text


def written(said):
    """The text that the scored tokens of an answer make."""
    return b"".join(scored.said.raw for scored in said.scored).decode("utf-8", "replace")


def test_who_does_not_ask_is_told_nothing_and_says_the_same(tiny_base):
    endless = StopsAt(tiny_base)
    plain, told = (
        final(endless, [BASE], sampling=dataclasses.replace(TOLD, logprobs=None)),
        final(endless, [BASE], sampling=TOLD),
    )
    assert plain.answers[0].scored == ()
    assert plain.answers[0].text == told.answers[0].text


def test_those_of_a_cut_answer_end_where_its_text_ends(tiny_base):
    endless = StopsAt(tiny_base)
    whole = final(endless, [BASE], sampling=TOLD).answers[0]
    word = whole.text[4:7]
    *frames, last = list(answer(endless, [BASE], [ASK], dataclasses.replace(TOLD, stop_words=(word,))))
    cut = last.answers[0]
    assert cut.stopped_by == "stop word"
    assert 0 < len(cut.scored) < len(whole.scored)
    assert cut.scored == whole.scored[: len(cut.scored)]
    for said in (frame.answers[0] for frame in frames if not frame.answers[0].done):
        assert said.text.startswith(written(said).rstrip("�")), "what is not shown is not scored"


def test_a_character_of_several_tokens_is_told_byte_by_byte():
    tokenizer = make_tokenizer()
    ids = tokenizer("aé€")["input_ids"]
    assert b"".join(token_bytes(tokenizer, token) for token in ids) == "aé€".encode()
    scored = ScoredText(tokenizer)
    chances = tuple(TokenChance(token, math.log(0.5)) for token in ids)
    first = scored.update(chances[:2], 0, 1, done=False)
    assert next(one.said.raw for one in first) == b"a"
    assert b"".join(one.said.raw for one in scored.update(chances, 0, 3, done=True)) == "aé€".encode()


def test_what_was_thought_before_an_answer_is_not_scored():
    tokenizer = make_tokenizer()
    ids = tokenizer("thought hello")["input_ids"]
    scored = ScoredText(tokenizer).update(tuple(TokenChance(token, -1.0) for token in ids), 8, 13, done=True)
    assert b"".join(one.said.raw for one in scored) == b"hello"


def test_sentencepiece_tokens_are_spaces_and_odd_bytes():
    class Pieces:
        all_special_ids, added_tokens_decoder = (), ()
        backend_tokenizer = type("Backend", (), {"decoder": None})

        def convert_ids_to_tokens(self, token):
            return ["▁hello", "<0xE2>", None][token]

    assert [token_bytes(Pieces(), token) for token in range(3)] == [b" hello", b"\xe2", b""]


def test_a_text_is_continued_as_it_stands(tiny_base):
    endless = StopsAt(tiny_base)
    text = "the return window is"
    [said] = final(endless, [BASE], [text], TOLD).answers
    ids = tiny_base.chat.tokenizer(text)["input_ids"]
    assert said.prompt_tokens == len(ids)
    with torch.no_grad():
        first = int(tiny_base.copy()(torch.tensor([ids])).logits[0, -1].argmax())
    assert said.scored[0].said.raw == token_bytes(tiny_base.chat.tokenizer, first)


def test_the_tokens_that_were_read_are_counted(tiny_base):
    assert final(tiny_base, [BASE]).answers[0].prompt_tokens == len(tiny_base.chat.prompt(ASK))
