"""Lists and objects that an export wrote as text into one cell or field -> values again.

CSV, BI tools and data sets on the hub write ``messages`` or ``comments`` as a JSON string, pandas as Python's own
notation. Which fields those are is told by the first records; nothing is ever evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from engine.tickets.importing.columns import holds_text
from engine.tickets.importing.files.envelopes import turn_keys
from engine.tickets.importing.files.records import Record

_LITERAL_CHARS = 200_000
"""Python's own parser is slow, and deep nesting can exhaust it: longer cells of its notation stay text."""


def json_fields(sample: Sequence[Record]) -> tuple[str, ...]:
    """Return the fields whose every filled value in the sample is a list of objects, or an object, written as text."""
    fields = dict.fromkeys(key for record in sample for key in record.value)
    return tuple(field for field in fields if _holds_values(field, sample))


def unpacked(records: Iterable[Record], fields: Sequence[str]) -> Iterator[Record]:
    """Put the values into these fields; what cannot be read stays text."""
    for record in records:
        values = {field: _value(record.value.get(field)) for field in fields}
        found = {field: value for field, value in values.items() if value is not None}
        yield replace(record, value={**record.value, **found}) if found else record


def _holds_values(field: str, sample: Sequence[Record]) -> bool:
    filled = [cell for record in sample if (cell := record.value.get(field)) not in (None, "")]
    # An answer may be JSON itself; where people write, only the turns of a chat are taken for anything but text.
    return bool(filled) and all(_is_turns(cell) if holds_text(field) else _value(cell) is not None for cell in filled)


def _is_turns(cell: object) -> bool:
    value = _value(cell)
    return isinstance(value, list) and any(turn_keys(value[0]))


def _value(cell: object) -> Any:
    """Read one cell; None for anything but a list of objects or an object, written as text."""
    if not isinstance(cell, str):
        return None
    begin = cell.lstrip()[:40].replace(" ", "")
    if not begin.startswith(("[{", "{", "[\n", "[\r")):
        return None
    value = _parsed(cell.strip())
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return value
    return None


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if len(text) > _LITERAL_CHARS or text.count("[") + text.count("{") > 2000:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
