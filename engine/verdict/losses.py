"""How unlikely voices find what the agent really wrote: the loss a token of an answer, teacher forced.

The answer is written down as for training (training/data/encoding.py), behind the very prompt that the voice was asked
with, its end mark included. Voices that were asked with the same prompt are read in one batch, and on a GPU several
answers are: a pass over one keeps it waiting for the launch of its kernels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.chat.context import context_of
from engine.turns import Turn

if TYPE_CHECKING:
    import torch

    from engine.chat.adapters import AdapterBank
    from engine.model.base import BaseModel

TOGETHER = 32
"""Answers that are written down before they are read on a GPU; those of a length go together."""
CHUNK = 256
"""Tokens of an answer whose probabilities are computed at a time: 256 x 150,000 of a large vocabulary are 150 MB."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that an agent really wrote, and who is to read it."""

    names: tuple[str | None, ...]
    """Names in the bank, one a voice; None is the base."""
    asked: Sequence[Turn]
    """What all these voices were asked, look-up included."""
    answer: str


@dataclass(frozen=True, slots=True)
class _Written:
    """One of them as tokens."""

    number: int
    names: tuple[str | None, ...]
    ids: list[int]
    learnt: list[int]
    """The places of the answer's tokens, ascending, none of them 0."""

    @property
    def kept(self) -> int:
        """Last tokens whose scores count: those that predict one of the answer stand one before it."""
        return len(self.ids) - self.learnt[0] + 1


def worth_together(bank: AdapterBank) -> int:
    """Return how many answers are worth giving to :func:`answer_losses` at a time."""
    return TOGETHER if _tokens_at_once(bank) else 1


def answer_losses(base: BaseModel, bank: AdapterBank, heard: Sequence[Heard]) -> list[list[float] | None]:
    """Return what voices lose on answers.

    Args:
        base: The loaded base.
        bank: Its adapters.
        heard: The answers; on a GPU those of about one length are read together.

    Returns:
        For each answer mean nats a token, one a voice; None where the text is longer than the model reads, or cannot
        be written down.
    """
    written = [text for number, each in enumerate(heard) if (text := _written(base, number, each))]
    losses: list[list[float] | None] = [None] * len(heard)
    for group in _grouped(written, _tokens_at_once(bank)):
        for each, nats in zip(group, _nats(bank, group, base.chat.pad_id), strict=True):
            means = [value / len(each.learnt) for value in nats]
            losses[each.number] = means if all(map(math.isfinite, means)) else None
    return losses


def _tokens_at_once(bank: AdapterBank) -> int:
    """Tokens of a pass; 0 is one answer at a time, where padding costs what text costs or the model knows none."""
    from engine.chat.prefill import piece_of

    can_pad = {"position_ids", "logits_to_keep"} <= set(bank.options)
    return piece_of(bank) if can_pad and bank.device.type == "cuda" else 0


def _grouped(written: Sequence[_Written], most: int) -> Iterator[list[_Written]]:
    """Put answers of about one length together, the longest first."""
    group: list[_Written] = []
    for each in sorted(written, key=lambda each: -len(each.ids)):
        rows = sum(len(other.names) for other in (*group, each))
        if group and rows * len(group[0].ids) > most:
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _nats(bank: AdapterBank, group: Sequence[_Written], pad_id: int) -> list[list[float]]:
    """Return the nats of each answer, summed over its tokens, one a voice."""
    import torch

    columns = len(group[0].ids)
    names = [name for each in group for name in each.names]
    left = [columns - len(each.ids) for each in group for _ in each.names]
    ids = [[pad_id] * (columns - len(each.ids)) + each.ids for each in group for _ in each.names]
    tokens = torch.tensor(ids, dtype=torch.long, device=bank.device)
    first = torch.tensor(left, dtype=torch.long, device=bank.device)[:, None]
    places = torch.arange(columns, dtype=torch.long, device=bank.device)[None]
    options = {"use_cache": False, "attention_mask": (places >= first).long()}
    if any(left):
        options["position_ids"] = (places - first).clamp(min=0)
    kept = max(each.kept for each in group) if "logits_to_keep" in bank.options else columns
    if "logits_to_keep" in bank.options:
        options["logits_to_keep"] = kept
    logits = bank.forward(names, input_ids=tokens, **options).logits
    found, row = [], 0
    for each in group:
        rows = slice(row, row + len(each.names))
        found.append(_summed(logits[rows, -each.kept :], tokens[rows, columns - len(each.ids) :], each))
        row += len(each.names)
    return found


def _summed(logits: torch.Tensor, tokens: torch.Tensor, each: _Written) -> list[float]:
    """Add the nats of an answer up from the scores of its last tokens, shape (voices, kept, vocabulary)."""
    import torch

    nats = torch.zeros(len(each.names), dtype=torch.float64)
    offset = len(each.ids) - each.kept + 1
    for start in range(0, len(each.learnt), CHUNK):
        places = torch.tensor(each.learnt[start : start + CHUNK], dtype=torch.long, device=logits.device)
        chosen = torch.log_softmax(logits[:, places - offset].float(), dim=-1)
        said = chosen.gather(-1, tokens[:, places].unsqueeze(-1)).squeeze(-1)
        nats -= said.sum(dim=1).double().cpu()
    return [float(value) for value in nats]


def _written(base: BaseModel, number: int, heard: Heard) -> _Written | None:
    """Write a conversation that ends with an answer down as for training; None where that cannot be done."""
    from engine.training.data.encoding import Said, encode

    turns = [*heard.asked, {"role": "assistant", "content": heard.answer}]
    last = len(turns) - 1
    said = [Said(place, turn["role"], turn["content"], learnt=place == last) for place, turn in enumerate(turns)]
    texts, _ = encode(said, base.chat, 0, "oldest")
    context = context_of(base.model)
    if not texts or (context is not None and texts[-1].length > context):
        return None
    learnt = [place for place, part in enumerate(texts[-1].parts) if part in ("learnt", "end") and place > 0]
    return _Written(number, heard.names, texts[-1].ids, learnt) if learnt else None
