"""Messenger and Instagram: the messages of one's own information (JSON), a folder a chat with message_1.json and so on.

Traps: letters beyond ASCII are written as if each byte of theirs were a letter; newest first; what nobody typed (a
reaction, 'You are now connected', a call) is a message as well; encrypted chats are written otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.channels import Named, Post, conversations
from engine.tickets.importing.readers.fields import Json, first, objects, text
from engine.tickets.importing.readers.website_chats import file_names

FORMAT = "messenger"
LABEL = "Messenger or Instagram chats"
GUIDE = (
    "Accounts Centre > Your information and permissions > Download your information, messages as JSON",
    "JSON, .zip",
    "chats parted by their pauses; calls, reactions and unsent messages are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This export of Messenger or Instagram holds no messages.",
    "Ask for your information again, with the messages in it and JSON as the format.",
)
_FILES = ("photos", "videos", "files", "audio_files", "gifs", "media")
_UNTYPED = re.compile(
    r"Reacted .{1,20} to your message|(?:.{1,60}|You) (?:missed a|started a|called|set the nickname|named the group"
    r"|changed the|sent an attachment|are now connected).{0,200}|Liked a message",
    re.IGNORECASE,
)
"""What the program writes as the content of a message."""


def evidence(record: Json) -> str:
    """Say what in a record is Messenger's; empty when it is not."""
    return "messages with sender_name and timestamp_ms" if _is_message(record) else ""


def has_messages(record: Json) -> bool:
    """Every record is a message."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield the conversations of each chat, parted by its pauses."""
    posts = (Post(record.folder or record.source, "", record) for record in records if _is_message(record.value))
    yield from conversations(posts, _named, ("id",))


def _is_message(record: Json) -> bool:
    old = {"sender_name", "timestamp_ms"} <= record.keys()
    return old or ({"senderName", "timestamp", "isUnsent"} <= record.keys())


def _named(record: Record) -> Named:
    value = record.value
    name, said = _letters(first(value, "sender_name", "senderName")), _letters(first(value, "content", "text"))
    kind = _kind(value, said)
    files = [file for key in _FILES for file in objects(value.get(key))]
    if kind == "public" and not said.strip() and (files or value.get("sticker")):
        said = file_names([{"name": first(file, "uri").rsplit("/", 1)[-1]} for file in files]) or "a sticker"
        kind = "attachment"
    return Named(Message("user", said, name, _written(value), kind=kind), (name,))


def _letters(written: str) -> str:
    """Undo what the export does to letters beyond ASCII: the bytes of their UTF-8 stand there as letters."""
    try:
        return written.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return written


def _written(value: Json) -> str:
    """Return the date as ISO 8601; both forms count milliseconds since 1970."""
    stamp = text(value.get("timestamp_ms")) or text(value.get("timestamp"))
    try:
        return datetime.fromtimestamp(int(stamp) / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _kind(value: Json, said: str) -> Kind:
    if value.get("is_unsent") is True or value.get("isUnsent") is True:
        return "hidden"
    if first(value, "type") in ("Call", "Subscribe", "Unsubscribe") or "call_duration" in value:
        return "system"
    return "system" if _UNTYPED.fullmatch(said.strip()) else "public"
