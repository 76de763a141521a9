"""Greedy answers of the playground, with what it thought of the likeliest tokens at each place.

They go through the batch that answers people (continuous_batch.py), and are taken down as they are written: what a
person has tested is what is here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.chat.records import Sampling
from engine.model.adapter_files import check_mark

if TYPE_CHECKING:
    import torch

    from engine.model.base import BaseModel

LIKELY = 20
"""Tokens whose log-probabilities are kept at each place; all others are one rest, which is below 1e-3 in answers that a
trained model gives (measured on the starter)."""

TOGETHER = 4
"""Prompts that are answered at a time, at most."""
READ_AT_ONCE = 512
"""Tokens of them, unless one is longer: reading them holds up whoever calls it off, for half a second on two processor
cores with the starter."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One greedy answer."""

    prompt: tuple[int, ...]
    """Token ids."""
    tokens: tuple[int, ...]
    """The answer, with the token that ended it."""
    ended: bool
    """Whether the model ended it by itself."""
    likely: tuple[tuple[int, ...], ...]
    """At each place the :data:`LIKELY` likeliest tokens, the likeliest first."""
    logprobs: tuple[tuple[float, ...], ...]
    """Their natural log-probabilities, of the same shape."""


def traced(
    base: "BaseModel",
    adapter: Path | None,
    prompts: Sequence[Sequence[int]],
    longest: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Traced]:
    """Let the playground answer prompts greedily, and take down each place.

    Args:
        base: The loaded base.
        adapter: A PEFT adapter's folder; None is the base itself.
        prompts: Token ids, as from :meth:`engine.model.chat_format.ChatFormat.prompt`.
        longest: Tokens of the longest answer.
        progress: Called after every token with how many answers have ended, and how many there will be; raises
            Cancelled.

    Raises:
        StudioError: The adapter is gone or does not fit, or memory ran out.
        Cancelled: ``progress`` said so.
    """
    from engine.chat.adapters import bank_of
    from engine.chat.decoding import Request, Row, batch_of
    from engine.chat.playground import told_in_words

    if not prompts:
        return []
    if adapter is not None:
        check_mark(adapter, base.mark)
    found: list[Traced] = []
    with told_in_words(), bank_of(base).acquire([adapter]) as (name,):
        for asked in _groups(prompts):
            progress(len(found), len(prompts))
            notes: list[list[_Place]] = [[] for _ in asked]
            requests = [
                Request(
                    Row(tuple(prompt), name),
                    Sampling(max_new_tokens=longest),
                    base.chat.stop_ids,
                    watch=partial(_note, places),
                )
                for prompt, places in zip(asked, notes, strict=True)
            ]
            for states in batch_of(base).answer(requests):
                progress(len(found) + sum(state.done for state in states), len(prompts))
            found += [_traced(prompt, places, base.chat.stop_ids) for prompt, places in zip(asked, notes, strict=True)]
    return found


def _groups(prompts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Cut prompts into groups that are read in a moment; in their order."""
    group: list[Sequence[int]] = []
    for prompt in prompts:
        if group and (len(group) == TOGETHER or sum(map(len, (*group, prompt))) > READ_AT_ONCE):
            yield group
            group = []
        group.append(prompt)
    yield group


_Place = tuple[tuple[int, ...], tuple[float, ...]]


def _note(places: list[_Place], scores: "torch.Tensor") -> None:
    """Keep the likeliest tokens of one place."""
    likely, tokens = scores.float().log_softmax(-1).topk(min(LIKELY, scores.shape[-1]))
    places.append((tuple(tokens.tolist()), tuple(likely.tolist())))


def _traced(prompt: Sequence[int], places: Sequence[_Place], stop_ids: frozenset[int]) -> Traced:
    tokens = tuple(likely[0] for likely, _ in places)
    return Traced(
        prompt=tuple(prompt),
        tokens=tokens,
        ended=bool(tokens) and tokens[-1] in stop_ids,
        likely=tuple(likely for likely, _ in places),
        logprobs=tuple(logprobs for _, logprobs in places),
    )
