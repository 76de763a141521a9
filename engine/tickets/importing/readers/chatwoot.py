"""Chatwoot: conversations with their messages, or messages with their conversation's id, from the API.

Traps: ``sender_type`` calls an agent ``User``; bots write outgoing messages like agents; activities and templates are
messages as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Rating
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    first,
    flag,
    object_at,
    objects,
    oldest_first,
    people,
    text,
    words,
)
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "chatwoot"
LABEL = "Chatwoot export"
GUIDE = (
    "API: conversations and their messages",
    "JSON, CSV",
    "messages joined by their conversation; private notes, activities and bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Chatwoot file lists conversations without their messages, so there are no answers in it.",
    "Fetch the messages too (GET /api/v1/accounts/{id}/conversations/{id}/messages) and drop all files together.",
)
# The enum of Chatwoot's app/models/message.rb; the API gives numbers, its database dumps and webhooks words.
_TYPES = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
_KNOWN = frozenset(_TYPES.values())


def evidence(record: Json) -> str:
    """Say what in a record is Chatwoot's; empty when it is not."""
    if _is_message(record):
        return "message_type, sender_type and private"
    messages = objects(record.get("messages"))
    return "messages with message_type and private" if messages and _is_message(messages[0]) else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and conversations with theirs, from conversations without."""
    return _is_message(record) or bool(record.get("messages"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a Chatwoot conversation."""
    parent = lambda value: first(value, "conversation_id") if _is_message(value) else ""  # noqa: E731
    for conversation in join(records, parent, lambda value: bool(value.get("messages"))):
        yield _conversation(conversation)


def _is_message(record: Json) -> bool:
    told = "sender_type" in record or "content_type" in record or isinstance(record.get("sender"), dict)
    return "private" in record and told and _type(record) in _KNOWN


def _type(row: Json) -> str:
    written = text(row.get("message_type")).strip().lower()
    return _TYPES.get(written, written)


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    rows = [*objects(ticket.get("messages")), *joined.messages]
    contact = object_at(ticket, "meta", "sender")
    messages = []
    for row in rows:
        sender = object_at(row, "sender")
        messages.append(
            Message(
                "user" if _type(row) == "incoming" else "assistant",
                first(row, "content", "processed_message_content"),
                first(sender, "id", "name") or first(row, "sender_id"),
                first(row, "created_at"),
                kind=_kind(row, sender),
            )
        )
    ordered = oldest_first(messages)
    return Conversation(
        id=joined.id,
        messages=ordered,
        subject=first(object_at(ticket, "additional_attributes"), "mail_subject"),
        tags=words(ticket.get("labels")),
        created_at=first(ticket, "created_at") or (ordered[0].at if ordered else ""),
        status=first(ticket, "status"),
        customer=first(contact, "id", "email") or asker(ordered),
        people=people(contact, object_at(ticket, "meta", "assignee"), *(row.get("sender") for row in rows)),
        source=joined.source,
        rating=next((told for place in (ticket, *reversed(rows)) if (told := _rating(place))), ""),
    )


def _rating(place: Json) -> Rating:
    """What the customer answered to the survey: beside the conversation, or in the message that has asked."""
    values = object_at(place, "content_attributes", "submitted_values") or place
    return rating_of(first(object_at(values, "csat_survey_response"), "rating"))


def _kind(row: Json, sender: Json) -> Kind:
    if flag(row.get("private")):
        return "note"
    if _type(row) == "activity":
        return "system"
    machine = first(row, "sender_type").lower() in ("agentbot", "captain::assistant") or first(sender, "type") in (
        *("agent_bot", "captain_assistant"),
    )
    if machine or _type(row) == "template":
        return "bot"
    return "hidden" if flag(object_at(row, "content_attributes").get("deleted")) else "public"
