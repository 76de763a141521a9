"""Discord: the JSON or the CSV of DiscordChatExporter, a channel or a thread a file.

Traps: ``type`` tells a reply from other messages, not who wrote it; only names of roles hint at the support; a thread
has a file of its own. The CSV names no replies, no roles and no bots.
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
from engine.tickets.importing.readers.website_chats import file_names

FORMAT = "discord"
LABEL = "Discord channel"
GUIDE = (
    "DiscordChatExporter, format JSON",
    "JSON, CSV",
    "threads of replies; roles such as Staff or Support answer; bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Discord export holds no messages.",
    "Export the channel again with DiscordChatExporter, format JSON.",
)
_STAFF = re.compile(
    r"\b(?:staff|support|moderator|mods?|admin(?:istrator)?|helpers?|team|agent|employee|mitarbeiter|equipo|équipe)\b",
    re.IGNORECASE,
)
_EMOJI = re.compile(r"<a?:(\w{1,40}):\d{5,25}>")
"""An emoji of the server's own, as Discord stores it."""
_SPOKEN = ("default", "reply", "0", "19")
"""Types of messages that people write (DiscordChatExporter's names and Discord's numbers)."""


def evidence(record: Json) -> str:
    """Say what in a record is Discord's; empty when it is not."""
    if _is_row(record):
        return "AuthorID, Content and Reactions (DiscordChatExporter)"
    return "messages with author.isBot and timestamp (DiscordChatExporter)" if _is_message(record) else ""


def has_messages(record: Json) -> bool:
    """Every record is a message."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread of replies, a file at a time."""
    with Groups[tuple[Message, tuple[str, ...]]]() as store:
        channels: dict[str, list[Post]] = {}
        for record in records:
            value = _of_row(record.value) if _is_row(record.value) else record.value
            if not _is_message(value):
                continue
            posts = channels.setdefault(record.source, [])
            store.add(f"{record.source} {len(posts)}", (_message(value), _names(value)))
            posts.append(_post(value))
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


def _is_row(record: Json) -> bool:
    return {"AuthorID", "Author", "Date", "Content", "Reactions"} <= record.keys()


def _of_row(row: Json) -> dict[str, object]:
    """Return a row of the CSV as the JSON has it."""
    author = {"id": first(row, "AuthorID"), "name": first(row, "Author").removesuffix("#0000").removesuffix("#0")}
    files = [{"fileName": url.rsplit("/", 1)[-1]} for url in first(row, "Attachments").split(",") if url]
    return {
        "timestamp": first(row, "Date"),
        "content": first(row, "Content"),
        "author": {**author, "isBot": False},
        "attachments": files,
    }


def _post(message: Json) -> Post:
    author = object_at(message, "author")
    parent = first(object_at(message, "reference"), "messageId")
    return Post(first(message, "id"), parent, first(author, "id", "name"), seconds(first(message, "timestamp")))


def _message(message: Json) -> Message:
    author = object_at(message, "author")
    roles = " | ".join(first(role, "name") for role in objects(author.get("roles")))
    content, kind = _EMOJI.sub(r":\1:", first(message, "content")), _kind(message, author)
    if kind == "public" and not content.strip() and (files := file_names(message.get("attachments"))):
        content, kind = files, "attachment"
    return Message(
        "assistant" if _STAFF.search(roles) else "user",
        content,
        first(author, "nickname", "name"),
        first(message, "timestamp"),
        kind=kind,
    )


def _kind(message: Json, author: Json) -> Kind:
    if author.get("isBot") is True:
        return "bot"
    written = text(message.get("type")).casefold()
    return "public" if not written or written in _SPOKEN else "system"


def _names(message: Json) -> tuple[str, ...]:
    people = (object_at(message, "author"), *objects(message.get("mentions")))
    return tuple(name for person in people for name in (first(person, "nickname"), first(person, "name")) if name)
