"""Steps on the processor say what transformers and peft say, for every family, on every kind of processor."""

from dataclasses import replace

import pytest
import torch

from engine.chat.adapters import AdapterBank
from engine.chat.cpu_step.machine import lanes_here
from engine.chat.cpu_step.step import CpuStep
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from tests.engine.chat.cpu_step.families import FAMILIES, Base, packed_model
from tests.engine.chat.lora import greedy_with_transformers, make_lora, with_peft

GREEDY = Sampling(temperature=0.0, max_new_tokens=20)
PROMPT = tuple(range(5, 15))
LONG = tuple(range(7, 37))

pytestmark = pytest.mark.skipif(lanes_here() is None, reason="no code can be made for this processor")


def lanes() -> list[int]:
    return [lane for lane in (8, 16) if lane <= (lanes_here() or 0)]


@pytest.fixture(scope="module", params=FAMILIES)
def base(request, tmp_path_factory):
    return Base(packed_model(request.param, tmp_path_factory.mktemp("family") / request.param))


@pytest.fixture(scope="module")
def adapters(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    linear = "all-linear"
    return [
        make_lora(base, folder / "one", seed=1, r=8, target_modules=linear),
        make_lora(base, folder / "two", seed=2, r=20, target_modules=["down_proj", "o_proj"]),
    ]


def said(bank, rows, sampling=GREEDY):
    *_, states = decode(bank, rows, sampling, frozenset(), 0)
    return [list(state.tokens) for state in states]


def test_base_and_adapters_side_by_side_say_what_transformers_and_peft_say_alone(base, adapters):
    bank = AdapterBank(base.copy())
    wanted = {
        prompt: [
            greedy_with_transformers(model, list(prompt), 20)
            for model in (base.copy(), *(with_peft(base, each) for each in adapters))
        ]
        for prompt in (PROMPT, LONG)
    }
    for lane in lanes():
        bank.cpu_step = CpuStep(bank, lane)
        names = [None, *map(bank.load, adapters)]
        assert said(bank, [Row(PROMPT, name) for name in names]) == wanted[PROMPT]
        assert said(bank, [Row(prompt, name) for prompt in wanted for name in names]) == [
            *wanted[PROMPT],
            *wanted[LONG],
        ]
        assert bank.cpu_step.steps == 2 * 19
    assert len({tuple(each) for each in wanted[PROMPT]}) == 3


@pytest.fixture
def another_default():
    """What transformers sets for all threads of the process while it makes a model of 16-bit numbers."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    yield
    torch.set_default_dtype(before)


def test_a_model_that_another_thread_loads_meanwhile_changes_no_answer(base, adapters, another_default):
    bank = AdapterBank(base.copy())
    for lane in lanes():
        bank.cpu_step = CpuStep(bank, lane)
        names = [None, *map(bank.load, adapters)]
        answers = said(bank, [Row(LONG, name) for name in names])
        assert bank.cpu_step.steps == 19
        for name, answer in zip(names, answers, strict=True):
            assert answer == greedy_with_transformers(
                base.copy() if name is None else with_peft(base, adapters[names.index(name) - 1]), list(LONG), 20
            )


def test_scores_of_a_step_differ_from_the_models_own_by_rounding_alone(base, adapters):
    bank = AdapterBank(base.copy())
    names = [None, *map(bank.load, adapters), None]
    ids = torch.tensor([LONG, LONG[::-1], (0,) * 10 + LONG[:20], (0,) * 10 + LONG[:20]])
    mask = (ids != 0).long()
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    inputs = {"attention_mask": mask, "position_ids": positions, "use_cache": True, "past_key_values": None}
    cache = bank.forward(names, input_ids=ids, **inputs).past_key_values
    fed, longer, after = (
        torch.tensor([[9], [8], [7], [6]]),
        torch.nn.functional.pad(mask, (0, 1), value=1),
        positions[:, -1:],
    )
    bank.cpu_step.step(names, cache, fed, longer, after + 1)  # the first one, which the model computes too
    longer = torch.nn.functional.pad(longer, (0, 1), value=1)
    found = bank.cpu_step.step(names, cache, fed, longer, after + 2)
    again = bank.forward(
        names,
        input_ids=torch.cat([ids, fed], 1),
        attention_mask=longer[:, :-1],
        position_ids=torch.cat([positions, after + 1], 1),
        use_cache=True,
    ).past_key_values
    wanted = bank.forward(names, input_ids=fed, attention_mask=longer, position_ids=after + 2, past_key_values=again)
    wanted = wanted.logits[:, -1]
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-4)
    margin = wanted.topk(2).values
    assert bool(((found - wanted).abs().amax(-1) < (margin[:, 0] - margin[:, 1]) / 2).all())


def test_a_layer_appended_to_here_is_one_that_transformers_goes_on_with(base):
    bank = AdapterBank(base.copy())
    rows = [Row(LONG, None), Row(PROMPT, None)]
    wanted = said(bank, rows, replace(GREEDY, max_new_tokens=40))
    stream = decode(bank, rows, replace(GREEDY, max_new_tokens=40), frozenset(), 0)
    for _ in range(17):
        next(stream)
    steps = bank.cpu_step.steps
    bank.cpu_step.refuse("the rest by the model itself")
    *_, states = stream
    assert [list(state.tokens) for state in states] == wanted
    assert bank.cpu_step.steps == steps


def test_the_models_own_forward_and_steps_may_take_turns(base):
    bank = AdapterBank(base.copy())
    wanted = said(bank, [Row(LONG, None)])
    refusing = CpuStep(bank)
    refusing.refuse("every second step")
    here = bank.cpu_step
    stream = decode(bank, [Row(LONG, None)], GREEDY, frozenset(), 0)
    found = []
    for number, states in enumerate(stream):
        found = [list(state.tokens) for state in states]
        bank.cpu_step = refusing if number % 2 else here
    assert found == wanted


def test_biases_of_an_adapter_are_left_to_the_model(base, tmp_path):
    bank = AdapterBank(base.copy())
    alone = said(bank, [Row(PROMPT, None)])
    steps = bank.cpu_step.steps
    biased = make_lora(base, tmp_path / "biased", seed=4, target_modules=["o_proj"], lora_bias=True)
    assert said(bank, [Row(PROMPT, bank.load(biased))]) == [
        greedy_with_transformers(with_peft(base, biased), list(PROMPT), 20)
    ]
    assert bank.cpu_step.steps == steps
    assert said(bank, [Row(PROMPT, None)]) == alone
    assert bank.cpu_step.steps == steps + 19
