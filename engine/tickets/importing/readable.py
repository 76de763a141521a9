"""Whether a table, or JSON of no known shape, can be read as it was planned; and if not, what helps with this file.

The advice differs: where nobody wrote anything no choice of columns helps, and what is nested has no columns.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import TicketsError
from engine.tickets.importing.columns import WRITERS, doubts, holds_text
from engine.tickets.importing.planned import Plan, only_yes_no
from engine.tickets.importing.readers import table

_FEWEST_WORDS = 4
"""Fewer words are a name, a status or a number."""
_SCRIPT_CHARS = 12
"""So many characters without a blank are a sentence in scripts that have none."""
_LISTED = 30


def check_readable(entry: Plan) -> None:
    """Make sure that a table's columns suffice to build conversations.

    Raises:
        TicketsError: They do not; the message lists the columns and the remedy shows what to do with such a file.
    """
    if entry.reader or entry.family in ("mail", "xml"):
        return
    mapping = entry.mapping
    writers = [role for role in WRITERS if role in mapping]
    if writers == ["role"] and "text" in mapping and only_yes_no(mapping["role"], entry.columns, entry.sample):
        raise TicketsError(
            f"{entry.source.name}: the column {mapping['role']!r} holds only yes and no, and which of them is the "
            "customer is not clear.",
            f"Map it as 'incoming' where yes means that the customer wrote (--map incoming={mapping['role']!r}), as "
            "'outgoing' where it means the support.",
        )
    if table.is_wide(mapping) or ("text" in mapping and "ticket" in mapping and writers):
        return
    check_written(entry)
    raise TicketsError(
        f"{entry.source.name} is no export that is known, and which of its {_what(entry)} hold the question and the "
        f"answer is not clear: {_listed(entry)}.{''.join(f' {doubt}' for doubt in unclear(entry))}",
        "Choose the columns in the window, or give --map question=NAME --map answer=NAME "
        "(for a row a message: --map ticket=NAME --map text=NAME --map author=NAME).",
    )


def check_written(entry: Plan) -> None:
    """Make sure that somebody wrote something in a table, or in JSON of no known shape.

    Raises:
        TicketsError: Nobody did, or it is nested where no column reaches it.
    """
    if any(_written(entry)):
        return
    if entry.nested:
        nested = ", ".join(repr(key[:60]) for key in entry.nested[:5])
        raise TicketsError(
            f"{entry.source.name} is JSON of a shape that is not known: what is said may lie inside of {nested} "
            f"(its keys are {_listed(entry)}).",
            'Write a line a conversation, {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", '
            '"content": "..."}]}; or a CSV with a row a message: ticket, author, text and date.',
        )
    raise TicketsError(
        f"{entry.source.name} is a list in which nobody wrote anything: none of its {_what(entry)} holds sentences "
        f"({_listed(entry)}).",
        "Choose the export that holds what was said, often called messages, comments, replies or conversations.",
    )


def unclear(entry: Plan) -> list[str]:
    """Say in sentences why it is not clear which column is what; empty where nothing tells."""
    told = doubts(entry.columns, entry.sample)
    if not told and len(written := list(_written(entry))) == 1:
        told.append(
            f"Only {written[0][:60]!r} holds sentences: if these are the questions, the answers are in another export; "
            "if they are the messages of both sides, name the columns of the ticket and the author too."
        )
    return told


def _what(entry: Plan) -> str:
    return "keys" if entry.family == "json" else "columns"


def _listed(entry: Plan) -> str:
    listed = ", ".join(repr(column[:60]) for column in entry.columns[:_LISTED])
    return listed + (" and more" if len(entry.columns) > _LISTED else "")


def _written(entry: Plan) -> Iterator[str]:
    """Yield the columns in which somebody wrote a sentence, or that are called as if."""
    for at, column in enumerate(entry.columns):
        cells = (row[at] for row in entry.sample if at < len(row))
        if holds_text(column) or any(map(_is_sentence, cells)):
            yield column


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) >= _FEWEST_WORDS or (len(cell) >= _SCRIPT_CHARS and not cell.isascii() and " " not in cell)
