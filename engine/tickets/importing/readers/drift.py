"""Drift: messages of a conversation from the API, each with the conversation's id.

Traps: bots write like users of the team, with ``bot`` set; private notes and prompts are messages as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, flag, object_at, objects
from engine.tickets.importing.readers.joining import Joined, join
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "drift"
LABEL = "Drift messages"
GUIDE = (
    "API: GET /conversations/{id}/messages",
    "JSON",
    "messages joined by their conversation; private notes and bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Drift file lists conversations without their messages, so there are no answers in it.",
    "Fetch the messages too (GET /conversations/{id}/messages) and drop all files together.",
)


def evidence(record: Json) -> str:
    """Say what in a record is Drift's; empty when it is not."""
    if _is_message(record):
        return "conversationId, author.type and body"
    messages = objects(record.get("messages"))
    return "messages with conversationId and author.type" if messages and _is_message(messages[0]) else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and conversations with theirs, from conversations without."""
    return _is_message(record) or bool(objects(record.get("messages")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a Drift conversation."""
    parent = lambda value: first(value, "conversationId") if _is_message(value) else ""  # noqa: E731
    for conversation in join(records, parent, lambda value: bool(objects(value.get("messages")))):
        yield _conversation(conversation)


def _is_message(record: Json) -> bool:
    told = first(object_at(record, "author"), "type") in ("contact", "user")
    return told and "conversationId" in record and ("body" in record or "attachments" in record)


def _conversation(joined: Joined) -> Conversation:
    rows = [*objects(joined.ticket.get("messages")), *joined.messages]
    customer = first(joined.ticket, "contactId")
    return chat(joined, [_message(row) for row in rows], (), status=first(joined.ticket, "status"), customer=customer)


def _message(row: Json) -> Message:
    author = object_at(row, "author")
    return said(
        "user" if first(author, "type") == "contact" else "assistant",
        first(row, "body"),
        first(author, "id"),
        first(row, "createdAt"),
        _kind(row, author),
        row.get("attachments"),
    )


def _kind(row: Json, author: Json) -> Kind:
    kind = first(row, "type") or "chat"
    if kind.startswith("private"):
        return "note"
    if flag(author.get("bot")):
        return "bot"
    return "public" if kind == "chat" else "system"
