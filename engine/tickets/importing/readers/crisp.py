"""Crisp: messages of its API and exports, each with its session's id, and conversations with theirs.

Traps: notes and events are messages as well; what a campaign or a bot wrote comes from an operator and is automated;
the content of files and choices is an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, flag, object_at, objects, people, words
from engine.tickets.importing.readers.joining import Joined, join
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "crisp"
LABEL = "Crisp chats"
GUIDE = (
    "API: GET /v1/website/{id}/conversation/{session_id}/messages",
    "JSON",
    "messages joined by their session; notes, events and automated ones are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Crisp file lists conversations without their messages, so there are no answers in it.",
    "Fetch the messages too (GET /v1/website/{id}/conversation/{session_id}/messages) and drop all files together.",
)
_SIDES = ("user", "operator")
_SPOKEN = frozenset(("text", "file", "audio", "animation"))


def evidence(record: Json) -> str:
    """Say what in a record is Crisp's; empty when it is not."""
    if _is_message(record):
        return "session_id and from (user or operator)"
    messages = objects(record.get("messages"))
    if messages and _is_message(messages[0]):
        return "messages with session_id and from"
    return "session_id and website_id" if {"session_id", "website_id", "meta"} <= record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and conversations with theirs, from conversations without."""
    return _is_message(record) or bool(objects(record.get("messages")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a session."""
    parent = lambda value: first(value, "session_id") if _is_message(value) else ""  # noqa: E731
    for session in join(records, parent, lambda value: bool(objects(value.get("messages"))), ("session_id",)):
        yield _conversation(session)


def _is_message(record: Json) -> bool:
    return "session_id" in record and record.get("from") in _SIDES and "content" in record


def _conversation(joined: Joined) -> Conversation:
    session, meta = joined.ticket, object_at(joined.ticket, "meta")
    rows = [*objects(session.get("messages")), *joined.messages]
    users = [{**object_at(row, "user"), "name": object_at(row, "user").get("nickname")} for row in rows]
    return chat(
        joined,
        [_message(row) for row in rows],
        people({**meta, "name": meta.get("nickname")}, *users),
        subject=first(meta, "subject"),
        tags=words(meta.get("segments")),
        status="closed" if first(session, "state") == "resolved" else first(session, "state"),
        customer=first(meta, "email") or joined.id,
    )


def _message(row: Json) -> Message:
    inner = object_at(row, "content")
    author = first(object_at(row, "user"), "user_id", "nickname")
    return said(
        "user" if row.get("from") == "user" else "assistant",
        first(row, "content") or first(inner, "text"),
        author,
        first(row, "timestamp"),
        _kind(row),
        inner,
    )


def _kind(row: Json) -> Kind:
    kind = first(row, "type") or "text"
    if kind == "note":
        return "note"
    if kind not in _SPOKEN:
        return "system"
    return "bot" if flag(row.get("automated")) and row.get("from") == "operator" else "public"
