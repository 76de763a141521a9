"""Who asks: the customer's words, and what must not be found for them because it is their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.tickets.conversation import Message
from engine.tickets.dataset.files import CUSTOMERS
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.preparing.duplicates import combined, signature
from engine.tickets.preparing.duplicates import words_of as all_words_of

UNKNOWN = -1
"""The number of a customer of whom nothing is known, or who has one conversation."""
_FEWEST_WORDS = 6
"""As :data:`engine.tickets.preparing.facts.FEWEST_WORDS`: shorter texts are alike by chance."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked up."""

    texts: tuple[str, ...]
    """All that the customer has said."""
    key: int = 0
    """Of the conversation that it comes from; 0 where it comes from none."""
    sketch: bytes = b""
    """MinHash signature of that conversation; empty where there is none, or it is too short to have one."""
    customer: int = UNKNOWN


def asked(messages: Sequence[Mapping[str, Any]]) -> Question:
    """Return the question of somebody who asks now: nothing is theirs already."""
    return Question(tuple(str(message["content"]) for message in messages if message["role"] == "user"))


def of_ticket(entry: StoredConversation, customers: Mapping[str, int], messages: Sequence[Message] = ()) -> Question:
    """Return the question of a ticket that is in a data set: neither it nor what is as good as it may be found.

    Args:
        entry: A conversation of a data set.
        customers: As from :func:`customers_in`.
        messages: What has been said so far; all of the ticket where empty.
    """
    key = key_of(entry)
    customer = customers.get(entry.key, UNKNOWN)
    return Question(_said_by_customer(messages or entry.messages), key, sketch_of(entry), customer)


def _said_by_customer(messages: Sequence[Message]) -> tuple[str, ...]:
    return tuple(message.content for message in messages if message.role == "user")


def key_of(entry: StoredConversation) -> int:
    """Return a number that stands for a conversation's words as they were imported; never 0."""
    if len(entry.key) == 16:
        try:
            return int(entry.key, 16) or 1
        except ValueError:
            pass
    words = " ".join(all_words_of(message.content for message in entry.messages))
    return int.from_bytes(hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=8).digest()) or 1


def sketch_of(entry: StoredConversation) -> bytes:
    """Return the signature that tells nearly equal conversations, made as while tickets are prepared."""
    sides: dict[str, list[str]] = {"user": list[str](), "assistant": list[str]()}
    for message in entry.messages:
        if message.role in sides and message.learnt:
            sides[message.role] += all_words_of([message.content])
    if sum(map(len, sides.values())) < _FEWEST_WORDS:
        return b""
    return combined(signature(sides["user"]), signature(sides["assistant"]))


def customers_in(folder: Path) -> dict[str, int]:
    """Read which conversations of a data set are of one customer; nothing where that was not kept when it was made."""
    try:
        value = orjson.loads((folder / CUSTOMERS).read_bytes())
    except (OSError, ValueError):
        return {}
    known = value.items() if isinstance(value, dict) else ()
    return {key: number for key, number in known if isinstance(number, int)}
