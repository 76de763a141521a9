"""Indexes that stay open: opening one of 100,000 tickets takes a good part of a second, a search milliseconds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from engine.task import Report
from engine.tickets.lookup.building import build_index
from engine.tickets.lookup.index import TicketIndex, open_index

MOST = 2
"""Indexes that stay open; one of 100,000 tickets takes about 100 MB."""


class IndexShelf:
    """Open indexes, by the folder of their data set. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._open: OrderedDict[Path, TicketIndex] = OrderedDict()

    def opened(self, folder: Path) -> TicketIndex | None:
        """Return the index of a data set where it is open and current."""
        with self._lock:
            index = self._open.get(folder)
        return self._kept(folder, index) if index is not None and index.is_current else None

    def ready(self, folder: Path) -> TicketIndex | None:
        """Return the index of a data set where it is there and current, opened now if it is not open; makes none."""
        index = self.opened(folder) or open_index(folder)
        return self._kept(folder, index) if index is not None else None

    def get(self, folder: Path, report: Report = lambda *_: None) -> TicketIndex:
        """Return the index of a data set, made now where there is none: one at a time, whoever asks.

        Raises:
            StudioError: The conversations are damaged, or the disk is full.
        """
        with self._building:
            return self.ready(folder) or self._kept(folder, build_index(folder, report))

    def _kept(self, folder: Path, index: TicketIndex) -> TicketIndex:
        with self._lock:
            self._open[folder] = index
            self._open.move_to_end(folder)
            while len(self._open) > MOST:
                self._open.popitem(last=False)
        return index
