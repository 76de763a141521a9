"""osTicket: the entries of its threads (table ``thread_entry``), as JSON or CSV.

The CSV that osTicket's own export button makes holds ticket data only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, looks_like_html, objects, oldest_first
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "osticket"
LABEL = "osTicket threads"
GUIDE = (
    "phpMyAdmin > ost_thread_entry > Export",
    "JSON, CSV",
    "thread entries; internal notes are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This osTicket file holds no thread entries, so there are no answers in it.",
    "Export the table ost_thread_entry (phpMyAdmin > Export > JSON or CSV).",
)
_HIDDEN_FLAG = 0x0004
"""ThreadEntry::FLAG_HIDDEN in osTicket's include/class.thread.php."""


def evidence(record: Json) -> str:
    """Say what in a record is osTicket's; empty when it is not."""
    if {"thread_id", "poster", "body"} <= record.keys():
        return "thread_id, poster and body"
    entries = objects(record.get("thread_entries"))
    return "thread_entries" if entries and "poster" in entries[0] else ""


def has_messages(record: Json) -> bool:
    """Tell thread entries from anything else."""
    return "body" in record or bool(record.get("thread_entries"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread."""
    for thread in join(
        records, lambda value: first(value, "thread_id"), lambda value: bool(value.get("thread_entries"))
    ):
        yield _conversation(thread)


def _conversation(thread: Joined) -> Conversation:
    entries = [*objects(thread.ticket.get("thread_entries")), *thread.messages]
    messages = []
    names: dict[str, None] = {}
    for entry in entries:
        kind = first(entry, "type").upper()
        staff = first(entry, "staff_id") not in ("", "0")
        content = first(entry, "body")
        poster = first(entry, "poster")
        names[poster] = None
        messages.append(
            Message(
                "assistant" if kind == "R" or (kind != "M" and staff) else "user",
                content,
                poster,
                first(entry, "created"),
                first(entry, "format").lower() == "html" or looks_like_html(content),
                _kind(entry, kind, poster),
            )
        )
    ordered = oldest_first(messages)
    asker = next((first(entry, "user_id") for entry in entries if first(entry, "user_id") not in ("", "0")), "")
    return Conversation(
        id=first(thread.ticket, "number", "ticket_id") or thread.id,
        messages=ordered,
        subject=next((first(entry, "title") for entry in entries if first(entry, "title")), ""),
        created_at=ordered[0].at if ordered else "",
        status=first(thread.ticket, "status"),
        customer=asker,
        people=tuple(name for name in names if len(name) > 2 and name != "SYSTEM"),
        source=thread.source,
    )


def _kind(entry: Json, kind: str, poster: str) -> Kind:
    if kind == "N":
        return "note"
    flags = first(entry, "flags")
    if flags.isdigit() and int(flags) & _HIDDEN_FLAG:
        return "hidden"
    return "system" if poster == "SYSTEM" else "public"
