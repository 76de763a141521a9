"""Zammad: tickets and their articles, together or apart, from the API (with or without ``expand``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    first,
    first_of,
    flag,
    object_at,
    objects,
    oldest_first,
    text,
    words,
)
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "zammad"
LABEL = "Zammad export"
GUIDE = (
    "API: tickets with their articles",
    "JSON",
    "articles; internal ones and the system's are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Zammad file lists tickets without their articles, so there are no answers in it.",
    "Fetch the articles too (GET /api/v1/ticket_articles/by_ticket/{id}) and drop both files together.",
)
# Zammad's seeds (db/seeds/ticket_article_senders.rb): 1 Agent, 2 Customer, 3 System.
_SENDERS = {"1": "agent", "2": "customer", "3": "system", "agent": "agent", "customer": "customer", "system": "system"}


def evidence(record: Json) -> str:
    """Say what in a record is Zammad's; empty when it is not."""
    if _is_article(record):
        return "ticket_id, sender and internal"
    if "articles" in record and ("title" in record or "number" in record):
        return "title and articles"
    if {"number", "title", "group_id", "customer_id"} <= record.keys() or "article_count" in record:
        return "a Zammad ticket"
    return ""


def has_messages(record: Json) -> bool:
    """Tell articles, and tickets with theirs, from tickets without."""
    return _is_article(record) or bool(record.get("articles"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    for ticket in join(records, _parent, lambda value: bool(value.get("articles"))):
        yield _conversation(ticket)


def _is_article(record: Json) -> bool:
    return "ticket_id" in record and "internal" in record and ("sender" in record or "sender_id" in record)


def _parent(record: Json) -> str:
    return first(record, "ticket_id") if _is_article(record) else ""


def _conversation(joined: Joined) -> Conversation:
    ticket = joined.ticket
    articles = [*objects(ticket.get("articles")), *joined.messages]
    messages: list[Message] = []
    names: dict[str, None] = {}
    for article in articles:
        sender = _SENDERS.get(text(article.get("sender") or article.get("sender_id")).lower(), "agent")
        author = first(article, "from", "created_by", "created_by_id")
        names[author] = names[first(article, "created_by")] = None
        kind = _kind(article, sender)
        html = "html" in first(article, "content_type")
        role: Role = "user" if sender == "customer" else "assistant"
        messages.append(
            Message(
                role,
                first(article, "body"),
                author,
                first(article, "created_at"),
                html,
                kind,
            )
        )
    customer = first(ticket, "customer", "customer_id")
    ordered = oldest_first(messages)
    names[first(ticket, "customer")] = names[first(ticket, "owner")] = None
    return Conversation(
        id=first(ticket, "number") or joined.id,
        messages=ordered,
        subject=first(ticket, "title") or first_of(articles, "subject"),
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_at") or (ordered[0].at if ordered else ""),
        status=first(ticket, "state"),
        customer=customer or asker(messages),
        people=tuple(name for name in names if len(name) > 2 and not name.isdigit()),
        source=joined.source,
    )


def _kind(article: Json, sender: str) -> Kind:
    if flag(article.get("internal")):
        return "note"
    # A trigger, scheduler or AI agent that wrote in somebody's name leaves its mark here.
    machine = first(object_at(article, "preferences"), "perform_origin")
    return "system" if sender == "system" or machine else "public"
