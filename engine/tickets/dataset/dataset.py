"""A data set on disk, page by page.

Reads what :mod:`engine.tickets.preparing.pipeline` wrote. Lines are found by their offsets, so that a page of a data
set of any size costs the lines of that page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import orjson

from engine.tickets.conversation import LeftOut
from engine.tickets.dataset.files import AGENTS, ANSWERED, DROPPED, LEFT_OUT, SPLIT_FILES, SPLITS, Split, numbered_lines
from engine.tickets.dataset.preferences import offered
from engine.tickets.dataset.stored import StoredConversation, conversations, json_line
from engine.tickets.lines import Entry, entries, entry_of
from engine.tickets.preparing.report import Report
from engine.tickets.privacy.review import SUSPECT, MaskedPlace, MaskedTerm, masked_terms, places

Row = TypeVar("Row")
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

    def conversations(self, split: Split) -> list[StoredConversation]:
        """Return the conversations of one side."""
        return list(conversations(self.folder / SPLIT_FILES[split]))

    def page(
        self, start: int, count: int, query: str = "", split: Split | None = None
    ) -> tuple[list[StoredConversation], int]:
        """Return some conversations and how many there are.

        Args:
            start: Number of the first, from 0.
            count: How many at most.
            query: Only conversations that contain this text, in any case.
            split: Only one side; both, training first, when None.

        Returns:
            The conversations, and the number that fit the query.
        """
        sides = (split,) if split else SPLITS
        rows: list[StoredConversation] = []
        total = 0
        for side in sides:
            of_side, size = self._page(SPLIT_FILES[side], start - total, count - len(rows), query)
            rows += of_side
            total += size
        return rows, total

    def find(self, ticket: str) -> StoredConversation | None:
        """Return a conversation by its ticket; None when it is not there."""
        wanted = orjson.dumps(ticket)
        for side in SPLITS:
            for number, line in numbered_lines(self.folder / SPLIT_FILES[side]):
                if wanted in line:
                    conversation = StoredConversation.of_line(line, SPLIT_FILES[side], number)
                    if conversation.ticket == ticket:
                        return conversation
        return None

    def left_out(self, start: int, count: int, reason: str | None = None) -> tuple[list[LeftOut], int]:
        """Return some of what was left out, of all reasons or of one, and how much there is in all."""
        if reason is not None:
            every = entries(self.folder / LEFT_OUT, "ticket", "reason", "excerpt")
            return _slice((_left_out(entry) for entry in every if entry["reason"] == reason), start, count)
        lines, total = self._lines(LEFT_OUT, max(start, 0), max(count, 0))
        read = (entry_of(line, LEFT_OUT, number, "ticket", "reason", "excerpt") for number, line in lines)
        return [_left_out(entry) for entry in read], total

    def masked_terms(self, start: int, count: int, kind: str = "", query: str = "") -> tuple[list[MaskedTerm], int]:
        """Return some of the terms that were masked, the most frequent first, and how many fit.

        Args:
            start: Number of the first, from 0.
            count: How many at most.
            kind: Only one kind of personal data; :data:`~engine.tickets.privacy.review.SUSPECT` for what looks like a
                name and is not masked, which no other choice shows.
            query: Only terms that contain this text, in any case.
        """
        wanted = query.strip().casefold()
        fitting = [
            term
            for term in masked_terms(self.folder)
            if (term.kind == kind if kind else term.kind != SUSPECT) and (not wanted or wanted in term.term.casefold())
        ]
        return fitting[max(start, 0) : max(start, 0) + count], len(fitting)

    def term(self, identifier: str) -> str:
        """Return a term that was masked, or looks like a name, by its id; empty where there is none."""
        return next((masked.term for masked in masked_terms(self.folder) if masked.id == identifier), "")

    def masked_places(self, term: str, count: int) -> list[MaskedPlace]:
        """Return some places where a term, by its id, was masked."""
        return places(self.folder, term, count)

    def dropped_by_hand(self, start: int, count: int) -> tuple[list[StoredConversation], int]:
        """Return some of the conversations that the person left out, and how many there are."""
        return self._page(DROPPED, start, count, "")

    def rewritten(self) -> set[tuple[str, str]]:
        """Return (ticket, answer as imported) of every answer that other words stand for."""
        answers = set()
        for side in SPLITS:
            for number, line in numbered_lines(self.folder / SPLIT_FILES[side]):
                if _REWRITTEN in line:
                    entry = StoredConversation.of_line(line, SPLIT_FILES[side], number)
                    answers |= {(entry.ticket, was) for was in entry.originals.values()}
        return answers

    def preferences(self) -> str:
        """Return the preference pairs that came with it, as JSON lines that trl takes; empty where none did."""
        return b"".join(json_line(pair) for pair in offered(self.folder)).decode()

    def agents(self) -> dict[str, int]:
        """Return who answered how many conversations, the most frequent first; ids or names of the export."""
        try:
            value = orjson.loads((self.folder / AGENTS).read_bytes())
        except (OSError, ValueError):
            return {}
        counts = value.items() if isinstance(value, dict) else ()
        return {name: times for name, times in counts if isinstance(times, int)}

    def agents_of(self, key: str) -> list[str]:
        """Return who answered a conversation, by its ``key``; ids or names of the export."""
        wanted = key.encode()
        for number, line in numbered_lines(self.folder / ANSWERED):
            if wanted in line:
                return [str(agent) for agent in entry_of(line, ANSWERED, number, "key").get("agents") or ()]
        return []

    def _page(self, name: str, start: int, count: int, query: str) -> tuple[list[StoredConversation], int]:
        first, most = max(start, 0), max(count, 0)
        if query.strip():
            wanted = query.strip().casefold()
            every = conversations(self.folder / name)
            return _slice((entry for entry in every if wanted in _words(entry)), first, most)
        lines, total = self._lines(name, first, most)
        return [StoredConversation.of_line(line, name, number) for number, line in lines], total

    def _lines(self, name: str, first: int, most: int) -> tuple[list[tuple[int, bytes]], int]:
        """Return some lines of a file with their numbers, from 1, and how many there are in all."""
        offsets = self._offsets_of(name)
        total = len(offsets) - 1
        if first >= total or not most:
            return [], total
        last = min(first + most, total)
        with (self.folder / name).open("rb") as stream:
            stream.seek(offsets[first])
            block = stream.read(offsets[last] - offsets[first])
        return list(enumerate(block.splitlines(), start=first + 1)), total

    def _offsets_of(self, name: str) -> list[int]:
        if name not in self._offsets:
            offsets = [0]
            for _, line in numbered_lines(self.folder / name):
                offsets.append(offsets[-1] + len(line))
            self._offsets[name] = offsets
        return self._offsets[name]


def _left_out(entry: Entry) -> LeftOut:
    return LeftOut(entry["ticket"], entry["reason"], entry["excerpt"])


def _words(entry: StoredConversation) -> str:
    """Return all that a person may search a conversation by."""
    said = (message.content for message in entry.messages)
    return "\n".join(
        (entry.ticket, entry.subject, *entry.tags, entry.created_at, *said, *entry.originals.values())
    ).casefold()


def _slice(rows: Iterator[Row], start: int, count: int) -> tuple[list[Row], int]:
    """Return some of many, and how many there are."""
    some: list[Row] = []
    total = 0
    for total, row in enumerate(rows, start=1):
        if start < total <= start + count:
            some.append(row)
    return some, total
