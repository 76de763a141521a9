"""A data set on disk, page by page.

Reads what :mod:`engine.tickets.preparing.pipeline` wrote. Lines are found by their offsets, so that a page of a data
set of any size costs the lines of that page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from engine.tickets.dataset.edits import ORIGINALS
from engine.tickets.dataset.files import AGENTS, ANSWERED, DROPPED, LEFT_OUT, SPLIT_FILES, SPLITS, Split, numbered_lines
from engine.tickets.lines import Entry, conversation_of, entry_of
from engine.tickets.preparing.report import Report
from engine.tickets.privacy.review import SUSPECT, MaskedTerm, masked_terms, places

_REWRITTEN = b'"originals":'


class DataSet:
    """A prepared data set.

    Args:
        folder: What :func:`engine.tickets.preparing.pipeline.prepare` was given as ``out``.

    Raises:
        TicketsError: The folder holds no complete data set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.report = Report.load(self.folder)
        self._offsets: dict[str, list[int]] = {}

    def conversations(self, split: Split) -> list[Entry]:
        """Return the conversations of one side.

        Each has ``ticket``, ``messages``, ``subject``, ``tags``, ``created_at`` and ``key``, which edits go by.
        """
        return list(self._entries(SPLIT_FILES[split]))

    def page(self, start: int, count: int, query: str = "", split: Split | None = None) -> tuple[list[Entry], int]:
        """Return some conversations and how many there are.

        Args:
            start: Number of the first, from 0.
            count: How many at most.
            query: Only conversations that contain this text, in any case.
            split: Only one side; both, training first, when None.

        Returns:
            The conversations, each with its ``split``, and the number that fit the query.
        """
        sides = (split,) if split else SPLITS
        rows: list[Entry] = []
        total = 0
        for side in sides:
            found, size = self._page(SPLIT_FILES[side], start - total, count - len(rows), query)
            rows.extend({**entry, "split": side} for entry in found)
            total += size
        return rows, total

    def find(self, ticket: str) -> Entry | None:
        """Return a conversation by its ticket, with its ``split``; None when it is not there."""
        wanted = orjson.dumps(ticket)
        for side in SPLITS:
            for number, line in numbered_lines(self.folder / SPLIT_FILES[side]):
                if wanted in line and (entry := _read(line, SPLIT_FILES[side], number))["ticket"] == ticket:
                    return {**entry, "split": side}
        return None

    def left_out(self, start: int, count: int, reason: str | None = None) -> tuple[list[Entry], int]:
        """Return some of what was left out as ``{"ticket", "reason", "excerpt"}``, and how much there is in all."""
        if reason is None:
            return self._page(LEFT_OUT, start, count, "")
        found = (entry for entry in self._entries(LEFT_OUT) if entry["reason"] == reason)
        return _slice(found, start, count)

    def masked_terms(self, start: int, count: int, kind: str = "", query: str = "") -> tuple[list[MaskedTerm], int]:
        """Return some of the terms that were masked, the most frequent first, and how many fit.

        Args:
            start: Number of the first, from 0.
            count: How many at most.
            kind: Only one kind of personal data; :data:`~engine.tickets.privacy.review.SUSPECT` for what looks like a
            name and
                is not masked, which no other choice shows.
            query: Only terms that contain this text, in any case.
        """
        wanted = query.strip().casefold()
        found = [
            term
            for term in masked_terms(self.folder)
            if (term.kind == kind if kind else term.kind != SUSPECT) and (not wanted or wanted in term.term.casefold())
        ]
        return found[max(start, 0) : max(start, 0) + count], len(found)

    def term(self, identifier: str) -> str:
        """Return a term that was masked, or looks like a name, by its id; empty where there is none."""
        return next((known.term for known in masked_terms(self.folder) if known.id == identifier), "")

    def masked_places(self, term: str, count: int) -> list[Entry]:
        """Return some places where a term (by its id) was masked: ``{"ticket", "placeholder", "before", ...}``."""
        return places(self.folder, term, count)

    def dropped_by_hand(self, start: int, count: int) -> tuple[list[Entry], int]:
        """Return some of what the person left out, each conversation with its ``reason``, and how many there are."""
        return self._page(DROPPED, start, count, "")

    def rewritten(self) -> set[tuple[str, str]]:
        """Return (ticket, answer as imported) of every answer that other words stand for."""
        found = set()
        for side in SPLITS:
            for number, line in numbered_lines(self.folder / SPLIT_FILES[side]):
                if _REWRITTEN in line:
                    entry = _read(line, SPLIT_FILES[side], number)
                    found |= {(entry["ticket"], was) for was in entry.get(ORIGINALS, {}).values()}
        return found

    def agents(self) -> dict[str, int]:
        """Return who answered how many conversations, the most frequent first; ids or names of the export."""
        try:
            value = orjson.loads((self.folder / AGENTS).read_bytes())
        except (OSError, ValueError):
            return {}
        known = value.items() if isinstance(value, dict) else ()
        return {name: times for name, times in known if isinstance(times, int)}

    def agents_of(self, key: str) -> list[str]:
        """Return who answered a conversation, by its ``key``; ids or names of the export."""
        wanted = key.encode()
        for number, line in numbered_lines(self.folder / ANSWERED):
            if wanted in line:
                return [str(agent) for agent in entry_of(line, ANSWERED, number, "key").get("agents") or ()]
        return []

    def _entries(self, name: str) -> Iterator[Entry]:
        for number, line in numbered_lines(self.folder / name):
            yield _read(line, name, number)

    def _page(self, name: str, start: int, count: int, query: str) -> tuple[list[Entry], int]:
        first, most = max(start, 0), max(count, 0)
        if query.strip():
            wanted = query.strip().casefold()
            return _slice((entry for entry in self._entries(name) if wanted in _words(entry)), first, most)
        offsets = self._offsets_of(name)
        total = len(offsets) - 1
        if first >= total or not most:
            return [], total
        last = min(first + most, total)
        with (self.folder / name).open("rb") as stream:
            stream.seek(offsets[first])
            block = stream.read(offsets[last] - offsets[first])
        return [_read(line, name, number) for number, line in enumerate(block.splitlines(), start=first + 1)], total

    def _offsets_of(self, name: str) -> list[int]:
        if name not in self._offsets:
            offsets = [0]
            for _, line in numbered_lines(self.folder / name):
                offsets.append(offsets[-1] + len(line))
            self._offsets[name] = offsets
        return self._offsets[name]


def _read(line: bytes, name: str, number: int) -> Entry:
    if name == LEFT_OUT:
        return entry_of(line, name, number, "ticket", "reason", "excerpt")
    return conversation_of(line, name, number)


def _words(entry: Entry) -> str:
    said = " ".join(message["content"] for message in entry.get("messages", ()))
    rest = " ".join(str(value) for key, value in entry.items() if key != "messages")
    return f"{rest} {said}".casefold()


def _slice(entries: Iterator[Entry], start: int, count: int) -> tuple[list[Entry], int]:
    rows: list[Entry] = []
    total = 0
    for total, entry in enumerate(entries, start=1):
        if start < total <= start + count:
            rows.append(entry)
    return rows, total
