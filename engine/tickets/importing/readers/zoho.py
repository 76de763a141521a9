"""Zoho Desk: tickets with their threads and comments, or those with their ticket's id, from the API.

Traps: newest first; ``summary`` is cut and ``content`` is whole; a comment with ``isPublic: false`` is internal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    first,
    flag,
    object_at,
    objects,
    oldest_first,
    people,
    words,
)
from engine.tickets.importing.readers.joining import Joined, by_file, join

FORMAT = "zoho"
LABEL = "Zoho Desk export"
GUIDE = (
    "Setup > Data Administration > Data Backup, or the API",
    "JSON, CSV",
    "threads and comments; private ones are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Zoho Desk file lists tickets without their threads, so there are no answers in it.",
    "Fetch the threads too (GET /api/v1/tickets/{id}/threads, then each thread's content) and drop all files together.",
)
CAUTION = (
    "Zoho Desk's export does not mark what its AI (Zia) or an answer bot wrote. If you use one, look through the "
    "answers; 'All answers of agent ...' beside one leaves them out."
)
_LISTS = ("threads", "conversations", "comments")


def evidence(record: Json) -> str:
    """Say what in a record is Zoho Desk's; empty when it is not."""
    if _is_message(record):
        return "direction and visibility" if "direction" in record else "commenter"
    messages = _own(record)
    if messages and any(_is_message(message) for message in messages):
        return "threads with direction"
    if "ticketNumber" in record and ("contactId" in record or "departmentId" in record or "threadCount" in record):
        return "ticketNumber"
    return ""


def has_messages(record: Json) -> bool:
    """Tell threads, and tickets with theirs, from tickets without."""
    return _is_message(record) or bool(_own(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    whole = by_file(records, lambda value: _is_message(value) and not _parent(value))
    for ticket in join(whole, _parent, lambda value: bool(_own(value))):
        yield _conversation(ticket)


def _is_message(record: Json) -> bool:
    if first(record, "direction").lower() in ("in", "out") and ("author" in record or "summary" in record):
        return True
    return "commenter" in record or ("commentedTime" in record and "content" in record)


def _own(record: Json) -> list[Json]:
    return [row for key in _LISTS if isinstance(record.get(key), list) for row in objects(record.get(key))]


def _parent(record: Json) -> str:
    return first(record, "ticketId", "ticket_id", "file") if _is_message(record) else ""


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    rows = [*_own(ticket), *joined.messages]
    whole: Kind = "spam" if flag(ticket.get("isSpam")) else "hidden" if flag(ticket.get("isTrashed")) else "public"
    messages, found = [], []
    for row in rows:
        author = object_at(row, "author") or object_at(row, "commenter")
        found.append(author)
        incoming = first(row, "direction").lower() == "in" or (
            "direction" not in row and first(author, "type").upper() in ("END_USER", "CONTACT")
        )
        content = first(row, "content", "plainText")
        kind = whole if whole != "public" else _kind(row, bool(content))
        messages.append(
            Message(
                "user" if incoming else "assistant",
                content or first(row, "summary"),
                first(author, "id", "email", "name"),
                first(row, "createdTime", "commentedTime", "postedTime"),
                "html" in first(row, "contentType").lower() or bool(row.get("content")),
                kind,
            )
        )
    ordered = oldest_first(messages)
    if all(message.role == "assistant" for message in ordered) and (asked := first(ticket, "description")):
        ordered = (
            Message("user", asked, first(ticket, "contactId"), first(ticket, "createdTime"), True, whole),
            *ordered,
        )
    contact = object_at(ticket, "contact")
    return Conversation(
        id=first(ticket, "ticketNumber") or joined.id,
        messages=ordered,
        subject=first(ticket, "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "createdTime") or (ordered[0].at if ordered else ""),
        status=first(ticket, "statusType", "status"),
        customer=first(ticket, "contactId", "email") or asker(ordered),
        people=people(contact, ticket.get("assignee"), *found, ticket),
        source=joined.source,
    )


def _kind(row: Json, whole: bool) -> Kind:
    author = object_at(row, "author") or object_at(row, "commenter")
    if first(author, "type").upper() in ("SYSTEM", "BOT"):
        return "system"
    if "isPublic" in row:
        return "public" if flag(row.get("isPublic")) else "note"
    visibility = first(row, "visibility").lower()
    if visibility and visibility != "public":
        return "note"
    status = first(row, "status").lower()
    if status == "draft":
        return "draft"
    return "public" if whole else "truncated"
