"""Rows that join and leave: every answer is what its voice says alone."""

import pytest
import torch

from engine.chat.adapters import AdapterBank
from engine.chat.batch import MOST_ROWS, DecodingBatch, most_rows
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from engine.model.streaming.layer_stream import stream_of
from tests.engine.chat.lora import greedy_with_transformers, make_lora, with_peft


def prompts(count: int) -> list[tuple[int, ...]]:
    chance = torch.Generator().manual_seed(3)
    return [tuple(torch.randint(5, 300, (4 + 7 * (n % 5),), generator=chance).tolist()) for n in range(count)]


def spoken(bank, rows, sampling, stop=frozenset(), most=None) -> list[tuple[int, ...]]:
    *_, states = decode(bank, rows, sampling, stop, 0, most=most)
    return [state.tokens for state in states]


@pytest.fixture
def questions(bank, friendly, formal) -> list[Row]:
    names = [None, bank.load(friendly), bank.load(formal)]
    return [Row(prompt, names[number % 3]) for number, prompt in enumerate(prompts(9))]


@pytest.mark.parametrize("most", [1, 2, 4, 9])
def test_who_waits_takes_a_place_that_is_free_and_says_what_it_says_alone(tiny_base, bank, friendly, questions, most):
    greedy = Sampling(max_new_tokens=14)
    free = [spoken(bank, [row], greedy)[0] for row in questions]
    stop = {free[0][3], free[4][6], free[7][1]}
    wanted = [spoken(bank, [row], greedy, stop)[0] for row in questions]
    assert len({len(said) for said in wanted}) > 2, "they end at different times"
    assert spoken(bank, questions, greedy, stop, most) == wanted
    told = greedy_with_transformers(with_peft(tiny_base, friendly), list(questions[1].prompt), 14)
    assert list(free[1]) == told


def test_a_seed_repeats_an_answer_whenever_it_joins(bank, questions):
    drawn = Sampling(temperature=1.0, top_p=0.95, max_new_tokens=12, seed=5)
    wanted = [spoken(bank, [row], drawn)[0] for row in questions]
    assert spoken(bank, questions, drawn, most=2) == wanted
    assert spoken(bank, questions[::-1], drawn, most=3) == wanted[::-1]


def test_no_more_rows_are_answered_at_a_time_than_there_is_room_for(bank, questions):
    open_rows = [
        sum(bool(state.tokens) and not state.done for state in states)
        for states in decode(bank, questions, Sampling(max_new_tokens=5), frozenset(), 0, most=2)
    ]
    assert max(open_rows) == 2


def test_rows_that_have_left_leave_no_columns_behind(bank, questions):
    batch = DecodingBatch(bank, 0, 9)
    long, short = max(questions, key=lambda row: len(row.prompt)), min(questions, key=lambda row: len(row.prompt))
    batch.prefill([long, short])
    batch.step([7, 8])
    batch.remove([0])
    assert batch._rows is not None
    assert batch._rows.columns == len(short.prompt) + 1
    wide = batch.prefill([long])
    assert torch.allclose(wide, DecodingBatch(bank, 0, 1).prefill([long]), atol=1e-4)
    alone = DecodingBatch(bank, 0, 1)
    alone.prefill([short])
    alone.step([8])
    assert torch.allclose(batch.step([9, 9])[0], alone.step([9])[0], atol=1e-4)


def test_a_model_whose_state_rows_cannot_join_answers_in_turn():
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(4)
    config = Lfm2Config(
        vocab_size=60, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, layer_types=["conv", "full_attention"], initializer_range=0.3,
    )  # fmt: skip
    bank = AdapterBank(Lfm2ForCausalLM(config))
    rows = [Row(prompt, None) for prompt in ((5, 6, 7), (9, 10, 11), (12, 13, 14))]
    greedy = Sampling(max_new_tokens=6)
    free = [spoken(bank, [row], greedy)[0] for row in rows]
    assert len(set(free)) == 3
    stop = free[0][2]
    wanted = [said[: said.index(stop)] if stop in said else said for said in free]
    assert spoken(bank, rows, greedy, {stop}, most=2) == wanted
    assert spoken(bank, rows, greedy, {stop}) == wanted


def test_a_streamed_base_says_what_the_whole_one_says_and_shares_its_sweeps_among_many(
    packed_base, streamed_base, tmp_path
):
    adapter, asked = make_lora(packed_base, tmp_path / "adapter", 1), prompts(3)
    said = []
    for base in (packed_base, streamed_base):
        bank = AdapterBank(base.copy())
        name = bank.load(adapter)
        rows = [Row(prompt, voice) for prompt in asked for voice in (None, name)]
        said.append(spoken(bank, rows, Sampling(temperature=0.0, max_new_tokens=6)))
    assert said[1] == said[0]
    assert most_rows(AdapterBank(streamed_base.copy()), 40) > most_rows(AdapterBank(packed_base.copy()), 40)


def test_more_rows_than_pay_elsewhere_share_each_sweep_of_a_streamed_base(streamed_base):
    fetched, many = [], 2 * MOST_ROWS + 1
    for count in (1, many):
        bank = AdapterBank(streamed_base.copy())
        bank.cpu_step.refuse("a GPU has no such step")
        before = stream_of(bank.model).fetches
        rows = [Row((5, 6, 7, 10 + number), None) for number in range(count)]
        assert len(spoken(bank, rows, Sampling(temperature=0.0, max_new_tokens=4))) == count
        fetched.append(stream_of(bank.model).fetches - before)
    assert fetched[1] == fetched[0]
