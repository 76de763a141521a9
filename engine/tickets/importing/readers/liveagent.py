"""LiveAgent: tickets and the groups of their messages, from API v3.

Traps: a mail is a group of several messages (headers, title, words, what was quoted, files) of which one is said; a
chat is one group with messages of both sides, told by their users; groups name no ticket, so that those of a file are
taken for one. Codes: MessageGroup, Message and Ticket at https://github.com/QualityUnit/LiveAgent-api-python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, asker, first, looks_like_html, objects, oldest_first, words
from engine.tickets.importing.readers.joining import Joined, by_file, join

FORMAT = "liveagent"
LABEL = "LiveAgent export"
GUIDE = (
    "API v3: GET /tickets and /tickets/{id}/messages",
    "JSON",
    "groups of messages joined by their ticket; internal ones, notes and the system's are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This LiveAgent file lists tickets without their messages, so there are no answers in it.",
    "Fetch the messages of each ticket too (GET /tickets/{id}/messages) and drop all files together.",
)
_SAID = frozenset(("M", "Y", "V"))
_INTERNAL = frozenset(("I", "N", "L", "1"))
_FILE = "F"
_MACHINE = frozenset(("S", "K", "X", "3"))
"""Types of a message; the others are headers, titles, quotes and marks, in which nobody speaks."""
_FROM_CUSTOMER, _FROM_US, _NOT_SAID = frozenset("357"), frozenset("4"), frozenset("SRTJXG2L")
_INTERNAL_GROUPS = frozenset("IUZ1OQ")
"""Types of a group: internal ones, and what was forwarded to others."""


def evidence(record: Json) -> str:
    """Say what in a record is LiveAgent's; empty when it is not."""
    if _is_group(record):
        return "groups of messages with userid and datecreated"
    if any(map(_is_group, _groups(record)[:1])):
        return "tickets with groups of messages"
    return "owner_contactid and departmentid" if {"owner_contactid", "departmentid"} <= record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell groups, and tickets with theirs, from tickets without."""
    return _is_group(record) or bool(_groups(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    for joined in join(by_file(records, _is_loose), _parent, lambda value: bool(_groups(value)), ("id", "code")):
        yield _conversation(joined)


def _is_group(record: Json) -> bool:
    messages = objects(record.get("messages"))
    return "datecreated" in record and "type" in record and any("datecreated" in message for message in messages[:1])


def _groups(record: Json) -> list[Json]:
    if _is_group(record):
        return []
    names = ("message_groups", "messageGroups", "messages", "groups")
    return [group for name in names for group in objects(record.get(name)) if _is_group(group)]


def _ticket_of(record: Json) -> str:
    return first(record, "ticketid", "ticket_id", "ticketId", "conversationid")


def _is_loose(record: Json) -> bool:
    return _is_group(record) and not _ticket_of(record)


def _parent(record: Json) -> str:
    return (_ticket_of(record) or first(record, "file")) if _is_group(record) else ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """Ids of users whose side a group or the ticket tells."""

    ours: frozenset[str]
    theirs: frozenset[str]

    def of(self, user: str) -> Role | None:
        """Return the side of a user; None where nothing tells it."""
        if user in self.ours or user in self.theirs:
            return "assistant" if user in self.ours else "user"
        return None if not user or bool(self.ours) == bool(self.theirs) else "user" if self.ours else "assistant"


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    groups = [*_groups(ticket), *joined.messages]
    sides = _Sides(
        frozenset(filter(None, (first(ticket, "agentid"), *_users(groups, _FROM_US)))),
        frozenset(filter(None, (first(ticket, "owner_contactid"), *_users(groups, _FROM_CUSTOMER)))),
    )
    whole: Kind = {"B": "spam", "X": "hidden"}.get(first(ticket, "status"), "public")  # type: ignore[assignment]
    ordered = oldest_first(
        message
        for group in groups
        for row in objects(group.get("messages"))
        for message in _messages(row, group, sides, whole)
    )
    names = [first(ticket, "owner_name"), first(ticket, "owner_email")]
    names += [first(group, "user_full_name") for group in groups]
    return Conversation(
        id=first(ticket, "code") or joined.id,
        messages=ordered,
        subject=first(ticket, "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "date_created") or (ordered[0].at if ordered else ""),
        status={"R": "resolved", "L": "closed", "A": "answered"}.get(first(ticket, "status"), first(ticket, "status")),
        customer=first(ticket, "owner_email", "owner_contactid") or asker(ordered),
        people=tuple(dict.fromkeys(name for name in names if len(name) > 1)),
        source=joined.source,
    )


def _users(groups: Iterable[Json], types: frozenset[str]) -> Iterator[str]:
    return (first(group, "userid") for group in groups if first(group, "type") in types)


def _messages(row: Json, group: Json, sides: _Sides, whole: Kind) -> Iterator[Message]:
    """Yield a message where one is said, written within, or made by a machine."""
    type_, of_group = first(row, "type"), first(group, "type")
    if type_ not in _SAID | _INTERNAL | _MACHINE and type_ != _FILE:
        return
    user = first(row, "userid") or first(group, "userid")
    role: Role | None = "user" if of_group in _FROM_CUSTOMER else "assistant" if of_group in _FROM_US else None
    role = role or sides.of(user)
    kind = whole
    if of_group == "B" or first(group, "status") == "D":
        kind = "spam" if of_group == "B" else "hidden"
    elif type_ in _MACHINE or of_group in _NOT_SAID or first(row, "format") in ("J", "Z"):
        kind = "system"
    elif type_ in _INTERNAL or of_group in _INTERNAL_GROUPS:
        kind = "note"
    elif role is None:
        kind = "unknown"
    elif type_ == _FILE:
        kind = "attachment"
    content = first(row, "message")
    html = first(row, "format") in ("H", "Y") or looks_like_html(content)
    yield Message(role or "assistant", content, user, first(row, "datecreated"), html, kind)
