"""Messages that come in any order -> the messages of each ticket, with bounded memory.

A temporary SQLite database does the grouping: it stays in memory while it is small, and the operating system deletes
its file when the program ends, however it ends.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from engine.errors import TicketsError

Item = TypeVar("Item")
_CACHE_KIB = 64 << 10


class Groups(Generic[Item]):
    """Items by key; keys come back in the order in which they were first added, items in the order of theirs."""

    def __init__(self) -> None:
        # "" is SQLite's name for a private temporary database (sqlite.org/inmemorydb.html).
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"pragma cache_size = -{_CACHE_KIB}")
        self._database.execute("pragma journal_mode = off")
        self._database.execute("create table keys (id integer primary key, name text unique)")
        self._database.execute("create table items (key integer, item blob)")
        self._database.execute("begin")
        self._recent: dict[str, int] = {}
        self._indexed = False

    def add(self, key: str, item: Item) -> None:
        """Put an item into the group of that key.

        Raises:
            TicketsError: It holds lists in lists hundreds deep.
        """
        number = self._recent.get(key) or self._number(key)
        try:
            # Only this class reads the blob back, so the pickle never comes from outside.
            blob = pickle.dumps(item, protocol=5)
        except RecursionError as error:
            raise TicketsError(
                "A record is nested hundreds deep, as none of an export is.", "Choose the file that the help desk made."
            ) from error
        self._database.execute("insert into items values (?, ?)", (number, blob))

    def _number(self, key: str) -> int:
        key = key.encode("utf-8", "replace").decode()
        self._database.execute("insert or ignore into keys (name) values (?)", (key,))
        number: int = self._database.execute("select id from keys where name = ?", (key,)).fetchone()[0]
        if len(self._recent) > 10_000:
            self._recent.clear()
        self._recent[key] = number
        return number

    def members(self, key: str) -> list[Item]:
        """Return the items of one group; an empty list for an unknown key."""
        self._index()
        found = self._database.execute(
            "select item from items join keys on keys.id = items.key where keys.name = ? order by items.rowid", (key,)
        )
        return [pickle.loads(blob) for (blob,) in found]

    def _index(self) -> None:
        if not self._indexed:
            self._database.execute("create index by_key on items (key)")
            self._indexed = True

    def __iter__(self) -> Iterator[tuple[str, list[Item]]]:
        self._index()
        for number, name in self._database.execute("select id, name from keys order by id"):
            items = self._database.execute("select item from items where key = ? order by rowid", (number,))
            yield name, [pickle.loads(blob) for (blob,) in items]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
