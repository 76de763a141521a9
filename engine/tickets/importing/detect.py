"""Tells what an export is by looking into it, and says by what it was told, for the person to confirm.

The readers are imported when they are first needed: the window opens without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.tickets.importing.sides import Writer
from engine.tickets.overrides import SourceOverrides

_SHOWN_CELL = 200
_FEWEST_ROWS = 3
"""Fewer rows say little about whether anybody wrote in a table: the person is asked."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What the files are, for the person to confirm."""

    format: str
    label: str
    evidence: str
    encoding: str
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    """The header of a table, or the keys of unknown JSON objects; empty for the known vendors' JSON."""
    mapping: dict[str, str] = field(default_factory=dict)
    """Role -> column; empty where the columns are not clear and the person has to map them."""
    sample: tuple[tuple[str, ...], ...] = ()
    """The first rows of a table, each cell cut to 200 characters."""
    files: tuple[tuple[str, str], ...] = ()
    """(file name, format) for every stream that was found, archive members included."""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    """The sheets of a workbook that may be chosen, and tables of a sheet with several as ``sheet!A14``; the one that
    is read first. Empty where there is no choice."""
    cautions: tuple[str, ...] = ()
    """What the export cannot tell, in sentences."""
    country: str = ""
    """Two-letter country whose telephone numbers are to be expected; empty when nothing tells."""
    country_evidence: str = ""
    unclear: bool = False
    """Whether the person has to say which column is what."""
    likely: dict[str, str] = field(default_factory=dict)
    """Role -> column, as far as it can be guessed, where that is unclear."""
    doubts: tuple[str, ...] = ()
    """Why columns that are called like a role were not given it, in sentences, where that is unclear."""
    writers: tuple[Writer, ...] = ()
    """Who writes, where the files name writers and not their sides: the support as it is guessed, first."""
    remembered: tuple[str, ...] = ()
    """Those of them whom the person has called the support for an earlier data set."""


def detect(paths: Sequence[Path], overrides: SourceOverrides | None = None) -> Detection:
    """Look into the files and say what they are.

    Args:
        paths: The files that the person chose.
        overrides: What the person has corrected.

    Returns:
        The description of the first stream of the most frequent format, with the list of all.

    Raises:
        TicketsError: A file is empty, binary, or known to hold no answers at all; nobody wrote in it; or an agent that
            the person named does not write in it.
    """
    from engine.tickets.importing.columns import likely_columns
    from engine.tickets.importing.files.sources import find_sources
    from engine.tickets.importing.format_plan import plan
    from engine.tickets.importing.readable import check_written, unclear
    from engine.tickets.importing.reading import writers_of
    from engine.tickets.privacy.countries import guess_country

    sources = find_sources(paths)
    plans = plan(sources, overrides or SourceOverrides())
    country, told = guess_country(sources)
    common = Counter(entry.format for entry in plans).most_common(1)[0][0]
    shown = min((entry for entry in plans if entry.format == common), key=lambda entry: entry.refusal is not None)
    is_unclear = bool(shown.columns) and not shown.mapping and shown.reader is None
    if is_unclear and len(shown.sample) >= _FEWEST_ROWS:
        check_written(shown)
    return Detection(
        format=shown.format,
        label=shown.label,
        evidence=shown.evidence,
        encoding=shown.encoding,
        delimiter=shown.layout.delimiter if shown.layout else "",
        columns=shown.columns,
        mapping=dict(shown.mapping),
        unclear=is_unclear,
        likely=likely_columns(shown.columns, shown.sample) if is_unclear else {},
        doubts=tuple(unclear(shown)) if is_unclear else (),
        sample=tuple(tuple(cell[:_SHOWN_CELL] for cell in row) for row in shown.sample),
        files=tuple((entry.source.name, entry.format) for entry in plans),
        sheet=shown.layout.place if shown.layout else "",
        sheets=(shown.layout.place, *shown.layout.others) if shown.layout and shown.layout.others else (),
        cautions=tuple(dict.fromkeys(caution for entry in plans for caution in entry.cautions)),
        country=country,
        country_evidence=told,
        writers=writers_of(plans),
    )
