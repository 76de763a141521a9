"""Front: messages of the API, inside conversations or with a link to theirs.

Traps: ``author`` is null on inbound messages, and a rule or an AI on others; times are seconds with a fraction;
comments are internal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    body,
    first,
    first_of,
    flag,
    object_at,
    objects,
    oldest_first,
    people,
    words,
)
from engine.tickets.importing.readers.joining import Joined, by_file, join

FORMAT = "front"
LABEL = "Front export"
GUIDE = (
    "API: conversations and their messages",
    "JSON",
    "messages joined by their conversation; drafts, rules and the AI are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Front file lists conversations without their messages, so there are no answers in it.",
    "Fetch the messages of each conversation (GET /conversations/{id}/messages) and drop all files together.",
)

_MACHINES = frozenset(("ai", "api", "application", "bulk_reply", "integration", "macro", "rule"))
"""Values of author.type that are no person's; people are ``user`` and ``visitor``."""
_SURVEYS = frozenset(("csat", "smart_csat"))


def evidence(record: Json) -> str:
    """Say what in a record is Front's; empty when it is not."""
    if "is_inbound" in record:
        return "is_inbound"
    messages = objects(record.get("messages"))
    if messages and "is_inbound" in messages[0]:
        return "messages with is_inbound"
    if first(record, "id").startswith(("cnv_", "com_")):
        return "ids that begin with cnv_"
    return ""


def has_messages(record: Json) -> bool:
    """Tell messages, and conversations with theirs, from conversations without."""
    return "is_inbound" in record or bool(record.get("messages"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a Front conversation."""
    whole = by_file(records, lambda value: _is_message(value) and not _parent(value))
    for conversation in join(whole, _parent, lambda value: bool(value.get("messages"))):
        yield _conversation(conversation)


def _is_message(record: Json) -> bool:
    return "is_inbound" in record or first(record, "id").startswith("com_")


def _parent(record: Json) -> str:
    if not _is_message(record):
        return ""
    link = first(object_at(record, "_links", "related"), "conversation")
    known = first(record, "conversation_id") or first(object_at(record, "conversation"), "id")
    return known or link.rstrip("/").rsplit("/", 1)[-1] or first(record, "file")


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    rows = [*objects(ticket.get("messages")), *objects(ticket.get("comments")), *joined.messages]
    status = first(ticket, "status")
    whole: Kind = "spam" if status == "spam" else "hidden" if status in ("deleted", "trashed") else "public"
    messages, found = [], []
    for row in rows:
        inbound = flag(row.get("is_inbound"))
        recipients = objects(row.get("recipients"))
        sender = next((person for person in recipients if person.get("role") == "from"), {})
        author = object_at(row, "author")
        found.extend([author, *recipients])
        content, html = body(row, ("body",), ("text",))
        kind = whole if whole != "public" else _kind(row)
        messages.append(
            Message(
                "user" if inbound else "assistant",
                content,
                first(author, "id", "email") or first(sender, "handle"),
                first(row, "created_at", "posted_at"),
                html,
                kind,
            )
        )
    ordered = oldest_first(messages)
    recipient = object_at(ticket, "recipient")
    handles = (first(person, "handle") for person in [recipient, *found])
    return Conversation(
        id=joined.id,
        messages=ordered,
        subject=first(ticket, "subject") or first_of(rows, "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_at") or (ordered[0].at if ordered else ""),
        status="closed" if status == "archived" else status,
        customer=first(recipient, "handle") or asker(messages),
        people=(*people(recipient, ticket.get("assignee"), *found), *(handle for handle in handles if handle)),
        source=joined.source,
    )


def _kind(row: Json) -> Kind:
    if "is_inbound" not in row:
        return "note"
    if flag(row.get("is_draft")) or row.get("draft_mode"):
        return "draft"
    author = first(object_at(row, "author"), "type")
    if author in _SURVEYS:
        return "system"
    if author in _MACHINES and not flag(row.get("is_inbound")):
        return "bot"
    return "system" if first(row, "type") in ("call", "internal") else "public"
