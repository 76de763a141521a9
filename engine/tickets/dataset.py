"""A data set on disk, page by page; and the door to everything that makes one.

Reads what :mod:`engine.tickets.preparation` wrote. Lines are found by their offsets, so that a page of a data set of
any size costs the lines of that page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import orjson

from engine.errors import TicketsError
from engine.tickets.detect import Detection, SourceOverrides, detect
from engine.tickets.options import PrepareOptions
from engine.tickets.preparation import prepare
from engine.tickets.report import Progress, Report

__all__ = ["DataSet", "Detection", "PrepareOptions", "Progress", "Report", "SourceOverrides", "detect", "prepare"]

Split = Literal["train", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "heldout")
Entry = dict[str, Any]


class DataSet:
    """A prepared data set.

    Args:
        folder: What :func:`prepare` was given as ``out``.

    Raises:
        TicketsError: The folder holds no complete data set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            value = orjson.loads((self.folder / "report.json").read_bytes())
            self.report = Report.from_json(value)
        except (OSError, ValueError, TypeError) as error:
            raise TicketsError(
                f"{self.folder.name} is not a complete data set.", "Prepare the tickets again."
            ) from error
        self._offsets: dict[str, list[int]] = {}

    def conversations(self, split: Split) -> list[Entry]:
        """Return the conversations of one side.

        Each has ``ticket``, ``messages``, ``subject``, ``tags``, ``created_at`` and ``key``, which edits go by.
        """
        return list(self._entries(f"{split}.jsonl"))

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
            found, size = self._page(f"{side}.jsonl", start - total, count - len(rows), query)
            rows.extend({**entry, "split": side} for entry in found)
            total += size
        return rows, total

    def left_out(self, start: int, count: int, reason: str | None = None) -> tuple[list[Entry], int]:
        """Return some of what was left out as ``{"ticket", "reason", "excerpt"}``, and how much there is in all."""
        if reason is None:
            return self._page("left_out.jsonl", start, count, "")
        found = (entry for entry in self._entries("left_out.jsonl") if entry["reason"] == reason)
        return _slice(found, start, count)

    def redactions(self, start: int, count: int, kind: str | None = None, query: str = "") -> tuple[list[Entry], int]:
        """Return some of what was masked, for review, and how much there is in all."""
        if kind is None:
            return self._page("redactions.jsonl", start, count, query)
        wanted = query.casefold()
        found = (
            entry
            for entry in self._entries("redactions.jsonl")
            if entry["kind"] == kind and (not wanted or wanted in f"{entry['original']} {entry['ticket']}".casefold())
        )
        return _slice(found, start, count)

    def dropped_by_hand(self, start: int, count: int) -> tuple[list[Entry], int]:
        """Return some of the conversations that the person dropped, and how many there are."""
        return self._page("dropped.jsonl", start, count, "")

    def agents(self) -> dict[str, int]:
        """Return who answered how many conversations, the most frequent first; ids or names of the export."""
        try:
            value: dict[str, int] = orjson.loads((self.folder / "agents.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return value

    def _entries(self, name: str) -> Iterator[Entry]:
        for line in self._lines(name):
            yield orjson.loads(line)

    def _lines(self, name: str) -> Iterator[bytes]:
        path = self.folder / name
        if not path.exists():
            return
        try:
            with path.open("rb") as stream:
                yield from stream
        except OSError as error:
            raise TicketsError(
                f"{name} of the data set cannot be read: {error.strerror}.", "Prepare it again."
            ) from error

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
        return [orjson.loads(line) for line in block.splitlines()], total

    def _offsets_of(self, name: str) -> list[int]:
        if name not in self._offsets:
            offsets = [0]
            for line in self._lines(name):
                offsets.append(offsets[-1] + len(line))
            self._offsets[name] = offsets
        return self._offsets[name]


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
