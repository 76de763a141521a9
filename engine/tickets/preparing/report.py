"""What an import did, in numbers: the record that ``report.json`` holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Self, get_args, get_origin, get_type_hints

import orjson

from engine.errors import TicketsError
from engine.tickets.dataset.files import REPORT


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    done: int
    """Bytes read, or conversations written; in the unit of ``total``."""
    total: int | None
    stage: str
    """What is being done, in words a person reads."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one import."""

    format: str
    tickets_read: int
    """Tickets met, damaged ones included: ``conversations_kept`` plus the sum of ``dropped``."""
    conversations_kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    """Reason -> tickets left out."""
    redactions: dict[str, int] = field(default_factory=dict)
    """Kind -> places masked in the kept conversations."""
    label: str = ""
    evidence: str = ""
    files: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    """A sentence for each file that ends too early, also the first of the warnings."""
    train: int = 0
    heldout: int = 0
    messages_kept: int = 0
    messages_left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> messages left out of tickets (internal notes, automatic replies ...)."""
    hub: dict[str, str] = field(default_factory=dict)
    """Where the files came from on the model hub: id, commit, part and licence; empty where they did not."""
    preferences: int = 0
    """Preference pairs that are kept beside the conversations."""
    stable_ids: bool = True
    """Whether a ticket's id is the help desk's own, and not the number of a row."""
    split_basis: str = ""
    """What the split went by, in words."""
    similar: int = 0
    """Conversations that say nearly the same as another one; such groups stay on one side of the split."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tag -> kept conversations, the most frequent first, at most 50."""
    ratings: dict[str, int] = field(default_factory=dict)
    """'good' and 'bad' -> kept conversations that customers rated so, and 'reopened' -> those opened again."""
    languages: dict[str, int] = field(default_factory=dict)
    """Two-letter code -> kept conversations."""
    median_answer_chars: int = 0
    warnings: list[str] = field(default_factory=list)
    """Sentences that the person should read before training."""
    quality: dict[str, Any] = field(default_factory=dict)
    """The quality report; see :mod:`engine.tickets.preparing.quality`."""
    stages: dict[str, float] = field(default_factory=dict)
    """Stage -> seconds."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``report.json``."""
        return asdict(self)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the report of a data set.

        Raises:
            TicketsError: It is missing or damaged: the folder holds no complete data set.
        """
        try:
            return cls.from_json(orjson.loads(_read(folder)))
        except (OSError, ValueError, TypeError) as error:
            raise TicketsError(
                f"{folder.name} is not a complete data set (its {REPORT} is missing or damaged).",
                "Prepare the tickets again.",
            ) from error

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record from ``report.json``; keys of a later version are passed over.

        Raises:
            TypeError: A field is missing, or holds something else than it should.
        """
        if not isinstance(value, Mapping):
            raise TypeError(f"a report is not {value!r:.80}")
        kinds = _kinds()
        known = {key: item for key, item in value.items() if key in kinds}
        for key, item in known.items():
            if not _fits(item, kinds[key]):
                raise TypeError(f"{key} of a report is {item!r:.80}")
        return cls(**known)


@cache
def _kinds() -> dict[str, Any]:
    """The type of each field of :class:`Report`."""
    hints = get_type_hints(Report)
    return {entry.name: hints[entry.name] for entry in fields(Report)}


def _fits(value: object, kind: Any) -> bool:
    """Whether a value out of JSON is of a field's type."""
    inner = get_args(kind)
    if kind is Any:
        return True
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if kind is float:
        return isinstance(value, int | float)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


EXCHANGING = ".exchanging"
"""A file that lies in a data set while its files are exchanged for others; its report is not there then."""
PATIENCE = 2.0
"""Seconds for which a reader waits for the report; exchanging a few files takes milliseconds."""


@contextmanager
def exchanging(folder: Path) -> Iterator[None]:
    """Let readers of a data set wait while its files are exchanged, instead of taking it for damaged."""
    mark = folder / EXCHANGING
    mark.touch(mode=0o600)
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _read(folder: Path) -> bytes:
    file, mark, end = folder / REPORT, folder / EXCHANGING, time.monotonic() + PATIENCE
    while not file.exists() and _is_fresh(mark) and time.monotonic() < end:
        time.sleep(0.005)
    return file.read_bytes()


def _is_fresh(mark: Path) -> bool:
    """Whether a mark is of an exchange under way, not of one that a kill broke off."""
    try:
        return time.time() - mark.stat().st_mtime < PATIENCE
    except OSError:
        return False
