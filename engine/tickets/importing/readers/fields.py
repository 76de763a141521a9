"""Reading loosely typed JSON: an id that may be a number, a name that may be missing, a body in one of three fields.

Shared by the vendors' readers; knows JSON values only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.tickets.conversation import Message
from engine.tickets.dates import stamps

Json = Mapping[str, Any]


def text(value: object) -> str:
    """Return a scalar as text: ``12`` for 12 and 12.0, empty for None, True, lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else ""


def cell(value: object) -> str:
    """Return a scalar as a table shows it: as :func:`text` does, with ``true`` and ``false`` for what is so."""
    return str(value).lower() if isinstance(value, bool) else text(value)


def first(record: Json, *keys: str) -> str:
    """Return the first of the keys whose value is text that is not blank."""
    for key in keys:
        value = text(record.get(key))
        if value.strip():
            return value
    return ""


def first_of(records: Iterable[Json], key: str) -> str:
    """Return the first text that is not blank which one of the records has under a key."""
    return next(filter(None, (first(record, key) for record in records)), "")


def asker(messages: Iterable[Message]) -> str:
    """Return who wrote the first message that is a customer's; empty where none is."""
    return next((message.author for message in messages if message.role == "user"), "")


def nested(record: Json, *path: str) -> Any:
    """Follow keys into nested objects; None where the path ends early."""
    value: Any = record
    for key in path:
        # Checked for dict alone: what JSON parsers make, and ten times as fast as the abstract Mapping.
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def object_at(record: Json, *path: str) -> Json:
    """Follow keys to a nested object; an empty one where there is none."""
    value = nested(record, *path)
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """Return the objects of a list; a single object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(value: object) -> tuple[str, ...]:
    """Return tags as text: from a list of strings or of ``{"name": ...}``, or from a comma-separated string."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, list):
        return ()
    labels = (first(item, "name", "tag", "label") if isinstance(item, Mapping) else text(item) for item in value)
    return tuple(word.strip() for word in labels if word.strip())


def flag(value: object) -> bool:
    """Read a boolean that may be written as text: true, 1, yes."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes", "y", "t")
    return bool(value)


NAME_KEYS = ("name", "display_name", "displayName", "full_name", "fullName")
HALVES = (("first_name", "last_name"), ("firstName", "lastName"), ("firstname", "lastname"), ("first", "last"))
"""Keys of the two halves of a name: together they are one person."""
ADDRESS_KEYS = ("email", "emailAddress", "email_address", "address", "phone", "mobile")


def people(*records: object) -> tuple[str, ...]:
    """Collect names and addresses from people objects, each once, in their order.

    Args:
        records: Objects such as ``{"name": "Ada", "email": "ada@example.com"}``, or lists of them; anything else is
            passed over.
    """
    names: dict[str, None] = {}
    for record in filter(None, records):
        for person in objects(record):
            halves = (f"{text(person.get(given))} {text(person.get(family))}" for given, family in HALVES)
            for value in (*(text(person.get(key)) for key in (*NAME_KEYS, *ADDRESS_KEYS)), *halves):
                if len(value.strip()) > 1:
                    names[value.strip()] = None
            handle = text(person.get("username"))
            if len(handle) > 3:
                names[handle] = None
    return tuple(names)


def body(record: Json, html_keys: Iterable[str], text_keys: Iterable[str]) -> tuple[str, bool]:
    """Return a message's body and whether it is HTML.

    HTML comes first: it alone tells quotes, lists, links and code apart.
    """
    if markup := first(record, *html_keys):
        return markup, True
    return first(record, *text_keys), False


def looks_like_html(content: str) -> bool:
    """Tell whether a text that may be either is HTML: it has a closing or self-closing tag of the usual kinds."""
    lowered = content[:20_000].lower()
    return any(
        mark in lowered for mark in ("</p>", "</div>", "<br", "</a>", "</span>", "</li>", "</table>", "</html>", "</b>")
    )


def oldest_first(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Sort messages by date where every date can be read; else keep their order.

    Equal dates keep the order of the export.
    """
    listed = list(messages)
    moments = stamps([message.at for message in listed])
    if None in moments:
        return tuple(listed)
    order = sorted(range(len(listed)), key=lambda index: moments[index] or 0.0)
    return tuple(listed[index] for index in order)
