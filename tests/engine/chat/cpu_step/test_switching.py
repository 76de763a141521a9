"""Whose weights answer, when adapters come and go and several answers are written at a time."""

import gc
import threading
import weakref

import pytest
import torch

from engine.chat.adapters import AdapterBank
from engine.chat.cpu_step.machine import lanes_here
from engine.chat.cpu_step.step import MOST_ROWS, CpuStep
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from tests.engine.chat.lora import greedy_with_transformers, make_lora, with_peft

GREEDY = Sampling(temperature=0.0, max_new_tokens=24)

pytestmark = pytest.mark.skipif(lanes_here() is None, reason="no code can be made for this processor")


def said(bank, rows, sampling=GREEDY):
    *_, states = decode(bank, rows, sampling, frozenset(), 0)
    return [list(state.tokens) for state in states]


def test_an_adapter_that_takes_the_place_of_another_answers_with_its_own_weights(tiny_base, friendly, formal, prompt):
    bank = AdapterBank(tiny_base.copy(), slots=1)
    wanted = {
        each: greedy_with_transformers(with_peft(tiny_base, each), list(prompt), 24) for each in (friendly, formal)
    }
    for folder in (friendly, formal, friendly, formal):
        assert said(bank, [Row(prompt, bank.load(folder))]) == [wanted[folder]]
    assert bank.cpu_step.steps == 4 * 23


def test_answers_that_take_turns_token_by_token_keep_their_own_words(tiny_base, friendly, formal, prompt, long_prompt):
    bank = AdapterBank(tiny_base.copy())
    rows = [[Row(prompt, bank.load(friendly))], [Row(long_prompt, None)], [Row(prompt, bank.load(formal))]]
    wanted = [said(bank, each) for each in rows]
    streams = [decode(bank, each, GREEDY, frozenset(), 0) for each in rows]
    last = list(zip(*streams, strict=True))[-1]
    assert [[list(state.tokens) for state in states] for states in last] == wanted


def test_answers_of_several_threads_keep_their_own_words(tiny_base, friendly, formal, prompt, long_prompt):
    bank = AdapterBank(tiny_base.copy())
    rows = [
        [Row(prompt, bank.load(friendly))],
        [Row(long_prompt, None)],
        [Row(prompt, bank.load(formal)), Row(prompt, None)],
    ]
    wanted = [said(bank, each) for each in rows]
    found: dict[int, list] = {}
    barrier = threading.Barrier(len(rows))

    def ask(number):
        barrier.wait(30)
        found[number] = [said(bank, rows[number]) for _ in range(3)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == {number: [answer] * 3 for number, answer in enumerate(wanted)}


def test_an_answer_longer_than_the_room_for_it_goes_on(tiny_base, prompt):
    from engine.chat.cpu_step.growing_cache import GROWTH

    bank = AdapterBank(tiny_base.copy())
    found = said(bank, [Row(prompt, None)], Sampling(temperature=0.0, max_new_tokens=GROWTH + 40))
    assert found == [greedy_with_transformers(tiny_base.copy(), list(prompt), GROWTH + 40)]
    assert bank.cpu_step.steps == GROWTH + 39


def test_a_computer_that_no_code_can_be_made_for_answers_as_well(tiny_base, friendly, prompt, monkeypatch):
    monkeypatch.setattr("engine.chat.cpu_step.step.lanes_here", lambda: None)
    bank = AdapterBank(tiny_base.copy())
    assert said(bank, [Row(prompt, bank.load(friendly))]) == [
        greedy_with_transformers(with_peft(tiny_base, friendly), list(prompt), 24)
    ]
    assert bank.cpu_step.steps == 0


def test_a_first_step_that_differs_from_the_models_own_is_not_used(tiny_base, prompt):
    wanted = greedy_with_transformers(tiny_base.copy(), list(prompt), 24)
    damaged = AdapterBank(tiny_base.copy())
    step = damaged.cpu_step
    step._known_weights()["model.layers.0.self_attn.v_proj"].scales.mul_(3.0)
    step._known_weights()["model.layers.1.self_attn.k_proj"].scales.mul_(3.0)
    assert said(damaged, [Row(prompt, None)]) == [wanted]
    assert step.steps == 1


def test_more_rows_than_are_computed_at_a_time_say_what_they_say_alone(
    tiny_base, friendly, formal, prompt, long_prompt
):
    bank = AdapterBank(tiny_base.copy())
    names = [None, bank.load(friendly), bank.load(formal)]
    rows = [Row(text, name) for text in (prompt, long_prompt) for name in names]
    alone = [said(bank, [row])[0] for row in rows]
    steps = bank.cpu_step.steps
    assert said(bank, [*rows, *rows[:5]]) == [*alone, *alone[:5]]
    assert bank.cpu_step.steps == steps + 23


def test_more_rows_than_a_step_has_are_left_to_the_model(tiny_base):
    from transformers import DynamicCache

    bank = AdapterBank(tiny_base.copy())
    ones = torch.ones(MOST_ROWS + 1, 1, dtype=torch.int64)
    assert bank.step([None] * len(ones), DynamicCache(), ones, ones, ones) is None


def test_memory_that_is_given_back_between_two_tokens_is_made_anew(tiny_base, friendly, prompt):
    bank = AdapterBank(tiny_base.copy())
    rows = [Row(prompt, bank.load(friendly)), Row(prompt, None)]
    wanted = said(bank, rows)
    found = []
    for states in decode(bank, rows, GREEDY, frozenset(), 0):
        bank.make_room()
        found = [list(state.tokens) for state in states]
    assert found == wanted
    assert bank.cpu_step.steps == 2 * 23


def test_a_bank_says_what_it_holds_beside_the_base(tiny_base, friendly, prompt):
    bank = AdapterBank(tiny_base.copy())
    assert bank.bytes == 0
    name = bank.load(friendly)
    adapter = sum(pair.bytes for layer in bank._adapted.values() for pair in layer.slots.values())
    assert bank.bytes == adapter > 0
    said(bank, [Row(prompt, name)])
    packed = [layer for layer in bank._linear.values() if type(layer).__name__ == "Linear4bit"]
    scales = sum(4 * layer.in_features * layer.out_features // 64 for layer in packed)
    assert bank.bytes - adapter > scales + adapter // 2, "and a copy of the adapter, filled up"
    bank.make_room()
    assert adapter + scales < bank.bytes < 2 * adapter + scales


def test_an_adapter_whose_place_another_takes_leaves_no_copy(tiny_base, friendly, formal, prompt):
    bank = AdapterBank(tiny_base.copy(), slots=1)
    said(bank, [Row(prompt, bank.load(friendly))])
    copies = [weakref.ref(each._inner.values) for _, each in bank.cpu_step._programs[1]._groups if each._inner]
    assert copies
    bank.load(formal)
    gc.collect()
    assert not any(copy() for copy in copies)


def test_a_model_computed_in_another_type_is_left_to_itself(tiny_base, prompt):
    model = tiny_base.copy()
    bank = AdapterBank(model)
    bank.model.model.layers[0].self_attn.q_proj.weight.quant_state.blocksize = 128
    try:
        assert CpuStep(bank)._known_weights() == {}
    finally:
        bank.model.model.layers[0].self_attn.q_proj.weight.quant_state.blocksize = 64
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, vocab_size=40
    )
    half = AdapterBank(LlamaForCausalLM(config).to(torch.bfloat16))
    assert len(said(half, [Row((5, 6, 7), None)])[0]) == 24
    assert half.cpu_step.steps == 0


def test_an_adapter_with_a_rank_of_its_own_beside_others(tiny_base, friendly, prompt, tmp_path):
    wide = make_lora(tiny_base, tmp_path / "wide", seed=5, r=33, target_modules=["q_proj", "down_proj"])
    bank = AdapterBank(tiny_base.copy())
    rows = [Row(prompt, bank.load(wide)), Row(prompt, bank.load(friendly)), Row(prompt, bank.load(wide))]
    alone = [greedy_with_transformers(with_peft(tiny_base, each), list(prompt), 24) for each in (wide, friendly)]
    assert said(bank, rows) == [alone[0], alone[1], alone[0]]
    assert bank.cpu_step.steps == 23
