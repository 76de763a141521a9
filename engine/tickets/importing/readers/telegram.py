"""Telegram: result.json of its desktop program ('Export chat history', JSON), one chat or all.

Traps: a text may be a list of pieces; who the support is, no field says, but in a group it may write as the group
itself; service messages (joined, pinned) are messages too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.dates import seconds
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, asker, first, objects, text
from engine.tickets.importing.readers.reply_threads import Post, reply_threads

FORMAT = "telegram"
LABEL = "Telegram chat"
GUIDE = (
    "Telegram Desktop: the three dots > Export chat history > Machine-readable JSON",
    "JSON",
    "threads of replies; service messages and bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Telegram export holds no messages.",
    "In Telegram Desktop open the chat, choose the three dots > Export chat history, and 'Machine-readable JSON'.",
)
_FILES = ("file", "photo", "media_type")
"""What a message has in place of words."""
_PERSONAL = ("personal_chat", "bot_chat", "saved_messages")


def evidence(record: Json) -> str:
    """Say what in a record is Telegram's; empty when it is not."""
    if _is_message(record):
        return "messages with from_id and date_unixtime"
    messages = objects(record.get("messages"))
    return "a chat of messages with from_id and date_unixtime" if messages and any(map(_is_message, messages)) else ""


def has_messages(record: Json) -> bool:
    """Every record holds messages, or is one."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread of each chat; messages that came without their chat are one chat a file."""
    with Groups[Message]() as store:
        loose: dict[str, list[Post]] = {}
        told = Counter[str]()
        for record in records:
            if _is_message(record.value):
                posts = loose.setdefault(record.source, [])
                store.add(f"{record.source} {len(posts)}", _message(record.value, ""))
                posts.append(_post(record.value))
            elif messages := [entry for entry in objects(record.value.get("messages")) if _is_message(entry)]:
                yield from _chat(record, messages, told)
        for source, posts in loose.items():
            for number, members in enumerate(reply_threads(posts), start=1):
                words = [found for place in members for found in store.members(f"{source} {place}")]
                yield _conversation(words, f"thread {number}", "", source)


def _chat(record: Record, messages: list[Json], told: Counter[str]) -> Iterator[Conversation]:
    """Yield the threads of a chat, numbered through where it is so long that it comes in parts."""
    chat = record.value
    key = first(chat, "id") or record.place
    name = first(chat, "name")
    posts = [_post(message) for message in messages]
    threads = reply_threads(posts, alone=first(chat, "type") in _PERSONAL)
    for members in threads:
        told[key] += 1
        words = [_message(messages[place], name) for place in members]
        yield _conversation(words, f"{key}-{told[key]}", name, record.source)


def _conversation(messages: list[Message], id: str, subject: str, source: str) -> Conversation:
    names = dict.fromkeys(message.author for message in messages)
    return Conversation(
        id=id,
        messages=tuple(messages),
        created_at=messages[0].at if messages else "",
        customer=asker(messages),
        people=tuple(name for name in (*names, subject) if len(name) > 2),
        source=source,
    )


def _is_message(record: Json) -> bool:
    return "date_unixtime" in record and ("from_id" in record or "actor_id" in record) and "type" in record


def _post(message: Json) -> Post:
    return Post(
        first(message, "id"),
        first(message, "reply_to_message_id"),
        first(message, "from_id", "actor_id"),
        seconds(first(message, "date_unixtime")),
    )


def _message(message: Json, chat: str) -> Message:
    """Read a message; what the group writes as itself (anonymous administrators, its channel) is the support's."""
    name = first(message, "from", "actor") or first(message, "from_id", "actor_id")
    ours = bool(chat) and name == chat and not first(message, "from_id").startswith("user")
    said, kind = _said(message), _kind(message)
    if kind == "public" and not said.strip() and (file := first(message, "file_name", "sticker_emoji", *_FILES)):
        said, kind = file, "attachment"
    return Message("assistant" if ours else "user", said, name, first(message, "date"), kind=kind)


def _kind(message: Json) -> Kind:
    if first(message, "type") != "message":
        return "system"
    return "bot" if first(message, "via_bot") or first(message, "from").lower().endswith("bot") else "public"


def _said(message: Json) -> str:
    """Read a text that may be a list of strings and of objects (links, bold words)."""
    written = message.get("text")
    if isinstance(written, str):
        return written
    pieces = written if isinstance(written, list) else objects(message.get("text_entities"))
    return "".join(text(piece.get("text")) if isinstance(piece, Mapping) else text(piece) for piece in pieces)
