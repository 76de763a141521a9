"""HubSpot: threads, messages and actors of the conversations API; tickets, mails and notes of the CRM.

Traps: COMMENT is an internal note; a truncated message must not be learnt from; the sender's kind is the first letter
of its actor id (A agent, B bot, E e-mail, I integration, L language model, S system, V visitor).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.cleaning.message import clean_message
from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    first,
    first_of,
    flag,
    looks_like_html,
    object_at,
    objects,
    oldest_first,
    people,
    text,
)
from engine.tickets.importing.readers.hubspot_crm import as_conversations_api, crm_evidence, crm_has_messages
from engine.tickets.importing.readers.joining import Joined, by_file, join

FORMAT = "hubspot"
LABEL = "HubSpot conversations"
GUIDE = (
    "API: conversations/v3 threads and messages, or the CRM's tickets, mails and notes",
    "JSON, CSV",
    "threads; comments, bots and truncated messages are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This HubSpot file lists threads without their messages, so there are no answers in it.",
    "Fetch the messages of each thread by the API (GET /conversations/v3/conversations/threads/{id}/messages).",
)

_ACTOR = re.compile(r"[A-Z]-[\w-]{1,40}")
_MACHINES = ("B-", "L-", "I-")
"""How the actor ids of bots, language models and integrations begin."""


def evidence(record: Json) -> str:
    """Say what in a record is HubSpot's; empty when it is not."""
    if "conversationsThreadId" in record:
        return "conversationsThreadId"
    if _is_loose(record):
        return "direction, createdBy and truncationStatus"
    if "associatedContactId" in record or ("inboxId" in record and "latestMessageTimestamp" in record):
        return "a HubSpot thread"
    if _is_actor(record):
        return "a HubSpot actor"
    messages = objects(record.get("messages"))
    told = "messages with conversationsThreadId" if messages and "conversationsThreadId" in messages[0] else ""
    return told or crm_evidence(record)


def has_messages(record: Json) -> bool:
    """Tell messages, and threads with theirs, from threads without."""
    told = "conversationsThreadId" in record or _is_loose(record)
    return told or bool(record.get("messages")) or crm_has_messages(record)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread."""
    actors: dict[str, tuple[str, ...]] = {}
    joined = join(
        by_file(_without_actors(records, actors), _is_loose),
        lambda value: first(value, "conversationsThreadId", "file"),
        lambda value: bool(value.get("messages")),
    )
    for thread in joined:
        yield _conversation(thread, actors)


def _is_loose(record: Json) -> bool:
    """Tell a message of one thread that does not name it."""
    return {"direction", "createdBy", "truncationStatus"} <= record.keys() and "conversationsThreadId" not in record


def _is_actor(record: Json) -> bool:
    return _ACTOR.fullmatch(first(record, "id")) is not None and ("name" in record or "email" in record)


def _without_actors(records: Iterable[Record], actors: dict[str, tuple[str, ...]]) -> Iterator[Record]:
    """Take in the names of actors, and pass everything else on as the conversations API gives it."""
    for record in records:
        if _is_actor(record.value):
            actors[first(record.value, "id")] = people(record.value)
        elif "properties" in record.value:
            yield Record(as_conversations_api(record.value), record.source, record.place)
        else:
            yield record


def _conversation(thread: Joined, actors: dict[str, tuple[str, ...]]) -> Conversation:
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
    asked = first(thread.ticket, "content")
    if asked and not any(message.role == "user" and _same(asked, message) for message in messages):
        messages.insert(0, Message("user", asked, "", first(thread.ticket, "createdAt"), looks_like_html(asked)))
    ordered = oldest_first(messages)
    senders = [sender for row in rows for sender in objects(row.get("senders"))]
    addresses = (text(object_at(sender, "deliveryIdentifier").get("value")) for sender in senders)
    named = (name for row in rows for name in actors.get(first(row, "createdBy"), ()))
    return Conversation(
        id=thread.id,
        messages=ordered,
        subject=first(thread.ticket, "subject") or first_of(rows, "subject"),
        created_at=first(thread.ticket, "createdAt") or (ordered[0].at if ordered else ""),
        status=first(thread.ticket, "status"),
        customer=first(thread.ticket, "associatedContactId") or asker(ordered),
        people=tuple(dict.fromkeys((*people(senders), *filter(None, addresses), *named))),
        source=thread.source,
    )


def _same(asked: str, message: Message) -> bool:
    """Tell the mail that a ticket was made of, which its content repeats without the mark-up."""
    said = clean_message(message.content, html=True) if message.html else message.content
    asked, said = ("".join(words.casefold().split()) for words in (asked, said))
    return bool(said) and (said.startswith(asked[:200]) or asked.startswith(said[:200]))


def _incoming(row: Json) -> bool:
    return first(row, "direction").upper() == "INCOMING"


def _kind(row: Json, actor: str) -> Kind:
    kind = first(row, "type").upper() or "MESSAGE"
    if kind == "COMMENT":
        return "note"
    if kind == "DRAFT":
        return "draft"
    if kind == "WELCOME_MESSAGE" or (actor.startswith(_MACHINES) and not _incoming(row)):
        return "bot"
    if kind != "MESSAGE" or actor.startswith("S-"):
        return "system"
    if first(row, "truncationStatus").upper().startswith("TRUNCATED"):
        return "truncated"
    return "hidden" if flag(row.get("archived")) else "public"
