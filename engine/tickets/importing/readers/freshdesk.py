"""Freshdesk: tickets of the API with their conversations, and the account export as JSON or XML.

Traps: the customer's first message is only in the ticket's description; ``private`` marks a note; forwarded mails go to
third parties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of, reopened
from engine.tickets.importing.readers.fields import (
    Json,
    body,
    first,
    flag,
    object_at,
    objects,
    oldest_first,
    people,
    text,
    words,
)
from engine.tickets.importing.readers.joining import join

FORMAT = "freshdesk"
LABEL = "Freshdesk export"
GUIDE = (
    "Admin > Account > Account Export, or the API with include=conversations",
    "JSON, XML",
    "tickets with their replies; private notes, forwards and surveys are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Freshdesk file lists tickets without their conversations, so there are no answers in it.",
    "In Freshdesk choose Admin > Account > Account Export (tickets), or fetch the tickets with include=conversations.",
)
CAUTION = (
    "Freshdesk's export does not mark what its AI (Freddy) wrote. If you use it, look through the answers; "
    "'All answers of agent ...' beside one leaves them out."
)
_THREADS = ("conversations", "notes", "helpdesk_notes")
_FORWARD = "8"
_SURVEY = "6"


def evidence(record: Json) -> str:
    """Say what in a record is Freshdesk's; empty when it is not."""
    if _is_reply(record):
        return "ticket_id, incoming and private"
    if "responder_id" in record and ("description_text" in record or "conversations" in record):
        return "responder_id and description_text"
    if "display_id" in record and ("notes" in record or "helpdesk_notes" in record or "description_html" in record):
        return "display_id and notes (account export)"
    return ""


def has_messages(record: Json) -> bool:
    """Tell a ticket with its conversations from one without."""
    return _is_reply(record) or any(record.get(key) for key in _THREADS)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket; its replies may come apart from it."""
    parent = lambda value: first(value, "ticket_id") if _is_reply(value) else ""  # noqa: E731
    complete = lambda value: any(value.get(key) for key in _THREADS)  # noqa: E731
    for joined in join(records, parent, complete, ("id", "display_id")):
        replies = {"conversations": list(joined.messages)} if joined.messages else {}
        yield _conversation(Record({**joined.ticket, **replies}, joined.source, joined.id))


def _is_reply(record: Json) -> bool:
    """Tell a reply of the API (GET /api/v2/tickets/{id}/conversations), which names its ticket."""
    told = {"ticket_id", "incoming", "private", "user_id"} <= record.keys()
    return told and ("body" in record or "body_text" in record)


def _conversation(record: Record) -> Conversation:
    ticket = record.value
    requester = first(ticket, "requester_id")
    whole: Kind = "spam" if flag(ticket.get("spam")) else "hidden" if flag(ticket.get("deleted")) else "public"
    content, html = body(ticket, ("description_html", "description"), ("description_text",))
    messages = [Message("user", content, requester, first(ticket, "created_at"), html, whole)]
    notes = [_inner(note) for key in _THREADS for note in objects(ticket.get(key))]
    replies = []
    for note in notes:
        author = first(note, "user_id")
        content, html = body(note, ("body_html", "body"), ("body_text",))
        customer = flag(note.get("incoming")) or (bool(author) and author == requester)
        kind = whole if whole != "public" else _kind(note)
        replies.append(
            Message("user" if customer else "assistant", content, author, first(note, "created_at"), html, kind)
        )
    named = tuple(first(ticket, key) for key in ("requester_name", "responder_name") if first(ticket, key))
    return Conversation(
        id=first(ticket, "id", "display_id") or record.place,
        messages=(*(messages if ticket.keys() - set(_THREADS) else ()), *oldest_first(replies)),
        subject=first(ticket, "subject"),
        tags=words([_inner(tag) if isinstance(tag, dict) else tag for tag in _listed(ticket.get("tags"))]),
        created_at=first(ticket, "created_at"),
        status=first(ticket, "status_name", "status"),
        customer=requester or first(ticket, "email"),
        people=(*named, *people(ticket.get("requester"), ticket.get("responder"), ticket)),
        source=record.source,
        rating=rating_of(first(object_at(ticket, "satisfaction_rating", "ratings"), "default_question")),
        reopened=reopened(first(object_at(ticket, "stats"), "reopened_at")),
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _inner(note: Json) -> Json:
    """Take off the wrapper that the account export puts around each note: ``{"helpdesk_note": {...}}``."""
    if len(note) == 1:
        (only,) = note.values()
        if isinstance(only, dict):
            return only
    return note


def _kind(note: Json) -> Kind:
    if flag(note.get("private")):
        return "note"
    if flag(note.get("deleted")):
        return "hidden"
    source = text(note.get("source"))
    if source == _FORWARD:
        return "note"
    return "system" if source == _SURVEY else "public"
