"""Looked-up tickets as turns before a conversation, shortened until they fit.

They are told as an earlier chat: customers' questions and agents' answers, the nearest last, next to the question.
(On the sample shop the base model stated 11 of 19 facts so, and 4 where a system message held the same tickets.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.reasoning import without_reasoning
from engine.turns import Turn

Ticket = tuple[Turn, ...]

SHORT_CHARS = 600
"""Characters that a turn keeps of a ticket that is shortened."""


def told(messages: Sequence[Mapping[str, Any]]) -> Ticket:
    """Return a ticket as turns: from the customer's first to the agent's last, without reasoning and instructions."""
    turns = [
        {"role": str(message["role"]), "content": without_reasoning(str(message["content"]))}
        for message in messages
        if message["role"] in ("user", "assistant")
    ]
    turns = [turn for turn in turns if turn["content"].strip()]
    while turns and turns[0]["role"] != "user":
        turns.pop(0)
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    return tuple(turns)


def fitting(tickets: Sequence[Ticket], fits: Callable[[list[Turn]], bool]) -> tuple[list[Turn], int]:
    """Return as much of looked-up tickets as fits.

    The furthest are shortened first, then left off.

    Args:
        tickets: As from :func:`told`, the nearest first.
        fits: Says of turns whether there is room for them before the conversation.

    Returns:
        The turns, the furthest ticket first; and how many tickets they are of.
    """
    for way in _ways([ticket for ticket in tickets if ticket]):
        turns = [turn for ticket in reversed(way) for turn in ticket]
        if fits(turns):
            return turns, len(way)
    return [], 0


def _ways(tickets: Sequence[Ticket]) -> Iterator[list[Ticket]]:
    """Yield the tickets whole, then with more and more of them shortened, then with fewer and fewer of them."""
    count = len(tickets)
    for short in range(count + 1 if count else 0):
        yield [ticket if number < count - short else shortened(ticket) for number, ticket in enumerate(tickets)]
    for kept in range(count - 1, 0, -1):
        yield [shortened(ticket) for ticket in tickets[:kept]]


def shortened(ticket: Ticket) -> Ticket:
    """Return a ticket's first question and the first answer to it, each cut at :data:`SHORT_CHARS`."""
    answer = next((turn for turn in ticket if turn["role"] == "assistant"), None)
    pair = (ticket[0], answer) if answer else ticket[:1]
    return tuple({**turn, "content": _cut(turn["content"])} for turn in pair)


def _cut(text: str) -> str:
    if len(text) <= SHORT_CHARS:
        return text
    space = text.rfind(" ", SHORT_CHARS // 2, SHORT_CHARS)
    return f"{text[: space if space > 0 else SHORT_CHARS].rstrip()} …"
