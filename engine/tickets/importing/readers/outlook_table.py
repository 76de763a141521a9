"""Outlook's own export as a table (Open & Export > Import/Export > Comma Separated Values), a row a mail.

Traps: there are no dates and no ids at all: mails of one subject between the same people are a thread, and since each
reply quotes what came before, a longer mail is a later one. Headers are those of Outlook's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from engine.tickets.cleaning.message import is_auto_reply
from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, asker, first
from engine.tickets.importing.readers.mail import REPLY, Envelope, support_of, threads_of, topic_of

FORMAT = "outlook"
LABEL = "Outlook mails as CSV"
GUIDE = (
    "File > Open & Export > Import/Export > Export to a file > Comma Separated Values",
    "CSV",
    "mails threaded by subject and people; Outlook leaves the dates away, so .msg files tell more",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This CSV of Outlook lists mails without their words, so there are no answers in it.",
    "Export it again with the field Body, or drag the mails into a folder as .msg files and drop these.",
)
CAUTION = (
    "Outlook's CSV has no dates: which mail came first is told by what each quotes. Mails dragged into a folder as "
    ".msg files keep their dates."
)
_NAMES = {
    "subject": ("Subject", "Betreff", "Objet", "Asunto", "Oggetto", "Assunto", "Onderwerp"),
    "body": ("Body", "Text", "Corps", "Cuerpo", "Corpo", "Tekst", "Nachrichtentext"),
    "from": (
        "From: (Address)",
        "Von: (Adresse)",
        "De: (adresse)",
        "De: (dirección)",
        "De: (endereço)",
        "Da: (indirizzo)",
        "Van: (adres)",
    ),
    "name": (*("From: (Name)", "Von: (Name)", "De: (nom)", "De: (nombre)", "De: (nome)", "Da: (nome)", "Van: (naam)"),),
    "to": (
        *("To: (Address)", "An: (Adresse)", "À: (adresse)", "Para: (dirección)", "Para: (endereço)", "A: (indirizzo)"),
        "Aan: (adres)",
    ),
}
_SPELT = {role: tuple("".join(name.casefold().split()) for name in names) for role, names in _NAMES.items()}
"""The same without blanks and capitals: the French write one before a colon."""


@dataclass(frozen=True, slots=True)
class _Row:
    envelope: Envelope
    name: str
    body: str
    source: str


def evidence(record: Json) -> str:
    """Say what in a record is Outlook's; empty when it is not."""
    spelt = {_spelt(name): name for name in record}
    sender = next((spelt[name] for name in _SPELT["from"] if name in spelt), "")
    return f"the column {sender}" if sender and spelt.keys() & set(_SPELT["subject"]) else ""


def has_messages(record: Json) -> bool:
    """Tell a mail with its words from one without."""
    return bool(_cell(record, "body"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread."""
    rows = [_row(record) for record in records]
    index = [row.envelope for row in rows]
    threads = threads_of(index, [topic_of(envelope.subject) for envelope in index])
    ours = support_of(index, threads)
    for number, members in enumerate(threads, start=1):
        yield _conversation([rows[member] for member in members], ours, number)


def _cell(record: Json, role: str) -> str:
    return first(record, *(name for name in record if _spelt(name) in _SPELT[role]))


@cache
def _spelt(name: str) -> str:
    return "".join(name.casefold().split())


def _row(record: Record) -> _Row:
    value = record.value
    recipients = tuple(part.strip().lower() for part in _cell(value, "to").split(";") if "@" in part)
    sender = _cell(value, "from").strip().lower()
    envelope = Envelope("", (), sender, recipients, _cell(value, "subject"))
    return _Row(envelope, _cell(value, "name"), _cell(value, "body"), record.source)


def _conversation(rows: Sequence[_Row], ours: set[str], number: int) -> Conversation:
    ordered = sorted(rows, key=lambda row: (bool(REPLY.match(row.envelope.subject)), len(row.body)))
    messages = []
    for row in ordered:
        sender = row.envelope.sender
        role: Role = "assistant" if sender in ours or sender.rsplit("@", 1)[-1] in ours else "user"
        kind: Kind = "auto_reply" if is_auto_reply(row.body[:5000]) else "public"
        messages.append(Message(role, row.body, sender, kind=kind))
    names = dict.fromkeys(name for row in ordered for name in (row.name, row.envelope.sender))
    return Conversation(
        id=f"thread {number}",
        messages=tuple(messages),
        subject=REPLY.sub("", ordered[0].envelope.subject),
        customer=asker(messages),
        people=tuple(name for name in names if len(name) > 1),
        source=ordered[0].source,
    )
