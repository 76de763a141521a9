"""What has been read is not read again, and answers are what they are without."""

import pytest
import torch

from engine.chat import prefill, prefix_cache
from engine.chat.adapters import AdapterBank
from engine.chat.continuous_batch import ContinuousBatch, Request
from engine.chat.decoding import Row
from engine.chat.records import Sampling
from tests.engine.chat.lora import greedy_with_transformers, make_lora, with_peft

GREEDY = Sampling(max_new_tokens=10)


def tokens(count: int, seed: int = 1) -> tuple[int, ...]:
    return tuple(torch.randint(5, 300, (count,), generator=torch.Generator().manual_seed(seed)).tolist())


@pytest.fixture
def read(bank):
    """The shapes of what the model reads, in order."""
    shapes: list[tuple[int, ...]] = []
    embedding = bank.model.get_input_embeddings()
    hook = embedding.register_forward_hook(lambda _, inputs, __: shapes.append(tuple(inputs[0].shape)))
    yield shapes
    hook.remove()


def asked(bank, rows, most=None, sampling=GREEDY) -> list[tuple[int, ...]]:
    requests = [Request(row, sampling, frozenset(), talks_on=True) for row in rows]
    batch = ContinuousBatch(bank, 0, most)
    batch.add(requests)
    while batch.advance():
        pass
    return [request.state.tokens for request in requests]


def test_the_second_turn_of_a_conversation_reads_only_what_is_new(tiny_base, bank, friendly, read):
    names = [None, bank.load(friendly)]
    first = [Row(tokens(40), name) for name in names]
    answers = asked(bank, first)
    assert read[0] == (2, 40)
    second = [Row((*row.prompt, *said, *tokens(12, 2)), row.adapter) for row, said in zip(first, answers, strict=True)]
    read.clear()
    found = asked(bank, second)
    assert read[0] == (2, 13), "the last token of an answer was never fed, and twelve are new"
    models = (tiny_base.copy(), with_peft(tiny_base, friendly))
    for model, row, said in zip(models, second, found, strict=True):
        assert list(said) == greedy_with_transformers(model, list(row.prompt), 10)


def test_voices_that_answered_at_different_lengths_read_on_together(bank, friendly, read):
    rows = [Row(tokens(40), None), Row(tokens(40), bank.load(friendly))]
    asked(bank, rows[:1], sampling=Sampling(max_new_tokens=4))
    asked(bank, rows[1:])
    longer = [Row((*row.prompt, *tokens(20, 5)), row.adapter) for row in rows]
    read.clear()
    together = asked(bank, longer)
    assert read[0] == (2, 20)
    bank.prefixes.forget()
    assert together == asked(bank, longer)


def test_what_one_adapter_has_read_is_nothing_to_another_or_to_the_same_one_written_anew(
    tiny_base, bank, friendly, tmp_path, read
):
    folder = make_lora(tiny_base, tmp_path / "again", seed=81)
    prompt = tokens(40)
    asked(bank, [Row(prompt, bank.load(folder))])
    make_lora(tiny_base, folder, seed=82)
    for name in (None, bank.load(friendly), bank.load(folder)):
        read.clear()
        said = asked(bank, [Row(prompt, name)])
        assert read[0] == (1, 40)
    assert list(said[0]) == greedy_with_transformers(with_peft(tiny_base, folder), list(prompt), 10)


def test_a_common_instruction_is_read_once_for_all(bank, read):
    instruction = tokens(48)
    rows = [Row((*instruction, *tokens(6 + n, 10 + n)), None) for n in range(5)]
    together = asked(bank, rows)
    assert read[:2] == [(1, 48), (1, 6 + 7 + 8 + 9 + 10)]
    bank.prefixes.forget()
    assert together == [asked(bank, [row])[0] for row in rows]


def test_long_prompts_are_read_in_pieces_and_answered_alike(bank, friendly, monkeypatch, read):
    rows = [Row(tokens(90), None), Row(tokens(83, 2), bank.load(friendly))]
    whole = asked(bank, rows)
    bank.prefixes.forget()
    monkeypatch.setattr(prefill, "PIECE", 64)
    read.clear()
    assert asked(bank, rows) == whole
    assert read[:4] == [(1, 64), (1, 26), (1, 64), (1, 19)]


def test_prompts_of_very_different_lengths_are_read_as_one_row(bank, friendly, read):
    rows = [Row(tokens(400), None), Row(tokens(6, 2), bank.load(friendly)), Row(tokens(8, 3), None)]
    together = asked(bank, rows)
    assert read[:2] == [(1, 414), (3, 1)], "no padding"
    bank.prefixes.forget()
    assert together == [asked(bank, [row])[0] for row in rows]


def test_a_stranger_reads_prompts_of_very_different_lengths_apart(bank, read):
    bank.model.config.model_type = "of no known family"
    rows = [Row(tokens(400), None), Row(tokens(6, 2), None), Row(tokens(8, 3), None)]
    together = asked(bank, rows)
    assert read[:2] == [(1, 400), (2, 8)]
    bank.prefixes.forget()
    assert together == [asked(bank, [row])[0] for row in rows]


@pytest.mark.parametrize("window", [8, 30, 200])
def test_a_sliding_window_forgets_what_it_should_and_no_more(window):
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(6)
    config = Gemma2Config(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, head_dim=8,
        num_key_value_heads=2, sliding_window=window, initializer_range=0.3,
    )  # fmt: skip
    bank = AdapterBank(Gemma2ForCausalLM(config))
    assert {layer.is_sliding for layer in prefill.new_cache(bank).layers} == {True, False}
    rows = [Row(tuple(token % 295 for token in tokens(length, length)), None) for length in (40, 12, 55)]
    answers = asked(bank, rows, most=2)
    second = [Row((*row.prompt, *said, 7, 8, 9), None) for row, said in zip(rows, answers, strict=True)]
    found = asked(bank, second, most=2)
    assert len(bank.prefixes) > 0
    for row, said in zip([*rows, *second], [*answers, *found], strict=True):
        assert list(said) == greedy_with_transformers(bank.model, list(row.prompt), 10)


def test_what_was_not_used_for_longest_goes_when_memory_is_full(bank, monkeypatch):
    one = 2 * 2 * 2 * 16 * 40 * 4  # keys and values, layers, heads, head_dim, tokens, bytes of a float
    cache = bank.prefixes = prefix_cache.PrefixCache(int(2.5 * one))
    rows = [Row(tokens(40, seed), None) for seed in (1, 2, 3)]
    once = Sampling(max_new_tokens=1)
    for row in rows[:2]:
        asked(bank, [row], sampling=once)
    assert cache.find(None, rows[0].prompt)[1] == 39, "used again, so that the other goes first"
    asked(bank, rows[2:], sampling=once)
    assert [cache.find(None, row.prompt)[1] for row in rows] == [39, 0, 39]


def test_a_run_that_needs_memory_gets_all_that_was_kept(bank):
    asked(bank, [Row(tokens(40), None)])
    assert len(bank.prefixes) == 1
    bank.make_room()
    assert len(bank.prefixes) == 0
