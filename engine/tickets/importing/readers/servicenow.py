"""ServiceNow: incidents with their journal (CSV, XLSX or JSON), and the tables ``sys_journal_field`` and ``sys_user``.

Traps: one journal blob a ticket, newest first, its entries told apart only by their heads; work notes are internal; the
CSV is Windows-1252 by default; rows of the journal name a user (``ada.lane``) where the incident names a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import reopened
from engine.tickets.importing.readers.fields import Json, looks_like_html, oldest_first, text
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "servicenow"
LABEL = "ServiceNow export"
GUIDE = (
    ("List > right-click a header > Export (CSV, Excel, XML), with the columns of comments, or sys_journal_field"),
    "CSV, XLSX, JSON, XML",
    "incidents with their journal; work notes are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This ServiceNow file lists records without their comments, so there are no answers in it.",
    "Add the columns 'Additional comments' and 'Description' to the list (gear icon), then export it again.",
)
_COLUMNS = {
    "number": ("number", "Number", "Nummer", "Numéro", "Número"),
    "sys_id": ("sys_id", "Sys ID"),
    "caller": ("caller_id", "Caller", "opened_by", "Opened by", "contact", "Contact", "requested_for", "Anrufer"),
    "summary": ("short_description", "Short description", "Short Description", "Kurzbeschreibung"),
    "description": ("description", "Description", "Beschreibung"),
    "state": ("state", "State", "incident_state", "Status"),
    "assigned": ("assigned_to", "Assigned to", "Zugewiesen an"),
    "created": ("sys_created_on", "Created", "opened_at", "Opened"),
    "journal": (
        *("comments_and_work_notes", "Comments and Work notes", "comments", "Additional comments", "Comments"),
        *("work_notes", "Work notes", "Zusätzliche Kommentare", "Kommentare und Arbeitsnotizen"),
    ),
}
_HEAD = re.compile(
    r"^(?P<at>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
    r"|\d{1,2}[-/.](?:\d{1,2}|[A-Za-z]{3})[-/.]\d{2,4} \d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?)"
    r" - (?P<author>.{1,120}?) \((?P<kind>[^()\n]{3,60})\)[ \t]*$",
    re.MULTILINE,
)
_BREAK = re.compile(r"<br\s*/?>\n?", re.IGNORECASE)
_INTERNAL = ("work note", "arbeitsnotiz", "notes de travail", "notas de trabajo", "note di lavoro")
_ROW_KEYS = frozenset({"element", "element_id", "value"})


def evidence(record: Json) -> str:
    """Say what in a record is ServiceNow's; empty when it is not."""
    if _ROW_KEYS.issubset(record):
        return "element, element_id and value (sys_journal_field)"
    if _is_user(record):
        return "user_name (sys_user)"
    if _name(record, "number") and _name(record, "summary"):
        journal = _name(record, "journal")
        if journal:
            return f"{_name(record, 'number')}, {_name(record, 'summary')} and {journal}"
        if {"caller_id", "sys_created_on", "sys_id", "incident_state"} & record.keys():
            return f"{_name(record, 'number')} and {_name(record, 'summary')}"
    return ""


def has_messages(record: Json) -> bool:
    """Tell journal rows, and records with a journal, from records without."""
    return _ROW_KEYS.issubset(record) or bool(_value(record, "journal"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a record."""
    users: dict[str, str] = {}
    joined = join(
        _without_users(records, users),
        _parent,
        lambda value: bool(_value(value, "journal")),
        _COLUMNS["sys_id"] + _COLUMNS["number"],
    )
    for ticket in joined:
        yield _conversation(ticket, users)


def _is_user(record: Json) -> bool:
    return {"sys_id", "user_name"} <= record.keys()


def _without_users(records: Iterable[Record], users: dict[str, str]) -> Iterator[Record]:
    """Take in what users are called, by their ids and their user names, and pass everything else on."""
    for record in records:
        if _is_user(record.value):
            name = _plain(record.value.get("name")) or _plain(record.value.get("user_name"))
            users.update((_plain(record.value.get(key)), name) for key in ("sys_id", "user_name"))
        else:
            yield record


def _parent(record: Json) -> str:
    return _plain(record.get("element_id")) if _ROW_KEYS.issubset(record) else ""


def _name(record: Json, role: str) -> str:
    return next((name for name in _COLUMNS[role] if name in record), "")


def _plain(value: object) -> str:
    """Read a value that the API may give as ``{"display_value": ..., "value": ...}``."""
    if isinstance(value, dict):
        return text(value.get("display_value")) or text(value.get("value"))
    return text(value)


def _value(record: Json, role: str) -> str:
    return next((value for name in _COLUMNS[role] if (value := _plain(record.get(name))).strip()), "")


def _conversation(joined: Joined, users: dict[str, str]) -> Conversation:
    ticket = joined.ticket
    caller, created = _value(ticket, "caller"), _value(ticket, "created")
    caller = users.get(caller, caller)
    summary = _value(ticket, "summary")
    asked = _value(ticket, "description") or summary
    replies = list(_journal(ticket, caller))
    replies.extend(_row_message(row, caller, users) for row in joined.messages)
    assigned = _value(ticket, "assigned")
    named = (caller, users.get(assigned, assigned), *(message.author for message in replies))
    opening = [Message("user", asked, caller, created, looks_like_html(asked))] if asked else []
    return Conversation(
        id=_value(ticket, "number") or joined.id,
        messages=(*opening, *oldest_first(replies)),
        subject=summary,
        created_at=created or (replies[-1].at if replies else ""),
        status=_value(ticket, "state"),
        customer=caller,
        people=tuple(dict.fromkeys(name for name in named if len(name) > 2)),
        source=joined.source,
        reopened=reopened(_plain(ticket.get("reopen_count"))),
    )


def _journal(ticket: Json, caller: str) -> Iterator[Message]:
    """Yield the entries of the journal columns, oldest first; an entry in two columns counts once."""
    written: set[tuple[str, str, str]] = set()
    messages: list[Message] = []
    for name in _COLUMNS["journal"]:
        blob = _plain(ticket.get(name))
        if "\n" not in blob or "<br" in blob[:4000].lower():
            blob = _BREAK.sub("\n", blob)
        blob = blob.replace("\r\n", "\n")
        heads = list(_HEAD.finditer(blob))
        for index, head in enumerate(heads):
            end = heads[index + 1].start() if index + 1 < len(heads) else len(blob)
            text = blob[head.end() : end].strip("\n")
            key = (head["at"], head["author"], text)
            if key in written:
                continue
            written.add(key)
            messages.append(_message(text, head["author"], head["at"], head["kind"], caller))
        if blob.strip() and not heads:
            messages.append(Message("assistant", blob, _value(ticket, "assigned"), html=looks_like_html(blob)))
    yield from reversed(messages)


def _message(text: str, author: str, at: str, label: str, caller: str) -> Message:
    kind: Kind = "note" if any(word in label.lower() for word in _INTERNAL) else "public"
    if author.strip().casefold() == "system":
        kind = "system"
    elif author.strip().casefold() in ("virtual agent", "virtual.agent", "now assist"):
        kind = "bot"
    role: Role = "user" if _words(author) == _words(caller) else "assistant"
    return Message(role, text, author, at, looks_like_html(text), kind)


@lru_cache(1024)
def _words(name: str) -> frozenset[str]:
    """Return the words of a name: those of ``ada.lane@shop.example`` are those of Ada Lane."""
    return frozenset(re.findall(r"[^\W_]+", name.split("@", 1)[0].casefold())) or frozenset((name,))


def _row_message(row: Json, caller: str, users: dict[str, str]) -> Message:
    author = _plain(row.get("sys_created_by"))
    author = users.get(author, author)
    label = _plain(row.get("element")).replace("_", " ")
    return _message(_plain(row.get("value")), author, _plain(row.get("sys_created_on")), label, caller)
