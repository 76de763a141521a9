"""The canonical ticket: who said what, in which order, and whether a customer could see it.

Readers produce these records, every later stage consumes them. Nothing here knows a vendor's format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.turns import Turn

Role = Literal["system", "user", "assistant"]
"""The customer is ``user``, the support agent is ``assistant``."""

Rating = Literal["", "good", "bad"]
"""What the customer thought of the help; empty where nobody said, or neither."""

Kind = Literal[
    "public",
    "note",
    "draft",
    "hidden",
    "spam",
    "bot",
    "system",
    "auto_reply",
    "redacted",
    "truncated",
    "attachment",
    "tool",
    "after_tool",
    "rated_bad",
    "outvoted",
    "rejected",
    "unknown",
    "unreadable",
]
"""What a message is to the customer. Only ``public`` messages are ever learnt from."""

KIND_REASONS: dict[Kind, str] = {
    "note": "internal note",
    "draft": "draft",
    "hidden": "hidden or deleted",
    "spam": "spam",
    "bot": "bot or AI answer",
    "system": "system message",
    "auto_reply": "automatic reply",
    "redacted": "redacted",
    "truncated": "cut off in the export",
    "attachment": "attachment without words",
    "tool": "tool call or its result",
    "after_tool": "answer after a tool call",
    "rated_bad": "marked as a bad answer",
    "outvoted": "another answer was accepted",
    "rejected": "rejected answer of a preference pair",
    "unknown": "not clear who wrote it",
    "unreadable": "characters that could not be read",
}
"""Why a message of that kind is left out, in the words that the report shows."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the export holds it."""

    role: Role
    content: str
    """The text; HTML as long as ``html`` is set."""
    author: str = ""
    """A stable id or name of the author inside the export."""
    at: str = ""
    """The raw date of the export; see :func:`engine.tickets.dates.seconds` for how it is compared."""
    html: bool = False
    kind: Kind = "public"
    learnt: bool = True
    """Whether an answer is to be learnt; otherwise it is context for those that follow."""

    @property
    def turn(self) -> Turn:
        """The message as chat templates take it."""
        return {"role": self.role, "content": self.content}

    def __reduce__(self) -> tuple[Any, ...]:
        # Four times as fast as what dataclasses do for frozen slots; every conversation goes to a worker and back.
        return Message, (self.role, self.content, self.author, self.at, self.html, self.kind, self.learnt)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One ticket: its messages, oldest first, and what is known about it."""

    id: str
    messages: tuple[Message, ...]
    subject: str = ""
    tags: tuple[str, ...] = ()
    created_at: str = ""
    status: str = ""
    customer: str = ""
    """A key that two tickets of one customer share; never written to the data set."""
    people: tuple[str, ...] = ()
    """Names and addresses from the export's own people fields, for masking."""
    source: str = ""
    """The name of the file that the ticket came from."""
    rating: Rating = ""
    reopened: bool = False
    """Whether the customer, or somebody, had to open it again; False where the export does not say."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Conversation, (
            *(self.id, self.messages, self.subject, self.tags, self.created_at),
            *(self.status, self.customer, self.people, self.source, self.rating, self.reopened),
        )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was read and will not be learnt from."""

    ticket: str
    """The ticket's id, or the place of a damaged line: ``line 17 of tickets.json``."""
    reason: str
    excerpt: str = ""
    """The beginning of what was left out, at most :data:`EXCERPT_CHARS` characters."""


def is_learnt_answer(message: Message) -> bool:
    """Tell an answer that is to be learnt from everything else."""
    return message.role == "assistant" and message.learnt


EXCERPT_CHARS = 240
TWICE = "the same mail once more"
"""The reason for a copy of a message, as in Inbox and Sent; it counts among messages, not tickets."""
DAMAGED = "damaged line"
"""The reason for what could not be read at all."""
BROKEN_OFF = "the file breaks off"
"""The reason for the place where a file ends too early: what came behind it, nobody knows."""


def broken_off(place: str, name: str, whole: int, byte: int) -> LeftOut:
    """Say that a file ends too early.

    Args:
        place: What it breaks off in, such as ``item 19 of export.json``.
        name: The file's.
        whole: How many records were whole.
        byte: Where it ends, in bytes of its text.
    """
    return LeftOut(
        place, BROKEN_OFF, f"{name}: {whole:,} of an unknown number of tickets; the file breaks off at byte {byte:,}."
    )


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line, at most :data:`EXCERPT_CHARS` characters."""
    line = " ".join(text[: EXCERPT_CHARS * 4].split())
    return line if len(line) <= EXCERPT_CHARS else line[: EXCERPT_CHARS - 1] + "…"
