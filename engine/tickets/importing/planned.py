"""What has been decided about one stream: how it is going to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.tickets.dates import DayOrder
from engine.tickets.importing.files.rows import Layout
from engine.tickets.importing.files.sources import Source
from engine.tickets.importing.parties import all_yes_no
from engine.tickets.importing.readers import Reader

Family = Literal["json", "table", "mail", "xml", "text"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one stream is going to be read."""

    source: Source
    family: Family
    format: str
    label: str
    evidence: str
    encoding: str
    layout: Layout | None = None
    columns: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    sample: tuple[tuple[str, ...], ...] = ()
    reader: Reader | None = None
    refusal: tuple[str, str] | None = None
    """Message and remedy when the stream is known to hold no messages."""
    json_fields: tuple[str, ...] = ()
    """Fields that hold lists and objects as text; see :mod:`engine.tickets.importing.files.json_cells`."""
    agents: tuple[str, ...] = ()
    """Whom the person calls the support; empty to find out."""
    day_order: DayOrder = "day"
    """Whether the table's dates begin with the month."""
    cautions: tuple[str, ...] = ()
    """What this export cannot tell, in sentences, for the person to look at."""
    nested: tuple[str, ...] = ()
    """Keys of unknown JSON that hold lists or objects."""


def only_yes_no(column: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell a column of yes and no by the first rows."""
    index = columns.index(column)
    return all_yes_no(row[index] for row in rows if index < len(row))
