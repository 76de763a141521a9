"""HubSpot conversations: threads and their messages, from the conversations API.

Traps: COMMENT is an internal note; a truncated message must not be learnt from; the sender's kind is the first letter
of its actor id (A agent, B bot, E e-mail, I integration, L language model, S system, V visitor).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
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
    people,
    text,
)
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "hubspot"
LABEL = "HubSpot conversations"
IN_TABLES = False
NO_ANSWERS = (
    "This HubSpot file lists threads without their messages, so there are no answers in it.",
    "Fetch the messages of each thread by the API (GET /conversations/v3/conversations/threads/{id}/messages).",
)

_MACHINES = ("B-", "L-", "I-")
"""How the actor ids of bots, language models and integrations begin."""


def evidence(record: Json) -> str:
    """Say what in a record is HubSpot's; empty when it is not."""
    if "conversationsThreadId" in record:
        return "conversationsThreadId"
    if "associatedContactId" in record or ("inboxId" in record and "latestMessageTimestamp" in record):
        return "a HubSpot thread"
    messages = objects(record.get("messages"))
    return "messages with conversationsThreadId" if messages and "conversationsThreadId" in messages[0] else ""


def has_messages(record: Json) -> bool:
    """Tell messages, and threads with theirs, from threads without."""
    return "conversationsThreadId" in record or bool(record.get("messages"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread."""
    joined = join(
        records, lambda value: first(value, "conversationsThreadId"), lambda value: bool(value.get("messages"))
    )
    for thread in joined:
        yield _conversation(thread)


def _conversation(thread: Joined) -> Conversation:
    rows = [*objects(thread.ticket.get("messages")), *thread.messages]
    spam = flag(thread.ticket.get("spam"))
    messages = []
    for row in rows:
        incoming = _incoming(row)
        actor = first(row, "createdBy")
        content = first(row, "richText")
        kind: Kind = "spam" if spam else _kind(row, actor)
        messages.append(
            Message(
                "user" if incoming or (not row.get("direction") and actor.startswith(("V-", "E-"))) else "assistant",
                content or first(row, "text"),
                actor,
                first(row, "createdAt"),
                bool(content),
                kind,
            )
        )
    ordered = oldest_first(messages)
    senders = [sender for row in rows for sender in objects(row.get("senders"))]
    addresses = (text(object_at(sender, "deliveryIdentifier").get("value")) for sender in senders)
    return Conversation(
        id=thread.id,
        messages=ordered,
        subject=first_of(rows, "subject"),
        created_at=first(thread.ticket, "createdAt") or (ordered[0].at if ordered else ""),
        status=first(thread.ticket, "status"),
        customer=first(thread.ticket, "associatedContactId") or asker(ordered),
        people=(*people(senders), *(address for address in addresses if address)),
        source=thread.source,
    )


def _incoming(row: Json) -> bool:
    return first(row, "direction").upper() == "INCOMING"


def _kind(row: Json, actor: str) -> Kind:
    kind = first(row, "type").upper() or "MESSAGE"
    if kind == "COMMENT":
        return "note"
    if kind == "WELCOME_MESSAGE" or (actor.startswith(_MACHINES) and not _incoming(row)):
        return "bot"
    if kind != "MESSAGE" or actor.startswith("S-"):
        return "system"
    if first(row, "truncationStatus").upper().startswith("TRUNCATED"):
        return "truncated"
    return "hidden" if flag(row.get("archived")) else "public"
