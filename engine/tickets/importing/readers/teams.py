"""Microsoft Teams: messages of Microsoft Graph (channels, replies, chats), and the export of a person's own chats.

Traps: bodies are HTML; replies lie under their message or refer to it; an application's messages are a bot's; deleting
leaves an empty message behind; guests and people of other companies, where there are any, are the customers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.channels import Named, Post, conversations
from engine.tickets.importing.readers.fields import Json, first, object_at, objects

FORMAT = "teams"
LABEL = "Microsoft Teams messages"
GUIDE = (
    "Microsoft Graph: messages of channels with replies, or of chats",
    "JSON",
    "threads; bots and deleted messages are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This file of Microsoft Teams holds no messages.",
    "Fetch them by Microsoft Graph (GET /teams/{id}/channels/{id}/messages?$expand=replies, or /chats/{id}/messages).",
)
_STRANGERS = frozenset(
    (
        *("anonymousguest", "federateduser", "personalmicrosoftaccountuser", "skypeuser", "phoneuser", "emailuser"),
        "azurecommunicationservicesuser",
    )
)
"""teamworkUserIdentityType of those who are not of the company (Graph, teamworkUserIdentity)."""

_TAG = re.compile(r"<[^<>]*>|&nbsp;")
_FILE = re.compile(r"<attachment\b[^<>]*>")


def evidence(record: Json) -> str:
    """Say what in a record is that of Teams; empty when it is not."""
    if _is_message(record):
        return "messageType and body with contentType"
    return "MessageList" if objects(record.get("MessageList")) and "id" in record else ""


def has_messages(record: Json) -> bool:
    """Tell messages from anything else."""
    return _is_message(record) or bool(record.get("MessageList"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread, and those that the pauses of a chat part."""
    strangers: set[str] = set()
    yield from conversations(_posts(records, strangers), lambda record: _named(record, strangers), ("id",), "subject")


def _is_message(record: Json) -> bool:
    return "messageType" in record and "contentType" in object_at(record, "body") and "from" in record


def _posts(records: Iterable[Record], strangers: set[str]) -> Iterator[Post]:
    for record in records:
        for value in (record.value, *objects(record.value.get("replies"))):
            if not _is_message(value):
                continue
            user = object_at(value, "from", "user")
            if first(user, "userIdentityType").casefold() in _STRANGERS:
                strangers.add(first(user, "id"))
            chat, root = first(value, "chatId"), first(value, "replyToId") or first(value, "id")
            channel = chat or first(object_at(value, "channelIdentity"), "channelId")
            yield Post(channel, "" if chat else root, Record(dict(value), record.source, record.place))
        chat = first(record.value, "id")
        for row in objects(record.value.get("MessageList")):
            yield Post(chat, "", Record(_as_graph(row), record.source, record.place))


def _as_graph(row: Json) -> dict[str, object]:
    """Return a message of a person's own export as Graph has it."""
    kind, content = first(row, "messagetype"), first(row, "content")
    spoken = kind.startswith("RichText") or kind == "Text"
    media = kind.startswith("RichText/") and kind != "RichText/Html"
    user = {"id": first(row, "from"), "displayName": first(row, "displayName") or first(row, "from").split(":", 1)[-1]}
    return {
        "id": first(row, "id"),
        "messageType": "message" if spoken else "systemEventMessage",
        "createdDateTime": first(row, "originalarrivaltime", "composetime"),
        "from": {"user": user},
        "body": {"contentType": "text" if kind == "Text" else "html", "content": "" if media else content},
        "attachments": [{"name": kind.split("/", 1)[-1]}] if media else [],
    }


def _named(record: Record, strangers: set[str]) -> Named:
    value = record.value
    user, program = object_at(value, "from", "user"), object_at(value, "from", "application")
    name = first(user, "displayName", "id") or first(program, "displayName")
    body = object_at(value, "body")
    content, kind = first(body, "content"), _kind(value, program)
    files = [first(file, "name") for file in objects(value.get("attachments")) if first(file, "name")]
    if kind == "public" and files and not _TAG.sub("", content).strip():
        content, kind = ", ".join(files), "attachment"
    elif kind == "public" and _FILE.search(content) and not _TAG.sub("", content).strip():
        content, kind = "a file", "attachment"
    inside = strangers and user and first(user, "id") not in strangers
    role: Role = "assistant" if inside else "user"
    html = first(body, "contentType").casefold() == "html" and kind != "attachment"
    message = Message(role, content, name, first(value, "createdDateTime"), html, kind)
    mentioned = (first(mention, "mentionText") for mention in objects(value.get("mentions")))
    return Named(message, (name, *mentioned))


def _kind(value: Json, program: Json) -> Kind:
    if first(value, "messageType") != "message":
        return "system"
    if first(value, "deletedDateTime"):
        return "hidden"
    return "bot" if program else "public"
