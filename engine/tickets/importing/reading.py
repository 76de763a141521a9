"""Plans -> conversations: runs each stream through its reader and keeps what was damaged.

Knows no vendor and no option of the data set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TypeVar

from engine.errors import TicketsError
from engine.tickets.conversation import Conversation, LeftOut
from engine.tickets.importing.files.columnar import read_objects
from engine.tickets.importing.files.json_cells import unpacked
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.rows import Row, as_records, read_rows
from engine.tickets.importing.format_plan import xml_records
from engine.tickets.importing.planned import Plan
from engine.tickets.importing.readable import check_readable
from engine.tickets.importing.readers import IN_FOLDERS, WITHOUT_SIDES, mail, table, whatsapp
from engine.tickets.importing.readers.fields import cell
from engine.tickets.importing.sides import LOOKED_AT, Writer, sided, writers

Item = TypeVar("Item", Record, Row)
_PLACE = re.compile(r"(?:row|line|item|thread|ticket) \d+")
"""What readers call a conversation without an id of its own: its place, which several files share."""
_TELLING = frozenset(("question", "role", "incoming", "outgoing", "customer"))
"""Columns of a table that tell the sides; without one of them, its authors are asked about."""
LOOK_ROWS = 20_000
LOOK_MAILS = 500
"""So many rows and mails are read to say who writes in them: less than a second."""


def read_conversations(plans: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    """Yield the conversations of all streams, and what was too damaged to read.

    Streams of one vendor are read as one, so that what one file says helps with the next: users with tickets, tickets
    with messages that came apart.

    Raises:
        TicketsError: A stream cannot be read any further, or a table's columns are not clear.
    """
    for entry in plans:
        check_readable(entry)
    _check_agents(plans)
    several = len(plans) > 1
    for item in _in_order(plans):
        if several and isinstance(item, Conversation) and _PLACE.fullmatch(item.id):
            yield replace(item, id=f"{item.id} of {item.source}")
        else:
            yield item


def writers_of(plans: Sequence[Plan]) -> tuple[Writer, ...]:
    """Say who writes in the files that name writers and not their sides, by a look at their beginning.

    Returns:
        Each with the side that is guessed, or was said by the person; empty where all files tell the sides.

    Raises:
        TicketsError: The person named agents, and none of them writes here, or the files tell the sides themselves.
    """
    _check_agents(plans)
    asking = [entry for entry in plans if _asks_who(entry)]
    try:
        for entry in asking:
            check_readable(entry)
    except TicketsError:
        return ()  # which column is what has to be asked first
    items = islice(_in_order(asking, look=True), LOOKED_AT)
    return writers(item for item in items if isinstance(item, Conversation))


def _asks_who(entry: Plan) -> bool:
    """Tell a stream that names who writes, and not for which side."""
    if entry.reader:
        return entry.format in WITHOUT_SIDES
    named = entry.mapping
    return entry.family == "mail" or ("author" in named and "text" in named and not _TELLING & named.keys())


def _check_agents(plans: Sequence[Plan]) -> None:
    if plans[0].agents and not any(_asks_who(entry) for entry in plans):
        raise TicketsError(
            f"Who the support is, these files say themselves ({plans[0].label}).", "Leave the names of agents out."
        )


def _in_order(plans: Sequence[Plan], look: bool = False) -> Iterator[Conversation | LeftOut]:
    """Read vendor by vendor; for a mere look, of tables and mailboxes the beginning."""
    vendors: dict[str, list[Plan]] = {}
    for entry in plans:
        if entry.reader or entry.family == "mail":
            vendors.setdefault(entry.format, []).append(entry)
    for entries in vendors.values():
        yield from _mail(entries, look) if entries[0].family == "mail" else _vendor(entries)
    for entry in plans:
        if not entry.reader and entry.family != "mail":
            damaged: list[LeftOut] = []
            items = _with_damage(_table(entry, damaged, LOOK_ROWS if look else None), damaged)
            yield from sided(items, entry.agents) if entry.agents and _asks_who(entry) else items


def _mail(entries: Sequence[Plan], look: bool) -> Iterator[Conversation | LeftOut]:
    return mail.read_mail([entry.source for entry in entries], entries[0].agents, LOOK_MAILS if look else None)


def _vendor(entries: Sequence[Plan]) -> Iterator[Conversation | LeftOut]:
    damaged: list[LeftOut] = []
    records = chain.from_iterable(_records(entry, damaged) for entry in entries)
    reader = entries[0].reader
    if reader is None:
        return
    try:
        items = _with_damage(reader.read(records), damaged)
        yield from sided(items, entries[0].agents) if reader.FORMAT in WITHOUT_SIDES else items
    except (TypeError, AttributeError, KeyError, ValueError, IndexError) as error:
        # Readers expect every field to be of any kind; this is for the one that was overlooked.
        names = ", ".join(dict.fromkeys(entry.source.path.name for entry in entries))
        raise TicketsError(
            f"{names}: a record is not built like those of a {entries[0].label} ({error}).",
            "Choose another format for this file, or report it with one such record, made up.",
        ) from error


def _records(entry: Plan, damaged: list[LeftOut]) -> Iterator[Record]:
    records = _plain_records(entry, damaged)
    if entry.reader and entry.reader.FORMAT in IN_FOLDERS:
        records = (replace(record, folder=entry.source.folder) for record in records)
    return unpacked(records, entry.json_fields) if entry.json_fields else records


def _plain_records(entry: Plan, damaged: list[LeftOut]) -> Iterator[Record]:
    if entry.family == "text":
        return _whole(whatsapp.messages_of(entry.source, entry.encoding), damaged)
    if entry.family == "xml":
        return xml_records(entry.source, damaged)
    if entry.layout:
        return as_records(_whole(read_rows(entry.source, entry.layout), damaged), entry.columns, entry.source.name)
    return _whole(read_objects(entry.source, entry.encoding), damaged)


def _table(entry: Plan, damaged: list[LeftOut], most: int | None = None) -> Iterator[Conversation]:
    source, month_first = entry.source, entry.day_order == "month"
    if entry.layout is None:
        rows = islice(_as_rows(_whole(read_objects(source, entry.encoding), damaged), entry.columns), most)
        return table.read(rows, entry.columns, entry.mapping, source.name, month_first=month_first)
    cells = islice(_whole(read_rows(source, entry.layout), damaged), most)
    return table.read(cells, entry.columns, entry.mapping, source.name, source.workbook, month_first)


def _as_rows(records: Iterable[Record], columns: Sequence[str]) -> Iterator[Row]:
    for number, record in enumerate(records, start=1):
        yield Row(number, tuple(cell(record.value.get(column)) for column in columns))


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
