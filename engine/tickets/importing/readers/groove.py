"""Groove: tickets and their messages from the REST API.

Traps: people and tickets are links, and whose a message is stands in the link of its author (``/agents/`` or
``/customers/``). Field names: https://doc.groovehq.com/messages and https://doc.groovehq.com/tickets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    body,
    first,
    flag,
    object_at,
    objects,
    oldest_first,
    people,
    words,
)
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "groove"
LABEL = "Groove export"
GUIDE = (
    "API: GET /v1/tickets and /v1/tickets/{number}/messages",
    "JSON",
    "messages joined by their ticket; notes are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Groove file lists tickets without their messages, so there are no answers in it.",
    "Fetch the messages of each ticket too (GET /v1/tickets/{number}/messages) and drop all files together.",
)


def evidence(record: Json) -> str:
    """Say what in a record is Groove's; empty when it is not."""
    if _is_message(record):
        return "plain_text_body and links to author and ticket"
    messages = objects(record.get("messages"))
    if messages and _is_message(messages[0]):
        return "messages with plain_text_body and links"
    return "links at Groove's API" if "groovehq" in first(record, "href") and "links" in record else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and tickets with theirs, from tickets without."""
    return _is_message(record) or bool(record.get("messages"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    parent = lambda value: _end(_link(value, "ticket")) if _is_message(value) else ""  # noqa: E731
    for joined in join(records, parent, lambda value: bool(value.get("messages")), ("number", "id")):
        yield _conversation(joined)


def _is_message(record: Json) -> bool:
    return "plain_text_body" in record and bool(_link(record, "author"))


def _link(record: Json, name: str) -> str:
    return first(object_at(record, "links", name), "href")


def _end(link: str) -> str:
    """Return what a link ends with: a number, or an address."""
    return unquote(link.partition("?")[0].rstrip("/").rpartition("/")[2])


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    rows = [*objects(ticket.get("messages")), *joined.messages]
    whole: Kind = "spam" if first(ticket, "state") == "spam" else "public"
    ordered = oldest_first(_message(row, whole) for row in rows)
    named = [_end(_link(row, who)) for row in rows for who in ("author", "recipient")]
    asked = _end(_link(ticket, "customer"))
    return Conversation(
        id=joined.id,
        messages=ordered,
        subject=first(ticket, "title", "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_at") or (ordered[0].at if ordered else ""),
        status=first(ticket, "state"),
        customer=asked or asker(ordered),
        people=tuple(dict.fromkeys([*people(ticket.get("customer")), *filter(None, [asked, *named])])),
        source=joined.source,
    )


def _message(row: Json, whole: Kind) -> Message:
    author = _link(row, "author")
    content, html = body(row, ("body",), ("plain_text_body",))
    kind: Kind = "note" if flag(row.get("note")) else whole
    if "/agents/" not in author and "/customers/" not in author:
        kind = "unknown" if kind == "public" else kind
    return Message(
        "user" if "/customers/" in author else "assistant", content, _end(author), first(row, "created_at"), html, kind
    )
