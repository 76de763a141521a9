"""Tickets and their messages from separate records -> both together.

Some APIs and database dumps give the messages apart from the tickets, in other files or in between. Whoever is complete
is passed on at once; the rest waits, on disk where it is much, until all records have been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, text

_NOTHING: Json = {}


@dataclass(frozen=True, slots=True)
class Joined:
    """One ticket and the messages that came apart from it."""

    id: str
    ticket: Json
    """Empty where only messages were exported."""
    messages: tuple[Json, ...]
    source: str


def join(
    records: Iterable[Record],
    parent: Callable[[Json], str],
    complete: Callable[[Json], bool],
    ids: Sequence[str] = ("id",),
) -> Iterator[Joined]:
    """Put messages to their tickets.

    Args:
        records: Tickets and messages in any order.
        parent: The id of the ticket that a message belongs to; empty for what is a ticket itself.
        complete: Whether a ticket brings its messages along.
        ids: The keys of a ticket's id, the first that is filled counts.
    """
    with Groups[tuple[bool, Record]]() as groups:
        for record in records:
            if key := parent(record.value):
                groups.add(key, (True, record))
                continue
            own = next((found for name in ids if (found := text(record.value.get(name)).strip())), record.place)
            if complete(record.value):
                yield Joined(own, record.value, (), record.source)
            else:
                groups.add(own, (False, record))
        for key, members in groups:
            ticket = next((record for is_message, record in members if not is_message), None)
            messages = tuple(record.value for is_message, record in members if is_message)
            yield Joined(key, ticket.value if ticket else _NOTHING, messages, members[0][1].source)


def by_file(records: Iterable[Record], is_loose: Callable[[Json], bool]) -> Iterator[Record]:
    """Give messages that name no ticket the file that they stand in as their ``file``: APIs answer a ticket at a time.

    Args:
        records: Tickets and messages.
        is_loose: Whether a record is such a message.
    """
    for record in records:
        yield replace(record, value={**record.value, "file": record.source}) if is_loose(record.value) else record
