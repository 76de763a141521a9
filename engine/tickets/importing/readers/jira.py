"""Jira Service Management: the CSV and the XML export, and the JSON of the API (versions 2 and 3).

Traps: the CSV's header ``Comment`` repeats and a cell is ``date;author;text``; version 3 gives ADF trees instead of
text; ``jsdPublic: false`` is internal, and CSV and XML have no such mark at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.adf import adf_to_text, wiki_to_text
from engine.tickets.importing.readers.fields import (
    Json,
    first,
    nested,
    object_at,
    objects,
    oldest_first,
    people,
    text,
    words,
)

FORMAT = "jira"
LABEL = "Jira Service Management export"
GUIDE = (
    "Filters > Advanced issue search > Export CSV (all fields) or XML; or the REST API",
    "CSV, XML, JSON",
    "issues with their comments; internal ones, where they are marked, are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Jira file lists issues without their comments, so there are no answers in it.",
    "In Jira choose Filters > Advanced issue search > Export > 'Export CSV (all fields)', which includes comments.",
)
CAUTION = (
    "Jira's CSV and XML do not say which comments are internal. Look through the answers, or import the JSON of its "
    "API, which marks internal comments."
)
_NAMES = {
    "key": ("Issue key", "Key", "Vorgangsschlüssel", "Clé de ticket", "Clave de incidencia", "Chiave segnalazione"),
    "summary": ("Summary", "Zusammenfassung", "Résumé", "Resumen", "Riepilogo", "Resumo"),
    "comment": ("Comment", "Comments", "Kommentar", "Commentaire", "Comentario", "Commento", "Comentário"),
    "reporter": ("Reporter", "Reporter Id", "Creator", "Creator Id", "Autor", "Rapporteur", "Informador"),
    "description": ("Description", "Beschreibung", "Descripción", "Descrizione", "Descrição"),
    "created": ("Created", "Erstellt", "Création", "Creada", "Creato", "Criado"),
    "status": ("Status", "État", "Estado", "Stato"),
    "labels": ("Labels", "Stichwörter", "Étiquettes", "Etiquetas", "Etichette"),
    "assignee": ("Assignee", "Bearbeiter", "Responsable", "Persona asignada", "Assegnatario"),
}
_CELL = re.compile(r"\s*([^;\n]{6,40});([^;\n]{1,120});(.*)", re.DOTALL)
_PORTAL = ("qm:", "customer:")
_MACHINES = frozenset(
    ("automation for jira", "jira automation", "virtual service agent", "atlassian intelligence", "rovo")
)
"""Display names under which Jira's own automation and AI comment; version 3 marks them as apps as well."""


def evidence(record: Json) -> str:
    """Say what in a record is Jira's; empty when it is not."""
    fields = record.get("fields")
    if isinstance(fields, dict) and ("summary" in fields or "comment" in fields):
        return "fields with summary and comment"
    key, summary = _header(record, "key"), _header(record, "summary")
    if key and summary:
        comment = _header(record, "comment")
        return f"the columns {key}, {summary}{' and ' + comment if comment else ''}"
    return ""


def has_messages(record: Json) -> bool:
    """Tell an issue with comments from one without."""
    if "fields" in record:
        return bool(nested(record, "fields", "comment", "comments"))
    return any(_cells(record, "comment"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation an issue."""
    for record in records:
        yield _from_json(record) if "fields" in record.value else _from_row(record)


def _header(row: Json, role: str) -> str:
    return next((name for name in _NAMES[role] if name in row), "")


def _cells(row: Json, role: str) -> list[str]:
    """Return the filled cells of all columns of a role; repeated headers hold a list."""
    found: list[str] = []
    for name in _NAMES[role]:
        value = row.get(name)
        found.extend(text(cell) for cell in (value if isinstance(value, list) else [value]))
    return [cell for cell in found if cell.strip()]


def _from_row(record: Record) -> Conversation:
    row = record.value
    reporters = _cells(row, "reporter")
    created = next(iter(_cells(row, "created")), "")
    asked = next(iter(_cells(row, "description")), "")
    messages = [Message("user", wiki_to_text(asked), reporters[0] if reporters else "", created)] if asked else []
    for cell in _cells(row, "comment"):
        parts = _CELL.fullmatch(cell)
        date, author, said = parts.groups() if parts else ("", "", cell)
        is_customer = author in reporters or author.startswith(_PORTAL)
        kind: Kind = "bot" if author.strip().casefold() in _MACHINES else "public"
        messages.append(Message("user" if is_customer else "assistant", wiki_to_text(said), author, date, kind=kind))
    subject = next(iter(_cells(row, "summary")), "")
    if not asked:
        messages.insert(0, Message("user", subject, reporters[0] if reporters else "", created))
    names = (*reporters, *_cells(row, "assignee"))
    return Conversation(
        id=next(iter(_cells(row, "key")), record.place),
        messages=(*messages[:1], *oldest_first(messages[1:])),
        subject=subject,
        tags=tuple(_cells(row, "labels")),
        created_at=created,
        status=next(iter(_cells(row, "status")), ""),
        customer=reporters[0] if reporters else "",
        people=tuple(name for name in names if " " in name),
        source=record.source,
    )


def _from_json(record: Record) -> Conversation:
    issue = record.value
    fields = object_at(issue, "fields")
    reporter = object_at(fields, "reporter") or object_at(fields, "creator")
    reporter_id = _account(reporter)
    created = first(fields, "created")
    described, html = _said(fields.get("description"), first(object_at(issue, "renderedFields"), "description"))
    messages = [Message("user", described or first(fields, "summary"), reporter_id, created, html)]
    comments = objects(nested(fields, "comment", "comments"))
    replies = []
    for comment in comments:
        author = object_at(comment, "author")
        account = _account(author)
        is_customer = account == reporter_id or author.get("accountType") == "customer"
        content, html = _said(comment.get("body"), first(comment, "renderedBody"))
        replies.append(
            Message(
                "user" if is_customer else "assistant",
                content,
                account,
                first(comment, "created"),
                html,
                kind=_kind(comment, author),
            )
        )
    return Conversation(
        id=first(issue, "key", "id") or record.place,
        messages=(*messages, *oldest_first(replies)),
        subject=first(fields, "summary"),
        tags=words(fields.get("labels")),
        created_at=created,
        status=first(object_at(fields, "status"), "name"),
        customer=reporter_id,
        people=people(reporter, fields.get("assignee"), *(comment.get("author") for comment in comments)),
        source=record.source,
    )


def _account(person: Json) -> str:
    return first(person, "accountId", "key", "name", "emailAddress", "displayName")


def _said(body: object, rendered: str) -> tuple[str, bool]:
    """Return what was said and whether it is HTML, which alone XML has."""
    plain = wiki_to_text(body) if isinstance(body, str) else adf_to_text(body)
    return (plain, False) if plain.strip() or not rendered else (rendered, True)


def _kind(comment: Json, author: Json) -> Kind:
    if comment.get("jsdPublic") is False or comment.get("visibility"):
        return "note"
    named = first(author, "displayName").strip().casefold()
    return "bot" if author.get("accountType") == "app" or named in _MACHINES else "public"
