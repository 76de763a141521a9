"""ThoughtLimit: how long a model may think before it answers, and where its thought ends.

A thought that has used up its tokens is closed for the model, which then answers from what it has thought so far. It
knows token ids, and counts nothing that the tokens themselves do not tell: so an answer that is read anew, since memory
ran out, goes on where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat

BEFORE = 2
"""Tokens within which a thought begins, if the model thinks at all: some begin a line first."""


@dataclass(frozen=True, slots=True)
class ThoughtLimit:
    """See the module."""

    budget: int
    """Tokens of the longest thought, the tag that opens it included; 0 closes it at once."""
    begin: int | None
    """The token that opens a thought; None where the prompt has opened it already."""
    end: int
    """The token that closes it."""
    closing: tuple[int, ...]
    """What is written to close it; ends with ``end``."""

    @property
    def longest(self) -> int:
        """Tokens beside those of the answer."""
        return self.budget + len(self.closing)

    def within(self, room: int, answer: int) -> "ThoughtLimit":
        """A limit that leaves room for an answer of so many tokens, where there are ``room`` in all."""
        return replace(self, budget=min(self.budget, max(0, room - answer - len(self.closing))))

    def answered(self, tokens: Sequence[int]) -> int:
        """How many of the tokens count as the answer; 0 while it thinks."""
        if self.end in tokens:
            return len(tokens) - tokens.index(self.end) - 1
        return 0 if self._thinks(tokens) else len(tokens)

    def forced(self, tokens: Sequence[int]) -> int | None:
        """The token that has to come next; None where that is the model's to say."""
        written = len(tokens) - self.budget
        if not self._thinks(tokens) or self.end in tokens or written < 0:
            return None
        place = next((n for n in range(min(written, len(self.closing)), 0, -1) if _ends(tokens, self.closing[:n])), 0)
        return self.closing[place]

    def _thinks(self, tokens: Sequence[int]) -> bool:
        return self.begin is None or self.begin in tokens[:BEFORE]


def _ends(tokens: Sequence[int], last: Sequence[int]) -> bool:
    return tuple(tokens[len(tokens) - len(last) :]) == tuple(last)


def thought_limit(chat: "ChatFormat", budget: int) -> ThoughtLimit | None:
    """Return the limit of a model's thoughts.

    Args:
        chat: How the model writes.
        budget: Tokens of the longest thought.

    Returns:
        None where the model does not think, or its tags are not single tokens, so that they cannot be counted on.
    """
    tag = chat.thought_tag
    if not tag:
        return None
    begin, end = chat.encode(f"<{tag}>"), chat.encode(f"</{tag}>")
    closing = chat.encode(f"\n</{tag}>")
    if len(begin) != 1 or len(end) != 1 or closing[-1:] != end:
        return None
    return ThoughtLimit(budget, None if chat.closes_thought else begin[0], end[0], tuple(closing))
