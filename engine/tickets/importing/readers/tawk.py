"""tawk.to: exported chats and the transcripts of its webhook.

Traps: who writes is one letter (v visitor, a agent, s system); triggers and the AI write as the system or under a
machine's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.parties import is_machine_name
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, people, words
from engine.tickets.importing.readers.joining import Joined
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "tawk"
LABEL = "tawk.to chats"
GUIDE = (
    "Administration > Webhooks > New Chat Transcript; or Inbox > select > Export",
    "JSON",
    "chats; the system's messages are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This tawk.to file lists chats without their messages, so there are no answers in it.",
    "Export the chats as JSON (Inbox > select > Export), or let a webhook send the transcripts.",
)
_SENDERS = frozenset("vas")


def evidence(record: Json) -> str:
    """Say what in a record is that of tawk.to; empty when it is not."""
    rows = [row for row in objects(_chat(record).get("messages")) if "msg" in row or "attchs" in row]
    told = any(first(object_at(row, "sender"), "t") in _SENDERS for row in rows)
    return "messages with sender.t and msg" if told else ""


def has_messages(record: Json) -> bool:
    """Tell a chat with messages from one without."""
    return bool(objects(_chat(record).get("messages")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a chat."""
    for record in records:
        talk = _chat(record.value)
        visitor = object_at(talk, "visitor")
        rows = objects(talk.get("messages"))
        senders = [{"name": object_at(row, "sender").get("n")} for row in rows]
        joined = Joined(first(talk, "id", "chatId") or record.place, talk, (), record.source)
        yield chat(
            joined,
            [_message(row) for row in rows],
            people(visitor, *senders),
            tags=words(talk.get("tags")),
            customer=first(visitor, "email", "id"),
        )


def _chat(record: Json) -> Json:
    return object_at(record, "chat") or record


def _message(row: Json) -> Message:
    sender = object_at(row, "sender")
    role = "user" if first(sender, "t") == "v" else "assistant"
    files = [object_at(file, "content", "file") or file for file in objects(row.get("attchs"))]
    author = first(sender, "n", "id") or first(sender, "t")
    return said(
        "user" if role == "user" else "assistant",
        first(row, "msg"),
        author,
        first(row, "time"),
        _kind(row, sender),
        files,
    )


def _kind(row: Json, sender: Json) -> Kind:
    if first(sender, "t") == "s":
        return "system"
    if first(sender, "t") == "a" and is_machine_name(first(sender, "n")):
        return "bot"
    return "public" if first(row, "type") in ("", "msg", "file") else "system"
