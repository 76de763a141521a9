"""Tells the tables that hold data from those that lay a mail out, and writes the former as lines."""

from selectolax.lexbor import LexborNode

from engine.tickets.cleaning.plain_text import sanitise

_NOT_IN_DATA = frozenset(["table", "ul", "ol", "pre", "blockquote", "hr"])
_LOOK_AHEAD = 2_000
"""Nodes. Keeps nested tables from being read again and again."""
_CELL_LIMIT = 200
"""Characters in a cell; a longer one means that the table lays out a mail."""


def data_rows(table: LexborNode) -> list[str]:
    """Return a data table as lines of a Markdown table, or nothing for a table that only lays the mail out.

    Args:
        table: A ``<table>``. It holds data when it has two rows and two columns or more, short cells and no blocks.
    """
    rows: list[list[str]] = []
    has_header = False
    for seen, inner in enumerate(table.traverse()):
        if seen > _LOOK_AHEAD or (seen and inner.tag in _NOT_IN_DATA):
            return []
        if inner.tag == "tr":
            rows.append([])
        elif inner.tag in ("td", "th") and rows:
            rows[-1].append(" ".join(sanitise(inner.text(separator=" ")).split()))
            has_header |= inner.tag == "th"
    rows = [row for row in rows if any(row)]
    if len(rows) < 2 or min(map(len, rows)) < 2 or max(len(cell) for row in rows for cell in row) > _CELL_LIMIT:
        return []
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if has_header:
        lines.insert(1, f"|{' --- |' * len(rows[0])}")
    return lines
