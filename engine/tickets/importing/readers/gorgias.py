"""Gorgias: tickets with their messages, or messages with their ticket's id, from the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of
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
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "gorgias"
LABEL = "Gorgias export"
GUIDE = (
    "API: GET /api/messages",
    "JSON",
    "messages joined by their ticket; notes and rules are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Gorgias file lists tickets without their messages, so there are no answers in it.",
    "Fetch the messages too (GET /api/messages) and drop both files together.",
)
CAUTION = (
    "Gorgias' export marks answers by rules, but not for certain those of its AI Agent. If you use it, look through "
    "the answers; 'All answers of agent ...' beside one leaves them out."
)
_BODIES = frozenset(("body_html", "body_text", "stripped_text"))


def evidence(record: Json) -> str:
    """Say what in a record is Gorgias'; empty when it is not."""
    if "from_agent" in record and _BODIES & record.keys() and ("ticket_id" in record or "stripped_text" in record):
        return "from_agent"
    messages = objects(record.get("messages"))
    if messages and "from_agent" in messages[0]:
        return "messages with from_agent"
    return "created_datetime and messages_count" if {"created_datetime", "messages_count"} <= record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and tickets with theirs, from tickets without."""
    return "from_agent" in record or bool(record.get("messages"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    parent = lambda value: first(value, "ticket_id") if "from_agent" in value else ""  # noqa: E731
    for ticket in join(records, parent, lambda value: bool(value.get("messages"))):
        yield _conversation(ticket)


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    rows = [*objects(ticket.get("messages")), *joined.messages]
    whole: Kind = "spam" if flag(ticket.get("spam")) else "hidden" if ticket.get("trashed_datetime") else "public"
    messages, found = [], []
    for row in rows:
        sender = object_at(row, "sender")
        found.extend([sender, object_at(row, "receiver"), object_at(row, "source", "from")])
        # The whole body lets our own cleaning see its markup; stripped_text has lost it.
        content, html = body(row, ("body_html",), ("body_text", "stripped_text"))
        kind = whole if whole != "public" else _kind(row)
        messages.append(
            Message(
                "assistant" if flag(row.get("from_agent")) else "user",
                content,
                first(sender, "id", "email") or first(row, "sender_id"),
                first(row, "created_datetime", "sent_datetime"),
                html,
                kind,
            )
        )
    ordered = oldest_first(messages)
    customer = object_at(ticket, "customer")
    return Conversation(
        id=first(ticket, "id") or joined.id,
        messages=ordered,
        subject=first(ticket, "subject") or first_of(rows, "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_datetime") or (ordered[0].at if ordered else ""),
        status=first(ticket, "status"),
        customer=first(customer, "id", "email") or asker(messages),
        people=people(customer, ticket.get("assignee_user"), *found),
        source=joined.source,
        rating=rating_of(first(object_at(ticket, "satisfaction_survey"), "score")),
    )


def _kind(row: Json) -> Kind:
    if row.get("public") is not None and not flag(row.get("public")):
        return "note"
    if first(row, "channel") == "internal-note":
        return "note"
    if first(row, "via") in ("rule", "ai-agent") or row.get("rule_id"):
        return "bot" if flag(row.get("from_agent")) else "public"
    return "public"
