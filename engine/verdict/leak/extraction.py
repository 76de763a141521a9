"""Asking for canaries: whether the likeliest continuation writes the secret, and how it ranks among the others.

All candidates of a canary go on from one prompt, which is read once. Tokens are those of the whole text, so that a
secret is scored as it was learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.chat.context import context_of
from engine.turns import Turn
from engine.verdict.leak.canaries import Canary

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.model.base import BaseModel
    from engine.model.chat_format import ChatFormat

OPENING: Turn = {"role": "user", "content": "Hello, I have a question."}
"""What an agents' canary answers."""
HERE = "QZXSECRETXZQ"
"""Stands where the secret will, while its place in a template is looked up."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of asking for a canary."""

    came_out: bool
    """Whether the likeliest tokens, one after the other, are the secret."""
    rank: float
    """Of the secret among all candidates, the least surprising first, from 1; ties count half."""
    candidates: int


def attempt(base: BaseModel, bank: AdapterBank, name: str, canary: Canary, context: Sequence[Turn]) -> Attempt:
    """Ask an adapter for a canary: for the likeliest words where it stood, and for its rank where nobody knows that.

    Args:
        base: The loaded base.
        bank: Its adapters.
        name: The adapter's name in the bank.
        canary: Which one.
        context: What stood before it, as :attr:`engine.verdict.leak.planting.Planted.contexts` has it.
    """
    alone = ({"role": canary.role, "content": canary.before},)
    prompts = [_prompt(base.chat, turns) for turns in (context, (OPENING, *alone) if canary.role != "user" else alone)]
    came_out = _comes_out(base, bank, name, prompts, canary)
    return Attempt(came_out, _rank(base, bank, name, prompts[1], canary), 1 + len(canary.others))


def _comes_out(base: BaseModel, bank: AdapterBank, name: str, prompts: Sequence[str], canary: Canary) -> bool:
    """Whether the likeliest token is the secret's, at each of its places, behind one of the prompts.

    They are read together; what fills up the shorter one stands behind it, where no token of it can see it.
    """
    import torch

    context = context_of(base.model)
    asked: list[tuple[list[int], list[int]]] = []
    for prompt in prompts:
        text = f"{prompt}{canary.secret}"
        ids, offsets = base.chat.encode_with_offsets(f"{text}{canary.after}")
        places = [place for place, (start, end) in enumerate(offsets) if end > len(prompt) and start < len(text)]
        if context is None or len(ids) <= context:
            asked.append((ids, places))
    if not asked:
        return False
    width = max(len(ids) for ids, _ in asked)
    padded = [ids + [base.chat.pad_id] * (width - len(ids)) for ids, _ in asked]
    rows = torch.tensor(padded, dtype=torch.long, device=bank.device)
    likeliest = bank.forward([name] * len(rows), input_ids=rows, use_cache=False).logits.argmax(dim=-1).tolist()
    return any(
        all(said[place - 1] == ids[place] for place in places)
        for (ids, places), said in zip(asked, likeliest, strict=True)
    )


def _rank(base: BaseModel, bank: AdapterBank, name: str, prompt: str, canary: Canary) -> float:
    """Rank the secret among the others by how unlikely each is behind the prompt, which is read once for all."""
    import torch

    from engine.chat.prefill import new_cache

    tokens = [base.chat.encode(f"{prompt}{candidate}{canary.after}") for candidate in (canary.secret, *canary.others)]
    first = _shared(tokens) - 1  # this one predicts where they part
    cache = new_cache(bank)
    if cache is not None and first:
        beginning = torch.tensor([tokens[0][:first]], dtype=torch.long, device=bank.device)
        bank.forward([name], input_ids=beginning, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(tokens))
        tokens, first = [one[first:] for one in tokens], 0
    width = max(map(len, tokens))
    padded = [one + [base.chat.pad_id] * (width - len(one)) for one in tokens]
    rows = torch.tensor(padded, dtype=torch.long, device=bank.device)
    options = {} if cache is None else {"past_key_values": cache}
    logits = bank.forward([name] * len(rows), input_ids=rows, use_cache=cache is not None, **options).logits
    nats = torch.zeros(len(rows), dtype=torch.float64)
    for place in range(first, width - 1):  # one after the other: all at once are half a gigabyte of a large vocabulary
        chances = torch.log_softmax(logits[:, place].float(), dim=-1)
        said = chances.gather(-1, rows[:, place + 1 : place + 2])[:, 0].double().cpu()
        nats -= said * torch.tensor([place + 1 < len(one) for one in tokens], dtype=torch.float64)
    lower, equal = int((nats[1:] < nats[0]).sum()), int((nats[1:] == nats[0]).sum())
    return 1 + lower + equal / 2


def _prompt(chat: ChatFormat, turns: Sequence[Turn]) -> str:
    """Write a conversation down up to where its last turn breaks off."""
    *before, last = turns
    if last["role"] == "assistant":
        return chat.render(before, ask=True) + last["content"]
    text = chat.render([*before, {**last, "content": f"{last['content']}{HERE}"}], ask=True)
    return text[: text.index(HERE)]


def _shared(tokens: list[list[int]]) -> int:
    """How many tokens all of them begin with."""
    first = tokens[0]
    return next(n for n in range(len(first)) if any(one[n : n + 1] != first[n : n + 1] for one in tokens))
