"""Intercom: conversations of the API (2.x) with their parts.

Traps: the question is in ``source``; times are Unix seconds; parts of type assignment and the like carry no words for
the customer; answers by bots and AI agents must not be learnt from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of, reopened
from engine.tickets.importing.readers.fields import (
    Json,
    first,
    flag,
    nested,
    object_at,
    objects,
    oldest_first,
    people,
    words,
)

FORMAT = "intercom"
LABEL = "Intercom export"
GUIDE = (
    "API: GET /conversations/{id}",
    "JSON",
    "conversations with their parts; notes, bots and Fin's answers are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Intercom file lists conversations without their parts, so there are no answers in it.",
    "Intercom's data export holds statistics only: fetch each conversation by the API (GET /conversations/{id}).",
)
_ROLES: dict[str, Role] = {"user": "user", "lead": "user", "contact": "user", "visitor": "user"}
_PUBLIC_PARTS = frozenset(("comment", "open", "close", "quick_reply"))
_NOTE_PARTS = frozenset(("note", "note_and_reopen", "assignment", "assign_and_reopen", "assign_and_unsnooze"))
_TAG = re.compile(r"<[^>]{1,200}>")


def evidence(record: Json) -> str:
    """Say what in a record is Intercom's; empty when it is not."""
    if "conversation_parts" in record:
        return "conversation_parts"
    source = record.get("source")
    if record.get("type") == "conversation" and isinstance(source, dict) and "author" in source:
        return "type conversation and source"
    return ""


def has_messages(record: Json) -> bool:
    """Tell a conversation with its parts from one without."""
    return bool(_parts(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a record."""
    for record in records:
        yield _conversation(record)


def _parts(record: Json) -> list[Json]:
    return objects(nested(record, "conversation_parts", "conversation_parts") or record.get("conversation_parts"))


def _conversation(record: Record) -> Conversation:
    value = record.value
    source = object_at(value, "source")
    created = first(value, "created_at")
    opening = _message(source, source, created)
    if first(source, "delivered_as") in ("automated", "operator_initiated"):
        opening = Message(opening.role, opening.content, opening.author, opening.at, True, "bot")
    parts = [_message(part, source, "") for part in _parts(value) if "part_type" in part or part.get("body")]
    authors = [source.get("author"), *(part.get("author") for part in _parts(value))]
    contacts = objects(nested(value, "contacts", "contacts"))
    customer = first(object_at(source, "author"), "id") if opening.role == "user" else ""
    return Conversation(
        id=first(value, "id") or record.place,
        messages=(opening, *oldest_first(parts)),
        subject=_TAG.sub("", first(source, "subject") or first(value, "title")),
        tags=words(nested(value, "tags", "tags")),
        created_at=created,
        status=first(value, "state"),
        customer=customer or (first(contacts[0], "id") if contacts else ""),
        people=people(*authors, contacts),
        source=record.source,
        rating=rating_of(first(object_at(value, "conversation_rating"), "rating")),
        reopened=reopened(first(object_at(value, "statistics"), "count_reopens")),
    )


def _message(part: Json, source: Json, created: str) -> Message:
    author = object_at(part, "author")
    role = _ROLES.get(first(author, "type"), "assistant")
    return Message(
        role,
        first(part, "body"),
        first(author, "id"),
        first(part, "created_at") or created,
        True,
        _kind(part, author, is_source=part is source),
    )


def _kind(part: Json, author: Json, is_source: bool) -> Kind:
    if flag(part.get("redacted")):
        return "redacted"
    if not is_source and first(part, "part_type") != "comment" and not first(part, "body"):
        return "system"
    if author.get("type") == "bot" or flag(author.get("from_ai_agent")) or flag(author.get("is_ai_answer")):
        return "bot"
    if flag(part.get("from_ai_agent")) or flag(part.get("is_ai_answer")):
        return "bot"
    part_type = first(part, "part_type")
    if is_source or part_type in _PUBLIC_PARTS or (not part_type and part.get("body")):
        return "public"
    return "note" if part_type in _NOTE_PARTS else "system"
