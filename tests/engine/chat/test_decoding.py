import threading

import pytest
import torch

from engine.chat.adapters import AdapterBank
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from tests.engine.chat.lora import greedy_with_transformers, with_peft

GREEDY = Sampling(temperature=0.0, max_new_tokens=24)


def last(frames) -> tuple:
    *_, states = frames
    return states


def tokens(bank, rows, sampling=GREEDY, stop=frozenset()) -> list[tuple[int, ...]]:
    return [state.tokens for state in last(decode(bank, rows, sampling, stop, 0))]


def rows_of(bank, prompt, *folders) -> list[Row]:
    return [Row(prompt, bank.load(folder) if folder else None) for folder in folders]


def test_voices_in_one_batch_say_what_transformers_and_peft_say_alone(tiny_base, bank, friendly, formal, prompt):
    together = tokens(bank, rows_of(bank, prompt, None, friendly, formal))
    models = (tiny_base.copy(), with_peft(tiny_base, friendly), with_peft(tiny_base, formal))
    assert [list(said) for said in together] == [greedy_with_transformers(model, list(prompt), 24) for model in models]
    assert len(set(together)) == 3


def test_voices_in_one_batch_say_what_peft_says_after_set_adapter(tiny_base, bank, friendly, formal, prompt):
    together = tokens(bank, rows_of(bank, prompt, friendly, formal))
    model = with_peft(tiny_base, friendly)
    model.load_adapter(formal, "formal")
    first = greedy_with_transformers(model, list(prompt), 24)
    model.set_adapter("formal", inference_mode=True)
    assert [list(said) for said in together] == [first, greedy_with_transformers(model, list(prompt), 24)]


def test_voices_in_one_batch_say_what_they_say_apart(bank, friendly, formal, prompt):
    rows = rows_of(bank, prompt, None, friendly, formal)
    assert tokens(bank, rows) == [tokens(bank, [row])[0] for row in rows]


def test_prompts_of_different_lengths_do_not_disturb_each_other(tiny_base, bank, friendly, prompt, long_prompt):
    assert len(long_prompt) > len(prompt) + 20
    rows = [*rows_of(bank, prompt, None, friendly), *rows_of(bank, long_prompt, friendly, None), Row((30,), None)]
    together = tokens(bank, rows)
    assert together == [tokens(bank, [row])[0] for row in rows]
    assert list(together[1]) == greedy_with_transformers(with_peft(tiny_base, friendly), list(prompt), 24)
    assert list(together[3]) == greedy_with_transformers(tiny_base.copy(), list(long_prompt), 24)


def test_padding_does_not_shift_the_positions_of_a_model_that_counts_them():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(2)
    config = GPT2Config(vocab_size=60, n_positions=64, n_embd=32, n_layer=2, n_head=2, initializer_range=0.4)
    bank = AdapterBank(GPT2LMHeadModel(config))
    rows = [Row((5, 6, 7), None), Row(tuple(range(8, 38)), None)]
    assert tokens(bank, rows) == [tokens(bank, [row])[0] for row in rows]
    assert [list(said) for said in tokens(bank, rows)] == [
        greedy_with_transformers(bank.model, list(row.prompt), 24) for row in rows
    ]


def test_sampled_answers_do_not_depend_on_the_other_voices(bank, friendly, formal, prompt, long_prompt):
    sampling = Sampling(temperature=0.9, top_p=0.95, max_new_tokens=20, seed=11)
    rows = [*rows_of(bank, prompt, None, friendly), *rows_of(bank, long_prompt, formal)]
    together = tokens(bank, rows, sampling)
    assert together == tokens(bank, rows, sampling)
    assert together == [tokens(bank, [row], sampling)[0] for row in rows]
    other = Sampling(temperature=0.9, top_p=0.95, max_new_tokens=20, seed=12)
    assert tokens(bank, rows, other) != together


def test_decoding_leaves_the_global_random_state_alone(bank, friendly, prompt):
    rows = rows_of(bank, prompt, None, friendly)
    torch.manual_seed(9)
    before = torch.get_rng_state()
    tokens(bank, rows, Sampling(temperature=1.0, max_new_tokens=8))
    assert torch.equal(torch.get_rng_state(), before)


def test_answer_ends_at_the_end_of_turn_and_the_others_go_on(tiny_base, bank, friendly, prompt):
    rows = rows_of(bank, prompt, None, friendly)
    free = tokens(bank, rows)
    stop = next(token for token in free[1] if token not in free[0])
    base, tuned = last(decode(bank, rows, GREEDY, {stop}, 0))
    assert tuned.tokens == free[1][: free[1].index(stop)]
    assert (tuned.done, tuned.stopped_by) == (True, "end")
    assert (base.tokens, base.stopped_by) == (free[0], "length")
    told = greedy_with_transformers(with_peft(tiny_base, friendly), list(prompt), 24, [stop])
    assert [*tuned.tokens, stop] == told


def test_every_step_adds_one_token_to_each_open_row(bank, prompt):
    states = list(decode(bank, [Row(prompt, None)], Sampling(0.0, max_new_tokens=5), frozenset(), 0))
    assert [len(state.tokens) for (state,) in states] == [1, 2, 3, 4, 5]
    assert [state.done for (state,) in states] == [False] * 4 + [True]


def test_decoding_ends_with_the_last_open_row(bank, friendly, prompt):
    rows = rows_of(bank, prompt, None, friendly)
    free = tokens(bank, rows)
    steps = list(decode(bank, rows, GREEDY, {free[0][3], free[1][5]}, 0))
    assert len(steps) <= 6
    assert all(state.stopped_by == "end" for state in steps[-1])


def test_cancelled_answer_keeps_what_was_said_and_the_next_one_is_right(bank, friendly, prompt):
    rows = rows_of(bank, prompt, None, friendly)
    whole = tokens(bank, rows)
    stop = threading.Event()
    frames = []
    for states in decode(bank, rows, GREEDY, frozenset(), 0, stop.is_set):
        frames.append(states)
        if len(states[0].tokens) == 3:
            stop.set()
    assert [state.tokens for state in frames[-1]] == [said[:3] for said in whole]
    assert [state.stopped_by for state in frames[-1]] == ["cancelled", "cancelled"]
    assert len(frames) == 4
    assert tokens(bank, rows) == whole


def test_answer_that_nobody_listens_to_any_more_leaves_nothing_behind(bank, friendly, formal, prompt):
    whole = tokens(bank, rows_of(bank, prompt, None, friendly))
    abandoned = decode(bank, rows_of(bank, prompt, formal, friendly), GREEDY, frozenset(), 0)
    next(abandoned)
    assert torch.is_grad_enabled()
    abandoned.close()
    assert tokens(bank, rows_of(bank, prompt, None, friendly)) == whole


def test_batch_needs_rows_and_prompts(bank):
    for rows in ([], [Row((), None)]):
        with pytest.raises(ValueError, match="at least one row"):
            next(decode(bank, rows, GREEDY, frozenset(), 0))
