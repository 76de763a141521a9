"""Where the records of a JSON text are: at the top, in a list of an envelope, wrapped one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Value = dict[str, Any]
ENVELOPES = frozenset(
    (
        *("tickets", "helpdesk_tickets", "conversations", "threads", "messages", "articles", "comments", "journals"),
        *("cases", "issues", "users", "data", "items", "records", "results", "result", "_results", "list", "rows"),
        *("value", "values", "entries", "documents", "_embedded", "payload", "Ticket", "Tickets", "ticket", "chats"),
        "latest_posts",
    )
)
"""Keys under which exports and APIs put their list of records."""
SINGLES = frozenset(("ticket", "Ticket", "helpdesk_ticket", "conversation", "thread", "case", "issue"))
"""Keys that wrap one record."""
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
"""A whole string, a bracket, or the quote of a string that does not end."""
QUOTE, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = b'"{}[]'
SPEAKER_KEYS = ("role", "from", "speaker", "sender", "author")
"""Keys under which a turn of a chat data set names who speaks."""
SAID_KEYS = ("content", "value", "text", "utterance", "message", "parts")
"""Keys under which a turn holds what is said."""
_TURN_SHAPES = (
    *(("role", said) for said in SAID_KEYS),
    *(("from", "value"), ("from", "content"), ("from", "text"), ("speaker", "text"), ("speaker", "utterance")),
    *(("speaker", "content"), ("speaker", "value"), ("sender", "text"), ("sender", "content")),
)
EXCHANGES = (
    *(("human", "assistant"), ("user", "assistant"), ("human", "bot"), ("user", "bot"), ("user", "agent")),
    *(("user utterance", "system response"), ("question", "answer"), ("q", "a"), ("input", "output")),
)
"""Keys of an entry that holds a question and its answer (Firefly, DialogStudio ...)."""
_KEPT_BY_ID = frozenset(("log", "messages", "conversation", "conversations", "turns", "dialogue", "dialog"))
"""Keys of conversations that stand under their ids in one object (MultiWOZ, DialogStudio)."""
_OWN_KEYS = frozenset(
    ("id", "subject", "number", "ticketNumber", "key", "description", "source", "requester_id", "chatId")
)


def unwrap(value: Value) -> Iterator[Value]:
    """Yield the records inside an envelope, or the value itself where it is a record."""
    lists = {key: value[key] for key in value.keys() & ENVELOPES if _is_list_of_records(value[key])}
    page = value.get("data")
    embedded = (
        page
        if isinstance(page, dict) and _holds_records(page)
        else next((value[key] for key in ("_embedded", "chats", "tickets") if isinstance(value.get(key), dict)), None)
    )
    if isinstance(embedded, dict) and not (_OWN_KEYS & value.keys()):
        yield from unwrap(embedded)
    elif lists and not (_OWN_KEYS & value.keys()) and not _is_chat(value):
        for key in sorted(lists, key=lambda key: (key != "users", list(value).index(key))):
            for inner in value[key]:
                if isinstance(inner, dict):
                    yield from unwrap(inner)
    elif _is_kept_by_id(value):
        yield from ({"id": key, **inner} for key, inner in value.items())
    elif single := next((key for key in value if key in SINGLES and isinstance(value[key], dict)), ""):
        rest = {key: item for key, item in value.items() if key != single}
        yield {**rest, **value[single]}
    else:
        yield value


def _is_kept_by_id(value: Value) -> bool:
    return all(
        isinstance(inner, dict) and _KEPT_BY_ID & inner.keys() and any(letter.isdigit() for letter in key)
        for key, inner in value.items()
    ) and bool(value)


def _is_list_of_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value[:3])


def _holds_records(page: Value) -> bool:
    return not _OWN_KEYS & page.keys() and any(_is_list_of_records(page[key]) for key in page.keys() & ENVELOPES)


def _is_chat(value: Value) -> bool:
    """Tell a conversation of a chat data set, whose 'messages' are its own turns, from a page of messages."""
    for key in ("messages", "conversations", "conversation", "items"):
        turns = value.get(key)
        if isinstance(turns, list) and turns and isinstance(turns[0], dict) and _is_turn_of_chat(turns[0]):
            return True
    return False


def _is_turn_of_chat(turn: Value) -> bool:
    return any(turn_keys(turn)) or any(exchange_keys(turn))


def exchange_keys(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return the keys of the question and of its answer in an entry that holds both; empty for others."""
    pairs = (pair for pair in EXCHANGES if all(isinstance(value.get(key), str) for key in pair))
    return next(pairs, ("", ""))


def turn_keys(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return under which keys a turn of a chat data set names who speaks and holds what is said; empty for others."""
    shapes = (shape for shape in _TURN_SHAPES if isinstance(value.get(shape[0]), str) and shape[1] in value)
    return next(shapes, ("", ""))


def envelope_depth(head: bytes) -> int:
    """Tell where the records of a JSON text that begins with an object are.

    Returns:
        0: the objects themselves are the records (or the text is an array); 1: in arrays of the top-level object;
        2: in arrays of an object inside it, such as ``_embedded``.
    """
    if head.lstrip()[:1] != b"{":
        return 0
    depth, own, key, nested = 0, set[str](), b"", b""
    previous = 0
    for token in TOKEN.finditer(head):
        byte = head[token.start()]
        if byte == QUOTE:
            if head[token.end() : token.end() + 8].lstrip()[:1] == b":":
                key = token.group()[1:-1]
                if depth == 1:
                    own.add(key.decode("utf-8", "replace"))
        elif (
            byte == OPEN
            and previous == OPEN_LIST
            and depth in (2, 3)
            and nested.decode("utf-8", "replace") in ENVELOPES
        ):
            return 0 if own & _OWN_KEYS or _is_turn(head[token.start() :]) else depth - 1
        elif byte in (OPEN, OPEN_LIST):
            depth += 1
            if byte == OPEN_LIST:
                nested = key
        else:
            depth -= 1
        previous = byte
        if depth <= 0:
            return 0
    return 0


def _is_turn(text: bytes) -> bool:
    return bool(re.match(rb'\{\s*"(?:role|from|speaker|content|value|utterance)"\s*:', text))
