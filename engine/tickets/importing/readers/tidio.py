"""Tidio: the table of messages that it exports, a row a message.

Traps: flows and the AI write as automation; headers come in capital letters or small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first
from engine.tickets.importing.readers.joining import Joined, join
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "tidio"
LABEL = "Tidio conversations"
GUIDE = (
    "Export of the conversations with their messages",
    "CSV",
    "messages joined by their conversation; flows and the AI are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Tidio file holds no messages, so there are no answers in it.",
    "Export the conversations with their messages: the columns CONVERSATION_ID, SENDER and MESSAGE_CONTENT.",
)
_TOLD = frozenset(("conversation_id", "sender", "message_content"))
_DATES = ("message_date", "message_created_at", "created_at", "date", "timestamp", "time")
_CUSTOMER = ("contact_id", "contact_email", "visitor_id", "visitor_email", "email")
_PEOPLE = (
    *("contact_name", "contact_email", "visitor_name", "visitor_email", "name", "email", "operator_name", "phone"),
    *("operator", "operator_email"),
)
_SENDERS: dict[str, tuple[Role, Kind]] = {
    "visitor": ("user", "public"),
    "contact": ("user", "public"),
    "operator": ("assistant", "public"),
    "automation": ("assistant", "bot"),
    "bot": ("assistant", "bot"),
    "lyro": ("assistant", "bot"),
    "system": ("assistant", "system"),
}


def evidence(record: Json) -> str:
    """Say what in a record is Tidio's; empty when it is not."""
    return "CONVERSATION_ID, SENDER and MESSAGE_CONTENT" if {key.casefold() for key in record} >= _TOLD else ""


def has_messages(record: Json) -> bool:
    """Tell a message from an empty row."""
    return bool(first(_small(record), "message_content"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a Tidio conversation."""
    small = (Record(_small(record.value), record.source, record.place) for record in records)
    for conversation in join(small, lambda value: first(value, "conversation_id"), lambda value: False):
        yield _conversation(conversation)


def _small(record: Json) -> dict[str, object]:
    return {key.casefold(): value for key, value in record.items()}


def _conversation(joined: Joined) -> Conversation:
    rows = joined.messages
    names = dict.fromkeys(first(row, key) for row in rows for key in _PEOPLE)
    customer = next((told for row in rows if (told := first(row, *_CUSTOMER))), "")
    return chat(joined, [_message(row) for row in rows], tuple(names), customer=customer)


def _message(row: Json) -> Message:
    sender = first(row, "sender").strip().casefold()
    role, kind = _SENDERS.get(sender, ("assistant", "unknown"))
    author = first(row, "operator_name", "operator", "operator_email") if role == "assistant" else ""
    return said(role, first(row, "message_content"), author or sender, first(row, *_DATES), kind)
