"""What was masked in a data set, or looks like a name, grouped by term, for a person to look through.

Reads the redactions that :mod:`engine.tickets.preparing.pipeline` wrote; decides nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from engine.tickets.dataset.files import REDACTIONS
from engine.tickets.lines import entries

SHOWN_PLACEHOLDERS = 3
SUSPECT = "SUSPECT"
"""Kind of what looks like a name and is not masked; its placeholder is empty."""


@dataclass(frozen=True, slots=True)
class MaskedTerm:
    """One value that was masked, wherever it stood."""

    id: str
    """Stands for kind and term in addresses and memories, where the term itself must not be."""
    kind: str
    term: str
    """As it was written first."""
    placeholders: tuple[str, ...]
    """What stands there now, the most frequent first, at most :data:`SHOWN_PLACEHOLDERS`: numbers differ by ticket."""
    times: int
    tickets: int


@dataclass(frozen=True, slots=True)
class MaskedPlace:
    """One place where something was masked, or looks like a name."""

    ticket: str
    kind: str
    placeholder: str
    """What stands there now; empty where it is not masked."""
    original: str
    before: str
    """The words in front of it, and below those behind it."""
    after: str


@dataclass(slots=True)
class _Group:
    term: str
    times: int = 0
    tickets: set[str] = field(default_factory=set)
    placeholders: Counter[str] = field(default_factory=Counter)


def masked_terms(folder: Path) -> tuple[MaskedTerm, ...]:
    """Return all terms that were masked in a data set or look like a name, the most frequent first."""
    path = folder / REDACTIONS
    return _grouped(path, path.stat().st_mtime_ns) if path.exists() else ()


def places(folder: Path, term: str, count: int) -> list[MaskedPlace]:
    """Return the first places where a term, by its id, was masked."""
    group = next((masked for masked in masked_terms(folder) if masked.id == term), None)
    first: list[MaskedPlace] = []
    if group is None:
        return first
    wanted = group.term.casefold()
    for entry in read_places(folder / REDACTIONS):
        if entry.kind == group.kind and entry.original.casefold() == wanted:
            first.append(entry)
            if len(first) == count:
                break
    return first


@lru_cache(maxsize=2)
def _grouped(path: Path, stamp: int) -> tuple[MaskedTerm, ...]:
    groups: dict[tuple[str, str], _Group] = {}
    for entry in read_places(path):
        key = entry.kind, entry.original.casefold()
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(entry.original)
        group.times += 1
        group.tickets.add(entry.ticket)
        group.placeholders[entry.placeholder] += 1
    terms = [
        MaskedTerm(
            _id(kind, lowered),
            kind,
            group.term,
            tuple(name for name, _ in group.placeholders.most_common(SHOWN_PLACEHOLDERS)),
            group.times,
            len(group.tickets),
        )
        for (kind, lowered), group in groups.items()
    ]
    return tuple(sorted(terms, key=lambda term: (-term.times, term.term.casefold())))


def _id(kind: str, lowered: str) -> str:
    return hashlib.blake2b(f"{kind} {lowered}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def read_places(path: Path) -> Iterator[MaskedPlace]:
    """Yield all places of a file of redactions.

    Raises:
        TicketsError: A line is damaged, or the file cannot be read.
    """
    names = ("ticket", "kind", "placeholder", "original", "before", "after")
    for entry in entries(path, *names):
        yield MaskedPlace(*(entry[name] for name in names))
