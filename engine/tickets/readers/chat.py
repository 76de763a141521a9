"""Chat data sets: OpenAI messages, ShareGPT, Alpaca, prompt and completion.

These are already conversations. What has no user's turn or no answer is left for the filters, which count it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.tickets.conversation import Conversation, Message, Role
from engine.tickets.files.records import Record
from engine.tickets.readers.fields import Json, first, objects, words

FORMAT = "chat"
LABEL = "Chat data set"
IN_TABLES = False
NO_ANSWERS = ("This chat data set holds no turns.", "Check that each line has messages with role and content.")
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "agent": "assistant",
}
_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "response"),
    ("question", "answer"),
    ("input", "output"),
)
_TURNS = ("messages", "conversations", "conversation", "prompt", "items", "dialog")


def evidence(record: Json) -> str:
    """Say which chat shape a record has; empty when it has none."""
    turns = _turns(record)
    if turns:
        return (
            "messages with role and content" if "role" in turns[0] else "conversations with from and value (ShareGPT)"
        )
    if "instruction" in record and "output" in record:
        return "instruction and output (Alpaca)"
    if pair := _pair(record):
        return f"{pair[0]} and {pair[1]}"
    return ""


def has_messages(record: Json) -> bool:
    """Every record of a chat data set is a conversation."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a record; its id is the record's own, or its place."""
    for record in records:
        value = record.value
        yield Conversation(
            id=first(value, "ticket", "id", "conversation_id", "conversationId") or record.place,
            messages=tuple(_messages(value)),
            subject=first(value, "subject") if "ticket" not in value else "",
            tags=words(value.get("tags")),
            created_at=first(value, "created_at", "date", "timestamp"),
            customer=first(value, "customer", "customer_id", "user_id"),
            source=record.source,
        )


def _messages(value: Json) -> Iterator[Message]:
    if system := first(value, "system", "system_prompt"):
        yield Message("system", system)
    turns = _turns(value)
    if turns:
        for turn in [*turns, *objects(value.get("completion"))]:
            role = _ROLES.get((first(turn, "role", "from") or "").lower())
            content = _content(turn.get("content", turn.get("value")))
            if role is None or not content:
                yield Message("assistant", content, kind="system")
            else:
                yield Message(role, content, at=first(turn, "created_at", "timestamp"))
    elif "instruction" in value and "output" in value:
        question = "\n\n".join(part for part in (first(value, "instruction"), first(value, "input")) if part)
        for earlier in value.get("history") or ():
            if isinstance(earlier, list) and len(earlier) == 2:
                yield Message("user", str(earlier[0]))
                yield Message("assistant", str(earlier[1]))
        yield Message("user", question)
        yield Message("assistant", first(value, "output"))
    elif pair := _pair(value):
        yield Message("user", first(value, pair[0]))
        yield Message("assistant", first(value, pair[1]))


def _turns(record: Json) -> list[Json]:
    for key in _TURNS:
        turns = objects(record.get(key)) if isinstance(record.get(key), list) else []
        if turns and (("role" in turns[0] and "content" in turns[0]) or ("from" in turns[0] and "value" in turns[0])):
            return turns
    return []


def _pair(record: Json) -> tuple[str, str] | None:
    for question, answer in _PAIRS:
        if isinstance(record.get(question), str) and isinstance(record.get(answer), str):
            return question, answer
    return None


def _content(value: Any) -> str:
    """Read a turn's text: a string, or a list of parts of which the text ones count."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(first(part, "text") for part in objects(value) if first(part, "text"))
    return ""
