"""Discord: the JSON of DiscordChatExporter, a channel or a thread a file.

Traps: ``type`` tells a reply from other messages, not who wrote it; only names of roles hint at the support; a thread
has a file of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.dates import seconds
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, asker, first, object_at, objects, text
from engine.tickets.importing.readers.reply_threads import Post, reply_threads

FORMAT = "discord"
LABEL = "Discord channel"
GUIDE = (
    "DiscordChatExporter, format JSON",
    "JSON",
    "threads of replies; roles such as Staff or Support answer; bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Discord export holds no messages.",
    "Export the channel again with DiscordChatExporter, format JSON.",
)
_STAFF = re.compile(
    r"\b(?:staff|support|moderator|mods?|admin(?:istrator)?|helpers?|team|agent|employee|mitarbeiter|equipo|équipe)\b",
    re.IGNORECASE,
)
_SPOKEN = ("default", "reply", "0", "19")
"""Types of messages that people write (DiscordChatExporter's names and Discord's numbers)."""


def evidence(record: Json) -> str:
    """Say what in a record is Discord's; empty when it is not."""
    return "messages with author.isBot and timestamp (DiscordChatExporter)" if _is_message(record) else ""


def has_messages(record: Json) -> bool:
    """Every record is a message."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread of replies, a file at a time."""
    with Groups[tuple[Message, tuple[str, ...]]]() as store:
        channels: dict[str, list[Post]] = {}
        for record in records:
            if not _is_message(record.value):
                continue
            posts = channels.setdefault(record.source, [])
            store.add(f"{record.source} {len(posts)}", (_message(record.value), _names(record.value)))
            posts.append(_post(record.value))
        for source, posts in channels.items():
            for members in reply_threads(posts):
                found = [entry for place in members for entry in store.members(f"{source} {place}")]
                messages = tuple(message for message, _ in found)
                names = dict.fromkeys(name for _, written in found for name in written)
                yield Conversation(
                    id=posts[members[0]].id or f"thread {members[0] + 1}",
                    messages=messages,
                    created_at=messages[0].at,
                    customer=asker(messages),
                    people=tuple(name for name in names if len(name) > 2),
                    source=source,
                )


def _is_message(record: Json) -> bool:
    author = record.get("author")
    return isinstance(author, dict) and "isBot" in author and "timestamp" in record and "content" in record


def _post(message: Json) -> Post:
    author = object_at(message, "author")
    parent = first(object_at(message, "reference"), "messageId")
    return Post(first(message, "id"), parent, first(author, "id", "name"), seconds(first(message, "timestamp")))


def _message(message: Json) -> Message:
    author = object_at(message, "author")
    roles = " | ".join(first(role, "name") for role in objects(author.get("roles")))
    return Message(
        "assistant" if _STAFF.search(roles) else "user",
        first(message, "content"),
        first(author, "nickname", "name"),
        first(message, "timestamp"),
        kind=_kind(message, author),
    )


def _kind(message: Json, author: Json) -> Kind:
    if author.get("isBot") is True:
        return "bot"
    written = text(message.get("type")).casefold()
    return "public" if not written or written in _SPOKEN else "system"


def _names(message: Json) -> tuple[str, ...]:
    people = (object_at(message, "author"), *objects(message.get("mentions")))
    return tuple(name for person in people for name in (first(person, "nickname"), first(person, "name")) if name)
