"""How unlikely voices find what the agent really wrote: the loss a token of an answer, teacher forced.

The answer is written down as for training (training/data/encoding.py), behind the very prompt that the voice was asked
with, its end mark included. Voices that were asked with the same prompt are read in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.chat.context import context_of
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.model.base import BaseModel

CHUNK = 256
"""Tokens of an answer whose probabilities are computed at a time: 256 x 150,000 of a large vocabulary are 150 MB."""


def answer_losses(
    base: BaseModel, bank: AdapterBank, names: Sequence[str | None], asked: Sequence[Turn], answer: str
) -> list[float] | None:
    """Return what each voice loses on an answer.

    Args:
        base: The loaded base.
        bank: Its adapters.
        names: Names in the bank, one a voice; None is the base.
        asked: What all these voices were asked, look-up included.
        answer: What the agent really wrote.

    Returns:
        Mean nats a token, one a voice; None where the text is longer than the model reads, or cannot be written down.
    """
    import torch

    written = _written(base, asked, answer)
    if written is None:
        return None
    ids, learnt = written
    tokens = torch.tensor([ids] * len(names), dtype=torch.long, device=bank.device)
    options = {"use_cache": False, "attention_mask": torch.ones_like(tokens)}
    first = learnt[0] - 1  # the logits that predict a token stand one before it
    offset = 0
    if "logits_to_keep" in bank.options:
        options["logits_to_keep"] = len(ids) - first
        offset = first
    logits = bank.forward(names, input_ids=tokens, **options).logits
    nats = torch.zeros(len(names), dtype=torch.float64)
    for start in range(0, len(learnt), CHUNK):
        places = torch.tensor(learnt[start : start + CHUNK], dtype=torch.long, device=logits.device)
        chosen = torch.log_softmax(logits[:, places - 1 - offset].float(), dim=-1)
        said = chosen.gather(-1, tokens[:, places].unsqueeze(-1)).squeeze(-1)
        nats -= said.sum(dim=1).double().cpu()
    losses = [float(value) / len(learnt) for value in nats]
    return losses if all(map(math.isfinite, losses)) else None


def _written(base: BaseModel, asked: Sequence[Turn], answer: str) -> tuple[list[int], list[int]] | None:
    """Return the tokens of a conversation that ends with an answer, and the places of those that are learnt."""
    from engine.training.data.encoding import Said, encode

    turns = [*asked, {"role": "assistant", "content": answer}]
    last = len(turns) - 1
    said = [Said(number, turn["role"], turn["content"], learnt=number == last) for number, turn in enumerate(turns)]
    texts, _ = encode(said, base.chat, 0, "oldest")
    context = context_of(base.model)
    if not texts or (context is not None and texts[-1].length > context):
        return None
    learnt = [place for place, part in enumerate(texts[-1].parts) if part in ("learnt", "end") and place > 0]
    return (texts[-1].ids, learnt) if learnt else None
