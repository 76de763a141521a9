"""Plans -> conversations: runs each stream through its reader and keeps what was damaged.

Knows no vendor and no option of the data set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from engine.errors import TicketsError
from engine.tickets.conversation import Conversation, LeftOut
from engine.tickets.importing.files.columnar import read_objects
from engine.tickets.importing.files.json_cells import unpacked
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.rows import Row, as_records, read_rows
from engine.tickets.importing.format_plan import Plan, check_readable, xml_records
from engine.tickets.importing.readers import mail, table
from engine.tickets.importing.readers.fields import text

Item = TypeVar("Item", Record, Row)
_PLACE = re.compile(r"(?:row|line|item|thread|ticket) \d+")
"""What readers call a conversation without an id of its own: its place, which several files share."""


def read_conversations(plans: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    """Yield the conversations of all streams, and what was too damaged to read.

    Streams of one vendor are read as one, so that what one file says helps with the next: users with tickets, tickets
    with messages that came apart.

    Raises:
        TicketsError: A stream cannot be read any further, or a table's columns are not clear.
    """
    for entry in plans:
        check_readable(entry)
    several = len(plans) > 1
    for item in _in_order(plans):
        if several and isinstance(item, Conversation) and _PLACE.fullmatch(item.id):
            yield replace(item, id=f"{item.id} of {item.source}")
        else:
            yield item


def _in_order(plans: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    vendors: dict[str, list[Plan]] = {}
    for entry in plans:
        if entry.reader or entry.family == "mail":
            vendors.setdefault(entry.format, []).append(entry)
    for entries in vendors.values():
        yield from _mail(entries) if entries[0].family == "mail" else _vendor(entries)
    for entry in plans:
        if not entry.reader and entry.family != "mail":
            damaged: list[LeftOut] = []
            yield from _with_damage(_table(entry, damaged), damaged)


def _mail(entries: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    return mail.read_mail([entry.source for entry in entries], entries[0].agents)


def _vendor(entries: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    damaged: list[LeftOut] = []
    records = chain.from_iterable(_records(entry, damaged) for entry in entries)
    reader = entries[0].reader
    if reader is None:
        return
    try:
        yield from _with_damage(reader.read(records), damaged)
    except (TypeError, AttributeError, KeyError, ValueError, IndexError) as error:
        # Readers expect every field to be of any kind; this is for the one that was overlooked.
        names = ", ".join(dict.fromkeys(entry.source.path.name for entry in entries))
        raise TicketsError(
            f"{names}: a record is not built like those of a {entries[0].label} ({error}).",
            "Choose another format for this file, or report it with one such record, made up.",
        ) from error


def _records(entry: Plan, damaged: list[LeftOut]) -> Iterator[Record]:
    records = _plain_records(entry, damaged)
    return unpacked(records, entry.json_fields) if entry.json_fields else records


def _plain_records(entry: Plan, damaged: list[LeftOut]) -> Iterator[Record]:
    if entry.family == "xml":
        return xml_records(entry.source, damaged)
    if entry.layout:
        return as_records(_whole(read_rows(entry.source, entry.layout), damaged), entry.columns, entry.source.name)
    return _whole(read_objects(entry.source, entry.encoding), damaged)


def _table(entry: Plan, damaged: list[LeftOut]) -> Iterator[Conversation]:
    source, month_first = entry.source, entry.day_order == "month"
    if entry.layout is None:
        rows = _as_rows(_whole(read_objects(source, entry.encoding), damaged), entry.columns)
        return table.read(rows, entry.columns, entry.mapping, source.name, month_first=month_first)
    cells = _whole(read_rows(source, entry.layout), damaged)
    return table.read(cells, entry.columns, entry.mapping, source.name, source.workbook, month_first)


def _as_rows(records: Iterable[Record], columns: Sequence[str]) -> Iterator[Row]:
    for number, record in enumerate(records, start=1):
        yield Row(number, tuple(text(record.value.get(column)) for column in columns))


def _whole(items: Iterable[Item | LeftOut], damaged: list[LeftOut]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, LeftOut):
            damaged.append(item)
        else:
            yield item


def _with_damage(conversations: Iterable[Conversation], damaged: list[LeftOut]) -> Iterator[Conversation | LeftOut]:
    for conversation in conversations:
        yield from damaged
        damaged.clear()
        yield conversation
    yield from damaged
    damaged.clear()
