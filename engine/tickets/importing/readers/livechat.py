"""LiveChat: archived chats of the Agent Chat API (threads with events), and of its older API (messages).

Traps: a chat goes on in thread after thread, each a matter of its own; events for agents alone are notes; bots are
agents whose id is no e-mail address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, flag, object_at, objects, people, words
from engine.tickets.importing.readers.joining import Joined
from engine.tickets.importing.readers.website_chats import chat, said

FORMAT = "livechat"
LABEL = "LiveChat archive"
GUIDE = (
    "Agent Chat API: list_archives",
    "JSON",
    "threads of chats; events for agents alone and bots are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This LiveChat file lists chats without what was said in them, so there are no answers in it.",
    "Fetch the archive with its threads (list_archives of the Agent Chat API) and drop that file here.",
)


def evidence(record: Json) -> str:
    """Say what in a record is LiveChat's; empty when it is not."""
    if _threads(record) and any("type" in user for user in objects(record.get("users"))):
        return "users, and threads with events"
    messages = objects(record.get("messages"))
    return "messages with user_type and author_name" if messages and _is_old(messages[0]) else ""


def has_messages(record: Json) -> bool:
    """Tell a chat with its events from one without."""
    return bool(record.get("messages")) or any(thread.get("events") for thread in _threads(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread."""
    for record in records:
        value = record.value
        for thread in _threads(value):
            yield _of_thread(record, thread)
        if messages := objects(value.get("messages")):
            visitor = object_at(value, "visitor")
            joined = Joined(first(value, "id") or record.place, value, (), record.source)
            yield chat(
                joined,
                [_old_message(row) for row in messages if _is_old(row)],
                people(visitor, value.get("agents"), {"name": value.get("visitor_name")}),
                tags=words(value.get("tags")),
                customer=first(visitor, "id", "email"),
            )


def _threads(record: Json) -> list[Json]:
    """Return the threads of a chat; where there is one alone, its keys have been put among the chat's."""
    found = (record, *objects(record.get("thread")), *objects(record.get("threads")))
    return [thread for thread in found if "events" in thread]


def _of_thread(record: Record, thread: Json) -> Conversation:
    users = {first(user, "id"): user for user in objects(record.value.get("users"))}
    customer = next((key for key, user in users.items() if first(user, "type") == "customer"), "")
    own = first(thread, "id") or first(record.value, "id") or record.place
    joined = Joined(own, record.value, (), record.source)
    messages = [_message(event, users) for event in objects(thread.get("events"))]
    return chat(joined, messages, people(*users.values()), tags=words(thread.get("tags")), customer=customer)


def _message(event: Json, users: dict[str, Json]) -> Message:
    author = first(event, "author_id")
    asks = first(users.get(author, {}), "type") == "customer"
    role: Role = "user" if asks else "assistant"
    return said(role, first(event, "text"), author, first(event, "created_at"), _kind(event, author, role), event)


def _kind(event: Json, author: str, role: Role) -> Kind:
    kind = first(event, "type")
    if first(event, "visibility") == "agents":
        return "note"
    if flag(event.get("deleted")):
        return "hidden"
    if kind not in ("message", "file"):
        return "bot" if kind == "rich_message" else "system"
    return "bot" if role == "assistant" and "@" not in author else "public"


def _is_old(row: Json) -> bool:
    return "user_type" in row and "author_name" in row


def _old_message(row: Json) -> Message:
    kind: Kind = "bot" if flag(row.get("welcome_message")) else "public"
    if first(row, "type") not in ("", "message"):
        kind = "system"
    elif first(row, "user_type") == "supervisor":
        kind = "note"
    author = first(row, "agent_id", "author_name")
    role: Role = "user" if first(row, "user_type") == "visitor" else "assistant"
    return said(role, first(row, "text"), author, first(row, "timestamp", "date"), kind)
