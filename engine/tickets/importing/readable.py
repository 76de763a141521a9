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
    what = "keys" if entry.family == "json" else "columns"
    listed = ", ".join(repr(column[:60]) for column in entry.columns[:_LISTED])
    listed += " and more" if len(entry.columns) > _LISTED else ""
    written = list(_written(entry))
    if entry.nested and not written:
        nested = ", ".join(repr(key[:60]) for key in entry.nested[:5])
        raise TicketsError(
            f"{entry.source.name} is JSON of a shape that is not known: what is said may lie inside of {nested} "
            f"(its keys are {listed}).",
            'Write a line a conversation, {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", '
            '"content": "..."}]}; or a CSV with a row a message: ticket, author, text and date.',
        )
    if not written:
        raise TicketsError(
            f"{entry.source.name} is a list in which nobody wrote anything: none of its {what} holds sentences "
            f"({listed}).",
            "Choose the export that holds what was said, often called messages, comments, replies or conversations.",
        )
    unclear = "".join(f" {doubt}" for doubt in doubts(entry.columns, entry.sample))
    raise TicketsError(
        f"{entry.source.name} is no export that is known, and which of its {what} hold the question and the answer is "
        f"not clear: {listed}.{unclear}",
        "Choose the columns in the window, or give --map question=NAME --map answer=NAME "
        "(for a row a message: --map ticket=NAME --map text=NAME --map author=NAME).",
    )


def _written(entry: Plan) -> Iterator[str]:
    """Yield the columns in which somebody wrote a sentence, or that are called as if."""
    for at, column in enumerate(entry.columns):
        cells = (row[at] for row in entry.sample if at < len(row))
        if holds_text(column) or any(map(_is_sentence, cells)):
            yield column


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) >= _FEWEST_WORDS or (len(cell) >= _SCRIPT_CHARS and not cell.isascii() and " " not in cell)
