"""An endless chat -> its conversations, told by its pauses.

Knows who wrote when, and not who the support is: whoever opens a conversation is taken for the one who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from engine.tickets.conversation import Message
from engine.tickets.dates import seconds

HOUR = 3600.0
QUIET_HOURS = 8.0
"""After an answer, a pause from which on the next question is a new matter: a night."""
OPEN_HOURS = 72.0
"""While a question waits, so long an answer may take: a weekend."""

Item = TypeVar("Item")


def split_at_pauses(messages: Iterable[tuple[Item, Message]]) -> Iterator[list[tuple[Item, Message]]]:
    """Split a chat into conversations.

    Args:
        messages: In the order of time, each with whatever its reader knows beside; one without a date goes with the
            one before it.

    Yields:
        The messages of each conversation, at least one.
    """
    talk: list[tuple[Item, Message]] = []
    names: list[str] = []
    before: tuple[Message, float | None] | None = None
    for item, message in messages:
        stamp = seconds(message.at)
        if talk and before and _parts(before, (message, stamp), names):
            yield talk
            talk, names = [], []
        talk.append((item, message))
        if message.kind != "public":
            continue
        if message.author not in names:
            names.append(message.author)
        before = (message, stamp if stamp is not None else before[1] if before else None)
    if talk:
        yield talk


def _parts(before: tuple[Message, float | None], after: tuple[Message, float | None], names: Sequence[str]) -> bool:
    """Tell whether a new conversation begins between two messages; the names are those of the one before, in order."""
    if before[1] is None or after[1] is None:
        return False
    hours = (after[1] - before[1]) / HOUR
    author = after[0].author
    asks_anew = before[0].author not in names[:1] and (author in names[:1] or author not in names)
    return hours >= (QUIET_HOURS if asks_anew else OPEN_HOURS)
