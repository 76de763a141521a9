"""Answers on a graphics card: adapters in one batch against peft, one voice after the other."""

import pytest
import torch

from engine.chat.adapters import AdapterBank
from tests.engine.chat.conftest import bank, formal, friendly, long_prompt, prompt  # noqa: F401  fixtures
from tests.engine.chat.lora import greedy_with_transformers, with_peft
from tests.engine.chat.test_adapters import IDS
from tests.engine.chat.test_decoding import rows_of, tokens

pytestmark = pytest.mark.gpu

LOGITS = 0.2
"""How far logits may be apart: bfloat16 keeps 8 bits, and they are up to 10 on the tiny model."""


def spoken(adapters: AdapterBank, *names: str | None) -> torch.Tensor:
    return adapters.forward(names, input_ids=IDS[: len(names)].to(adapters.model.device)).logits.float()


@torch.no_grad()
def alone(model, row: int) -> torch.Tensor:
    return model(input_ids=IDS[row : row + 1].to(model.device)).logits[0].float()


def test_every_row_of_a_mixed_batch_is_what_its_voice_says_alone(tiny_base, bank, friendly, formal):  # noqa: F811
    mixed = spoken(bank, bank.load(formal), None, bank.load(friendly))
    for row, model in enumerate((with_peft(tiny_base, formal), tiny_base.copy(), with_peft(tiny_base, friendly))):
        apart = float((mixed[row] - alone(model, row)).abs().max())
        print(f"row {row}: logits at most {apart:.4f} apart")
        assert apart < LOGITS
    assert float((mixed[0] - mixed[1]).abs().max()) > 1


def test_the_base_beside_adapters_is_the_bare_model_to_the_last_bit(tiny_base, bank, friendly):  # noqa: F811
    with torch.no_grad():
        bare = tiny_base.copy()(input_ids=IDS[:2].to(tiny_base.device)).logits.float()
    assert torch.equal(spoken(bank, None, bank.load(friendly))[0], bare[0])


def test_greedy_answers_are_those_of_transformers_up_to_near_ties(tiny_base, bank, friendly, prompt):  # noqa: F811
    """Where two tokens are nearly as likely, bfloat16 may choose either; up to there they are the same."""
    said = tokens(bank, rows_of(bank, prompt, friendly))[0]
    model = with_peft(tiny_base, friendly)
    wanted = greedy_with_transformers(model, list(prompt), len(said))
    parted = next((n for n, pair in enumerate(zip(said, wanted, strict=True)) if pair[0] != pair[1]), None)
    if parted is not None:
        with torch.no_grad():
            ids = torch.tensor([[*prompt, *wanted[:parted]]], device=tiny_base.device)
            scores = model(input_ids=ids).logits[0, -1].float()
        assert float(scores[wanted[parted]] - scores[said[parted]]) < LOGITS


def test_a_seed_repeats_an_answer_whatever_stands_beside_it(bank, friendly, formal, prompt):  # noqa: F811
    from engine.chat.records import Sampling

    sampling = Sampling(temperature=0.9, top_p=0.95, max_new_tokens=8, seed=11)
    rows = rows_of(bank, prompt, None, friendly, formal)
    assert tokens(bank, rows, sampling) == tokens(bank, rows, sampling)
