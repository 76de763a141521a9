"""What a person changed by hand: conversations left out, answers rewritten, tags left out. Kept apart from the data.

An edit remembers what it was made for by the words, because tables without ids number their rows anew. Here are the
records alone; :mod:`engine.tickets.dataset.editing` brings them into effect.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from engine.errors import TicketsError
from engine.tickets.dataset.stored import StoredConversation
from engine.workspace import read_json, write_json


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Other words for one answer."""

    ticket: str
    key: str
    """The conversation's ``key``."""
    was: str
    """The answer as imported, masked as it was then."""
    words: str
    """What is to be learnt instead."""

    @property
    def id(self) -> str:
        """Stands for the place of the answer."""
        return hashlib.blake2b(f"{self.key} {self.was}".encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Edits:
    """All changes to one data set; every method returns new edits."""

    dropped: Mapping[str, str] = field(default_factory=dict)
    """``key`` of the conversation -> its ticket."""
    answers: tuple[Rewrite, ...] = ()
    tags: tuple[str, ...] = ()
    """Conversations with one of these tags, in any case, are left out."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; no edits where there is no file.

        Raises:
            StudioError: The file is damaged.
        """
        if not path.exists():
            return cls()
        value: Any = read_json(path)
        try:
            answers = tuple(Rewrite(**answer) for answer in value["answers"])
            return cls(dict(value["dropped"]), answers, tuple(value["tags"]))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise TicketsError(f"{path.name} is damaged.", "Delete it to do without the edits in it.") from error

    def save(self, path: Path) -> None:
        """Write the edits as JSON, atomically and for the owner's eyes alone."""
        value = {
            "dropped": dict(self.dropped),
            "answers": [dataclasses.asdict(answer) for answer in self.answers],
            "tags": list(self.tags),
        }
        write_json(path, value)

    def drop(self, entry: StoredConversation) -> Self:
        """Leave a conversation out from now on."""
        return replace(self, dropped={**self.dropped, entry.key: entry.ticket})

    def keep(self, key: str) -> Self:
        """Take a dropped conversation back in, by its key."""
        return replace(self, dropped={other: ticket for other, ticket in self.dropped.items() if other != key})

    def rewrite(self, entry: StoredConversation, number: int, words: str) -> Self:
        """Put other words in place of an answer; its words as imported undo it.

        Args:
            entry: The conversation.
            number: Which of its messages, from 0.
            words: What is to be learnt instead.

        Raises:
            TicketsError: The new answer is empty, or the message is not an agent's.
        """
        message = entry.messages[number]
        if message.role != "assistant":
            raise TicketsError("Only an agent's answer can be rewritten.", "Choose an answer.")
        if not words.strip():
            raise TicketsError("The new answer is empty.", "Leave the conversation out instead.")
        made = Rewrite(entry.ticket, entry.key, entry.original(number), words.strip())
        others = self.restore(made.id)
        return others if made.words == made.was.strip() else replace(others, answers=(*others.answers, made))

    def restore(self, answer: str) -> Self:
        """Go back to an answer as it was imported, by the :attr:`Rewrite.id`."""
        return replace(self, answers=tuple(other for other in self.answers if other.id != answer))

    def leave_out_tag(self, tag: str) -> Self:
        """Leave out every conversation that carries a tag."""
        return self if tag in self.tags else replace(self, tags=(*self.tags, tag))

    def take_back_tag(self, tag: str) -> Self:
        """Undo :meth:`leave_out_tag`."""
        return replace(self, tags=tuple(other for other in self.tags if other != tag))
