"""Tables of any origin with the columns mapped to roles.

Wide: a row a ticket, with a question and an answer. Long: a row a message, with the ticket's id and who wrote it; the
rows of one ticket need not stand together, nor in the order of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.dates import iso, seconds
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.json_values import parsed
from engine.tickets.importing.files.rows import Row
from engine.tickets.importing.files.workbooks import EXCEL_CELL_CHARS
from engine.tickets.importing.parties import is_internal, is_machine_name, who, yes_no
from engine.tickets.importing.ratings import rating_of, reopened
from engine.tickets.importing.readers.fields import looks_like_html, people, words
from engine.tickets.union_find import UnionFind

FORMAT = "table"
LABEL = "Table"
GUIDE = (
    "Any program that saves tables",
    "CSV, TSV, XLSX, XLS, ODS, Parquet",
    (
        "a row a ticket (question, answer) or a row a message (ticket, author or role, text, date); replies "
        "by number; headers in many languages, else you choose"
    ),
)
"""For the README: how to export it there, the file, what is read of it."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row by its roles."""

    row: Row
    at: Mapping[str, int]

    def __call__(self, role: str) -> str:
        index = self.at.get(role)
        return self.row.cells[index] if index is not None else ""


def is_wide(mapping: Mapping[str, str]) -> bool:
    """Tell a mapping for a row a ticket from one for a row a message."""
    return "question" in mapping and "answer" in mapping


def read(
    rows: Iterable[Row],
    columns: Sequence[str],
    mapping: Mapping[str, str],
    source: str,
    workbook: bool = False,
    month_first: bool = False,
) -> Iterator[Conversation]:
    """Yield the conversations of a table.

    Args:
        rows: The rows under the header.
        columns: The header.
        mapping: Role -> header, checked.
        source: The file's name.
        workbook: Cells of exactly Excel's limit are then taken as cut off.
        month_first: Whether ``3/4/2025`` is the 4th of March; such dates are passed on as ISO 8601, which later stages
            cannot mistake.
    """
    at = {role: columns.index(column) for role, column in mapping.items() if column in columns}
    if month_first and "date" in at:
        rows = _with_iso_dates(rows, at["date"])
    message = _message_maker(workbook)
    if is_wide(mapping):
        for row in rows:
            yield _wide(_Cells(row, at), message, source)
    else:
        yield from _long(rows, at, message, source)


def _with_iso_dates(rows: Iterable[Row], at: int) -> Iterator[Row]:
    for row in rows:
        yield Row(row.number, (*row.cells[:at], iso(row.cells[at], month_first=True), *row.cells[at + 1 :]))


def _message_maker(workbook: bool) -> Callable[[Role, str, str, str, Kind], Message]:
    def make(role: Role, content: str, author: str, at: str, kind: Kind) -> Message:
        if workbook and len(content) >= EXCEL_CELL_CHARS and kind == "public":
            kind = "truncated"
        return Message(role, content, author, at, looks_like_html(content), kind)

    return make


def _wide(cells: _Cells, message: Callable[[Role, str, str, str, Kind], Message], source: str) -> Conversation:
    date = cells("date")
    return Conversation(
        id=cells("ticket").strip() or f"row {cells.row.number}",
        messages=(
            message("user", cells("question"), cells("customer"), date, "public"),
            message("assistant", cells("answer"), cells("author") or "agent", date, "public"),
        ),
        subject=cells("subject").strip(),
        tags=words(cells("tags")),
        created_at=date,
        customer=cells("customer").strip(),
        people=tuple(name for name in (cells("customer").strip(), cells("author").strip()) if len(name) > 1),
        source=source,
        rating=rating_of(cells("rating")),
        reopened=reopened(cells("reopened")),
    )


def _long(
    rows: Iterable[Row], at: Mapping[str, int], message: Callable[[Role, str, str, str, Kind], Message], source: str
) -> Iterator[Conversation]:
    with Groups[Row]() as groups:
        table = _Table()
        for row in rows:
            cells = _Cells(row, at)
            groups.add(cells("ticket").strip() or f"row {row.number}", row)
            table.see(cells)
        for ticket, members in _replying(groups, table.replies) if "reply" in at else groups:
            listed = [_Cells(row, at) for row in members]
            yield _thread(ticket, table.oldest_first(listed), message, table, source)


def _replying(groups: Groups[Row], replies: Mapping[str, str]) -> Iterator[tuple[str, list[Row]]]:
    """Put the rows that reply to each other together, under the number of the first.

    Args:
        groups: The rows by their own numbers.
        replies: Number -> the number that it replies to, or an empty text, for every row.
    """
    places = {number: place for place, number in enumerate(replies)}
    threads = UnionFind(len(places))
    for number, parent in replies.items():
        if parent in places:
            threads.join(places[number], places[parent])
    numbers = list(places)
    for members in threads.groups().values():
        yield numbers[members[0]], [row for member in members for row in groups.members(numbers[member])]


class _Table:
    """What all rows of a long table tell: who writes how often, whom a blank means, and which end is the newest."""

    def __init__(self) -> None:
        self.writers: Counter[str] = Counter()
        self.replies: dict[str, str] = {}
        """A row's own number -> the number of the row that it replies to, in tables that say so."""
        self._sides: set[Role] = set()
        self._falling = 0
        self._rising = 0
        self._before: tuple[str, float] | None = None

    def see(self, cells: _Cells) -> None:
        """Look at the next row of the file."""
        if "reply" in cells.at:
            self.replies[cells("ticket").strip() or f"row {cells.row.number}"] = cells("reply").strip()
        self.writers[named(cells("author"))[0]] += 1
        role, kind = _party(cells)
        if role and kind == "public":
            self._sides.add(role)
        stamp = seconds(cells("date"))
        if stamp is None:
            return
        if self._before and self._before[0] == cells("ticket"):
            self._falling += stamp < self._before[1]
            self._rising += stamp > self._before[1]
        self._before = (cells("ticket"), stamp)

    def party(self, cells: _Cells) -> tuple[Role | None, Kind]:
        """Tell who wrote a row; a blank means the customer where the column only ever names the support."""
        role, kind = _party(cells)
        if role is None and self._sides == {"assistant"} and not any(cells(name).strip() for name in _TELLING):
            role = "user"
        return role, kind

    def oldest_first(self, rows: Sequence[_Cells]) -> Sequence[_Cells]:
        """Sort the rows of a ticket by date where every date can be read; equal dates follow the order of the file."""
        stamps = [seconds(cells("date")) for cells in rows]
        if None in stamps:
            return rows
        order = range(len(rows) - 1, -1, -1) if self._falling > self._rising else range(len(rows))
        return [rows[index] for index in sorted(order, key=lambda index: stamps[index] or 0.0)]


def _thread(
    ticket: str,
    rows: Sequence[_Cells],
    message: Callable[[Role, str, str, str, Kind], Message],
    table: _Table,
    source: str,
) -> Conversation:
    """Build a conversation of its rows, oldest first."""
    customer = next((cells("customer").strip() for cells in rows if cells("customer").strip()), "")
    asker = _asker(rows, customer, table.writers)
    messages = []
    for cells in rows:
        role, kind = table.party(cells)
        author, _ = named(cells("author"))
        if role is None and not author:
            role, kind = "assistant", "unknown" if kind == "public" else kind
        elif role is None:
            role = "user" if author == asker else "assistant"
        if role == "assistant" and kind == "public" and is_machine_name(author):
            kind = "bot"
        messages.append(message(role, cells("text"), author, cells("date"), kind))
    first = rows[0]
    listed = ((*named(cells("author"))[1], cells("customer").strip()) for cells in rows)
    names = dict.fromkeys(name for several in listed for name in several if len(name) > 1)
    return Conversation(
        id=ticket,
        messages=tuple(messages),
        subject=next((cells("subject").strip() for cells in rows if cells("subject").strip()), ""),
        tags=words(first("tags")),
        created_at=first("date"),
        customer=customer or asker,
        people=tuple(names),
        source=source,
        rating=next((told for cells in reversed(rows) if (told := rating_of(cells("rating")))), ""),
        reopened=any(reopened(cells("reopened")) for cells in rows),
    )


def _party(cells: _Cells) -> tuple[Role | None, Kind]:
    """Tell who wrote a row, by its columns of words and of yes and no; None where only its author can tell."""
    role, kind = who(cells("role"))
    for name, yes, no in _SIDES:
        said = yes_no(cells(name))
        if role is None:
            role, kind = (yes if said else no, kind) if said is not None else who(cells(name))
    if is_internal(cells("internal"), means_internal=True) or is_internal(cells("public"), means_internal=False):
        kind = "note"
    elif yes_no(cells("bot")):
        role, kind = "assistant", "bot"
    return role, kind


@lru_cache(1024)
def named(cell: str) -> tuple[str, tuple[str, ...]]:
    """Read who is named in a cell: a name, an address, or a person as JSON such as ``{"name": ..., "address": ...}``.

    Returns:
        What tells him from others, and all that names him.
    """
    cell = cell.strip()
    if cell.startswith("{") and isinstance(person := parsed(cell.encode()), dict) and (found := people(person)):
        return found[-1], found
    return cell, (cell,)


_SIDES: tuple[tuple[str, Role, Role], ...] = (("incoming", "user", "assistant"), ("outgoing", "assistant", "user"))
"""(column of yes and no, who wrote it where it says yes, who where it says no)"""
_TELLING = ("role", "incoming", "outgoing", "bot")


def _asker(rows: Sequence[_Cells], customer: str, writers: Counter[str]) -> str:
    """Tell who of the writers is the customer: the one named so, else the first to write.

    When the first writer has written far more over the whole table than the second, the second is taken: agents write
    many tickets, a customer few. The rows are those of one ticket, oldest first.
    """
    everybody = dict.fromkeys(named(cells("author"))[0] for cells in rows)
    authors = [author for author in everybody if not is_machine_name(author)]
    if customer in authors:
        return customer
    if len(authors) >= 2 and writers[authors[0]] >= 5 and writers[authors[0]] > writers[authors[1]] * 3:
        return authors[1]
    return authors[0] if authors else ""
