"""Zendesk: the full JSON export (a ticket a line), and tickets of the API with their comments put in.

Traps: ``description`` repeats the first comment; ``plain_body`` carries entities; the incremental API has no comments.
A users export in the same import tells end users and agents apart; without it the requester is the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.files.records import Record
from engine.tickets.readers.fields import Json, body, first, object_at, objects, oldest_first, people, text, words

FORMAT = "zendesk"
LABEL = "Zendesk export"
IN_TABLES = False
NO_ANSWERS = (
    "This Zendesk file lists tickets without their comments, so there are no answers in it.",
    "In Zendesk's Admin Center choose Account > Tools > Reports > Export, 'Full JSON export', and drop that file here.",
)
_AUTHOR_IS_SYSTEM = ("-1", "0")
_MERGED = re.compile(
    r"^\s*(?:<[^>]+>\s*)*(?:This request was closed and merged into request"
    r"|Request #\d+ .{0,300} was closed and merged into this request)",
    re.DOTALL,
)
_SYSTEM_CHANNELS = frozenset(("rule", "system", "follow_up", "sample_ticket"))


def evidence(record: Json) -> str:
    """Say what in a record is Zendesk's; empty when it is not."""
    if "requester_id" in record and "submitter_id" in record:
        return "requester_id and submitter_id"
    if _is_user(record):
        return "a Zendesk user's role"
    if "comments" in record and "requester_id" in record and "responder_id" not in record:
        return "requester_id and comments"
    return ""


def has_messages(record: Json) -> bool:
    """Tell a ticket with its comments from one without."""
    return bool(record.get("comments")) or _is_user(record)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket.

    Args:
        records: Tickets and, wherever known, users; users count for the tickets that come after them.
    """
    agents: set[str] = set()
    customers: set[str] = set()
    names: dict[str, tuple[str, ...]] = {}
    for record in records:
        value = record.value
        if _is_user(value):
            user = text(value.get("id"))
            (customers if value.get("role") == "end-user" else agents).add(user)
            names[user] = people(value)
        else:
            yield _conversation(record, agents, customers, names)


def _is_user(record: Json) -> bool:
    return record.get("role") in ("end-user", "agent", "admin") and "comments" not in record and "subject" not in record


def _conversation(
    record: Record, agents: set[str], customers: set[str], names: dict[str, tuple[str, ...]]
) -> Conversation:
    ticket = record.value
    requester = first(ticket, "requester_id") or text(object_at(ticket, "requester").get("id"))
    deleted = ticket.get("status") == "deleted"
    suspended = bool(ticket.get("suspended")) or ticket.get("cause") is not None
    messages = []
    found: dict[str, None] = {}
    for comment in objects(ticket.get("comments")):
        author = text(comment.get("author_id")) or text(object_at(comment, "author").get("id"))
        is_customer = author in customers or (author == requester and author not in agents)
        content, html = body(comment, ("html_body",), ("body", "plain_body", "value"))
        kind: Kind = "hidden" if deleted else "spam" if suspended else _kind(comment, author, content)
        role: Role = "user" if is_customer else "assistant"
        messages.append(Message(role, content, author, first(comment, "created_at"), html, kind))
        found.update(dict.fromkeys(names.get(author, ())))
        found.update(dict.fromkeys(people(_sender(comment), comment.get("author"))))
    parties = (ticket.get("requester"), ticket.get("assignee"), ticket.get("submitter"))
    found.update(dict.fromkeys((*people(_sender(ticket), *parties), *names.get(requester, ()))))
    return Conversation(
        id=first(ticket, "id") or record.place,
        messages=oldest_first(messages),
        subject=first(ticket, "subject", "raw_subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_at"),
        status=first(ticket, "status"),
        customer=requester,
        people=tuple(found),
        source=record.source,
    )


def _sender(record: Json) -> object:
    """Return who a ticket or comment came from by e-mail: ``via.source.from``."""
    source = object_at(record, "via").get("source")
    return source.get("from") if isinstance(source, dict) else None


def _kind(comment: Json, author: str, content: str) -> Kind:
    if comment.get("public") is False:
        return "note"
    channel = object_at(comment, "via").get("channel")
    merged = "merged into" in content[:600] and _MERGED.match(content)
    if author in _AUTHOR_IS_SYSTEM or channel in _SYSTEM_CHANNELS or merged:
        return "system"
    if comment.get("type") == "VoiceComment":
        return "system"
    return "public"
