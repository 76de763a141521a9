"""WHMCS: tickets with their replies and notes, from the API (GetTicket).

Traps: lists are wrapped once more (``replies.reply``); an admin may open a ticket; the opening message is the first
reply. Field names: https://developers.whmcs.com/api-reference/getticket/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    first,
    looks_like_html,
    object_at,
    objects,
    oldest_first,
)

FORMAT = "whmcs"
LABEL = "WHMCS tickets"
GUIDE = (
    "API: GetTicket",
    "JSON",
    "tickets with their replies; notes are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This WHMCS file lists tickets without their replies, so there are no answers in it.",
    "Fetch each ticket by the API's GetTicket, which brings replies and notes, and drop all files together.",
)


def evidence(record: Json) -> str:
    """Say what in a record is WHMCS'; empty when it is not."""
    return "tid, deptid and ticketid" if "tid" in record and {"deptid", "ticketid"} & record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell a ticket with its replies from one of a list."""
    return bool(_listed(record, "replies", "reply"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    for record in records:
        yield _conversation(record)


def _listed(ticket: Json, outer: str, inner: str) -> list[Json]:
    value = ticket.get(outer)
    return objects(object_at(ticket, outer).get(inner)) if isinstance(value, dict) else objects(value)


def _conversation(record: Record) -> Conversation:
    ticket = record.value
    replies = _listed(ticket, "replies", "reply")
    messages = [_message(reply) for reply in replies]
    messages += [
        Message("assistant", first(note, "message"), first(note, "admin"), first(note, "date"), kind="note")
        for note in _listed(ticket, "notes", "note")
    ]
    ordered = oldest_first(messages)
    names = (first(person, key) for person in (ticket, *replies) for key in _NAMES)
    return Conversation(
        id=first(ticket, "tid", "ticketid") or record.place,
        messages=ordered,
        subject=first(ticket, "subject"),
        created_at=first(ticket, "date"),
        status=first(ticket, "status"),
        customer=first(ticket, "email", "requestor_email") or asker(ordered),
        people=tuple(dict.fromkeys(name for name in names if len(name) > 2)),
        source=record.source,
    )


_NAMES = ("name", "owner_name", "requestor_name", "email", "requestor_email", "admin")


def _message(reply: Json) -> Message:
    ours = bool(first(reply, "admin")) or first(reply, "requestor_type").casefold() == "operator"
    author = first(reply, "admin", "email", "requestor_email", "name", "requestor_name")
    content = first(reply, "message")
    return Message("assistant" if ours else "user", content, author, first(reply, "date"), looks_like_html(content))
