"""Freshchat: messages of a conversation from the API, each with the conversation's id.

Traps: a message is a list of parts; private ones are notes; bots write with an agent's id, so that only their names may
tell them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, object_at, objects
from engine.tickets.importing.readers.joining import Joined, join
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "freshchat"
LABEL = "Freshchat messages"
GUIDE = (
    "API: GET /v2/conversations/{id}/messages",
    "JSON",
    "messages joined by their conversation; private ones are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Freshchat file lists conversations without their messages, so there are no answers in it.",
    "Fetch the messages too (GET /v2/conversations/{id}/messages) and drop all files together.",
)
CAUTION = (
    "Freshchat's bots write with an agent's id and cannot be told from your team: look through the answers, and leave "
    "out the agent that is one."
)


def evidence(record: Json) -> str:
    """Say what in a record is Freshchat's; empty when it is not."""
    if _is_message(record):
        return "message_parts and actor_type"
    messages = objects(record.get("messages"))
    return "messages with message_parts" if messages and _is_message(messages[0]) else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and conversations with theirs, from conversations without."""
    return _is_message(record) or bool(objects(record.get("messages")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a Freshchat conversation."""
    parent = lambda value: first(value, "conversation_id") if _is_message(value) else ""  # noqa: E731
    complete = lambda value: bool(objects(value.get("messages")))  # noqa: E731
    for conversation in join(records, parent, complete, ("conversation_id", "id")):
        yield _conversation(conversation)


def _is_message(record: Json) -> bool:
    return "message_parts" in record and "actor_type" in record


def _conversation(joined: Joined) -> Conversation:
    rows = [*objects(joined.ticket.get("messages")), *joined.messages]
    status = first(joined.ticket, "status")
    return chat(joined, [_message(row) for row in rows], (), status="closed" if status == "resolved" else status)


def _message(row: Json) -> Message:
    parts = objects(row.get("message_parts"))
    words = [text for part in parts if (text := first(object_at(part, "text"), "content"))]
    files = [object_at(part, kind) for part in parts for kind in ("file", "image", "video") if kind in part]
    return said(
        "user" if first(row, "actor_type") == "user" else "assistant",
        "\n".join(words),
        first(row, "actor_id", "org_actor_id"),
        first(row, "created_time"),
        _kind(row),
        files,
    )


def _kind(row: Json) -> Kind:
    kind = first(row, "message_type") or "normal"
    if kind == "private":
        return "note"
    if first(row, "actor_type") == "bot":
        return "bot"
    return "system" if kind != "normal" or first(row, "actor_type") == "system" else "public"
