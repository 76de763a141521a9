"""A conversation as a data set keeps it: a record with fields in the program, and a line of JSON on disk alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import orjson

from engine.tickets.conversation import Message, Role
from engine.tickets.dataset.files import HELDOUT, SPLITS, Split, numbered_lines
from engine.tickets.lines import Entry, damage, entry_of
from engine.turns import Turn

_NOT_LEARNT: Mapping[str, int] = {"weight": 0}
"""What a line says of an answer that is context only, as OpenAI's and others' files do."""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation that is learnt from, held out, or left out by hand."""

    ticket: str
    messages: tuple[Message, ...]
    """Cleaned, masked and merged; of each the role, the content and whether it is learnt are kept."""
    subject: str = ""
    tags: tuple[str, ...] = ()
    created_at: str = ""
    """As the export has it."""
    key: str = ""
    """Stands for its words; edits go by it."""
    originals: Mapping[int, str] = field(default_factory=dict)
    """Number of a rewritten message, from 0 -> its words as imported."""
    split: Split = "train"
    """The side that it is on, or would be on if it were not left out."""
    reason: str = ""
    """Why it is left out by hand; empty when it is not."""
    looked_up: tuple[tuple[Turn, ...], ...] = ()
    """Tickets that stand before it where it is learnt with look-up, the nearest first; never on disk."""

    @classmethod
    def of_line(cls, line: bytes, file: str, number: int | None = None) -> Self:
        """Read a line of a data set.

        Args:
            line: The line.
            file: The name of its file, which says the side.
            number: Its number, from 1; None where it is not known.

        Raises:
            TicketsError: The line is damaged.
        """
        value = entry_of(line, file, number, "ticket")
        try:
            return cls(
                ticket=value["ticket"],
                messages=_messages(value["messages"]),
                subject=str(value.get("subject", "")),
                tags=tuple(map(str, value.get("tags", ()))),
                created_at=str(value.get("created_at", "")),
                key=str(value.get("key", "")),
                originals={int(place): str(words) for place, words in value.get("originals", {}).items()},
                split=_split(value.get("side", "heldout" if file == HELDOUT else "train")),
                reason=str(value.get("reason", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damage(file, number) from error

    def line(self) -> bytes:
        """Return the line that :meth:`of_line` reads, with its line end."""
        value: Entry = {
            "ticket": self.ticket,
            "messages": [_plain(message) for message in self.messages],
            "subject": self.subject,
            "tags": self.tags,
            "created_at": self.created_at,
            "key": self.key,
        }
        if self.originals:
            value["originals"] = {str(number): words for number, words in self.originals.items()}
        if self.reason:
            value |= {"side": self.split, "reason": self.reason}
        return json_line(value)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The messages as chat templates take them."""
        return tuple(message.turn for message in self.messages)

    def original(self, number: int) -> str:
        """Return a message's words as imported, by its number from 0."""
        return self.originals.get(number, self.messages[number].content)


def conversations(file: Path) -> Iterator[StoredConversation]:
    """Yield the conversations of a file; none where there is no such file.

    Raises:
        TicketsError: A line is damaged, or the file cannot be read.
    """
    for number, line in numbered_lines(file):
        yield StoredConversation.of_line(line, file.name, number)


def _messages(values: Any) -> tuple[Message, ...]:
    """Read the messages of a line.

    Raises:
        TypeError: They are none, or one is no message.
    """
    if not isinstance(values, list) or not values:
        raise TypeError("no messages")
    messages = []
    for value in values:
        role, content = value["role"], value["content"]
        if not isinstance(role, str) or not isinstance(content, str):
            raise TypeError("a message without words")
        messages.append(Message(cast(Role, role), content, learnt=value.get("weight") != 0))
    return tuple(messages)


def _split(value: Any) -> Split:
    if value not in SPLITS:
        raise ValueError(f"no side of a data set: {value!r:.40}")
    return cast(Split, value)


def _plain(message: Message) -> Entry:
    return {"role": message.role, "content": message.content, **({} if message.learnt else _NOT_LEARNT)}


def json_line(value: object) -> bytes:
    """Write a value as a line of JSON; lone surrogates, which no UTF-8 file can hold, are replaced."""
    try:
        return orjson.dumps(value) + b"\n"
    except (orjson.JSONEncodeError, TypeError):
        return orjson.dumps(_encodable(value)) + b"\n"


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {str(_encodable(key)): _encodable(item) for key, item in value.items()}
    return value
