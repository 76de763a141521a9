"""How much of a conversation a model can read: the oldest turns are left off, and said to be."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import StudioError
from engine.turns import Turn

SHARE_FOR_THE_ANSWER = 4
"""The context keeps room for the longest answer allowed, but not for more than one part in so many of it: a short one
is there for what was said, too."""


class TooLongError(StudioError):
    """What is asked is longer than the model reads."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A conversation as it can be read."""

    prompt: tuple[int, ...]
    """Token ids."""
    room: int
    """Tokens that an answer can have, at least 1 and at most what was asked for."""
    left_off: int
    """Turns that are not in the prompt."""
    context: int | None
    """Tokens that the model reads at most; None where that is not known."""

    @property
    def note(self) -> str:
        """What was left off, in a sentence; empty where nothing was."""
        if not self.left_off:
            return ""
        turns = "message was" if self.left_off == 1 else f"{self.left_off} messages were"
        return f"The oldest {turns} left off: this model reads at most {self.context:,} tokens, its answer included."


def context_of(model: Any) -> int | None:
    """Return how many tokens a model reads, as its configuration says; None where it does not."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def fit(
    conversation: Sequence[Turn], encode: Callable[[Sequence[Turn]], list[int]], context: int | None, longest: int
) -> Fitted:
    """Leave off the oldest turns of a conversation that is too long, so that it begins with a question still.

    Args:
        conversation: Ends with a question; a standing instruction in front of it always stays.
        encode: Makes token ids of it.
        context: Tokens that the model reads at most; None where that is not known.
        longest: Tokens of the longest answer.

    Raises:
        TooLongError: The question alone fills the context.
    """
    starts = _starts(conversation)
    prompt = tuple(encode(conversation))
    if context is None:
        return Fitted(prompt, longest, 0, None)
    most = context - min(longest, context // SHARE_FOR_THE_ANSWER)
    start = starts[0]
    if len(prompt) > most and len(starts) > 1:
        fitting = bisect_left(
            starts, True, lo=1, hi=len(starts) - 1, key=lambda s: len(_from(conversation, s, encode)) <= most
        )
        start = starts[fitting]
        prompt = _from(conversation, start, encode)
    return _with_room(prompt, start - starts[0], context, longest)


def fit_text(ids: Sequence[int], context: int | None, longest: int) -> Fitted:
    """Take a text that is to be continued; nothing of it is left off.

    Args:
        ids: Its tokens, at least one.
        context: As in :func:`fit`.
        longest: As in :func:`fit`.

    Raises:
        StudioError: It is empty, or fills the context.
    """
    if not ids:
        raise StudioError("There is no text to continue.", "Write the beginning of one.")
    return Fitted(tuple(ids), longest, 0, None) if context is None else _with_room(tuple(ids), 0, context, longest)


def _with_room(prompt: tuple[int, ...], left_off: int, context: int, longest: int) -> Fitted:
    if len(prompt) >= context:
        raise TooLongError(
            f"The question is {len(prompt)} tokens long, and this model reads at most {context}.",
            "Shorten the message, or the standing instruction.",
        )
    return Fitted(prompt, min(longest, context - len(prompt)), left_off, context)


def _from(conversation: Sequence[Turn], start: int, encode: Callable[[Sequence[Turn]], list[int]]) -> tuple[int, ...]:
    instruction = [turn for turn in conversation[:1] if turn["role"] == "system"]
    return tuple(encode([*instruction, *conversation[start:]]))


def _starts(conversation: Sequence[Turn]) -> list[int]:
    """Where a conversation can begin: at its first turn but for the instruction, and at each new question."""
    first = 1 if conversation[0]["role"] == "system" else 0
    later = (
        place
        for place in range(first + 1, len(conversation))
        if conversation[place]["role"] == "user" and conversation[place - 1]["role"] != "user"
    )
    return [first, *later]
