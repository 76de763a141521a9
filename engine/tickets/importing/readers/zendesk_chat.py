"""Zendesk Chat: chats and offline messages of its own API, with their history.

Traps: joining and leaving are entries of the history; triggers write as an agent called trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.parties import is_machine_name
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, people, text, words
from engine.tickets.importing.readers.joining import Joined
from engine.tickets.importing.readers.transcripts import is_visitor
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "zendesk_chat"
LABEL = "Zendesk Chat history"
GUIDE = (
    "API: GET /api/v2/chats/{id}",
    "JSON",
    "chats and offline messages with their history",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Zendesk Chat file lists chats without their history, so there are no answers in it.",
    "Fetch each chat whole (GET /api/v2/chats/{id}, or the incremental export with fields=chats(*)).",
)


def evidence(record: Json) -> str:
    """Say what in a record is that of Zendesk Chat; empty when it is not."""
    if any(first(row, "type").startswith("chat.") for row in objects(record.get("history"))):
        return "history with chat.msg"
    told = first(record, "type") in ("chat", "offline_msg") and isinstance(record.get("visitor"), dict)
    return "a chat with its visitor and session" if told and "session" in record else ""


def has_messages(record: Json) -> bool:
    """Tell a chat with its history from one without."""
    return bool(objects(record.get("history")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a chat."""
    for record in records:
        value, visitor = record.value, object_at(record.value, "visitor")
        rows = objects(value.get("history"))
        agents = value.get("agent_names")
        names = [name for row in rows if (name := first(row, "name")) and not is_visitor(name)]
        names += [text(name) for name in agents] if isinstance(agents, list) else []
        joined = Joined(first(value, "id") or record.place, value, (), record.source)
        known = [name for name in people(visitor) if not is_visitor(name)]
        messages = [_message(row) for row in rows]
        if asked := first(value, "message"):
            messages.append(said("user", asked, first(visitor, "name"), first(value, "timestamp"), "public"))
        yield chat(joined, messages, (*known, *names), tags=words(value.get("tags")), customer=first(visitor, "id"))


def _message(row: Json) -> Message:
    asks = first(row, "sender_type").casefold() == "visitor" or first(row, "nick").startswith("visitor")
    files = object_at(row, "attachment") or row
    content, at = first(row, "msg"), first(row, "timestamp")
    return said("user" if asks else "assistant", content, first(row, "name", "nick"), at, _kind(row), files)


def _kind(row: Json) -> Kind:
    if first(row, "type") not in ("chat.msg", "chat.file", "chat.attachment"):
        return "system"
    trigger = first(row, "nick") == "agent:trigger" or first(row, "sender_type").casefold() == "trigger"
    return "bot" if trigger or is_machine_name(first(row, "name")) else "public"
