"""The files of a data set, by name, and the lines of those that hold a record a line.

What preparing writes (:mod:`engine.tickets.preparing.pipeline`):

    train.jsonl, heldout.jsonl   {"ticket", "messages", "subject", "tags", "created_at", "key"} a line
    report.json                  :class:`engine.tickets.preparing.report.Report`
    left_out.jsonl               {"ticket", "reason", "excerpt"} a line
    redactions.jsonl             {"ticket", "kind", "placeholder", "original", "before", "after"} a line; mode 0600.
                                 Of the kind SUSPECT and without a placeholder: looks like a name, is not masked
    agents.json                  {"id or name": conversations answered}; mode 0600
    answered.jsonl               {"key", "agents"} a line: who answered which conversation; mode 0600
    customers.json               {"key": number} of conversations whose customer has several: equal numbers, one
                                 customer, which mean nothing anywhere else; mode 0600
    preferences.jsonl            {"prompt", "chosen", "rejected", "ticket", "key"} a line
                                 (:mod:`engine.tickets.dataset.preferences`); mode 0600
    lookup.npz                   the index of train.jsonl (:mod:`engine.tickets.lookup.index`); mode 0600
    facts.json                   how many answers of train.jsonl state each fact (:mod:`engine.verdict.facts.index`),
                                 made when first asked for; mode 0600
    coverage.npz                 what strange questions are told by (:mod:`engine.tickets.lookup.coverage`), likewise
    dropped.jsonl                what the person left out by hand, so that it can be taken back in

What a workspace adds (:mod:`engine.tickets.library`): name.json, edits.json, origin.json and the folder sources/.
Knows only that lines end in a line break; what stands in them, :mod:`engine.tickets.lines` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from engine.errors import TicketsError

Split = Literal["train", "heldout"]
"""The side of a data set: what is learnt from, and what is only compared with."""
SPLITS: Final[tuple[Split, ...]] = ("train", "heldout")

TRAIN: Final = "train.jsonl"
HELDOUT: Final = "heldout.jsonl"
SPLIT_FILES: Final[dict[Split, str]] = {"train": TRAIN, "heldout": HELDOUT}
DROPPED: Final = "dropped.jsonl"
LEFT_OUT: Final = "left_out.jsonl"
REDACTIONS: Final = "redactions.jsonl"
AGENTS: Final = "agents.json"
ANSWERED: Final = "answered.jsonl"
CUSTOMERS: Final = "customers.json"
PREFERENCES: Final = "preferences.jsonl"
LOOKUP: Final = "lookup.npz"
FACTS: Final = "facts.json"
COVERAGE: Final = "coverage.npz"
REPORT: Final = "report.json"
PREPARED: Final = (
    TRAIN,
    HELDOUT,
    DROPPED,
    LEFT_OUT,
    REDACTIONS,
    AGENTS,
    ANSWERED,
    CUSTOMERS,
    PREFERENCES,
    LOOKUP,
    REPORT,
)
"""What preparing writes; the report comes last, and a folder without it is no data set."""

NAME: Final = "name.json"
EDITS: Final = "edits.json"
ORIGIN: Final = "origin.json"
SOURCES: Final = "sources"
"""The folder with a private copy of the export."""
TRAVELLED: Final = "lookup"
"""The folder of an adapter with the tickets that travel with it: train.jsonl alone."""


def numbered_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, from 1; none where there is no such file.

    Raises:
        TicketsError: It cannot be read.
    """
    if not file.exists():
        return
    try:
        with file.open("rb") as lines:
            yield from enumerate(lines, start=1)
    except OSError as error:
        raise TicketsError(
            f"{file.name} of the data set cannot be read: {error.strerror}.", "Prepare the tickets again."
        ) from error
