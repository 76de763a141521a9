"""Files that are known to be something else: a chat bot's training data, a database dump, a notebook.

Which those are, and what is said, stands in words/not_tickets.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import TicketsError

_HEAD = 4000


@dataclass(frozen=True, slots=True)
class _Other:
    message: str
    remedy: str
    keys: tuple[frozenset[str], ...] = ()
    """All of these tell a record of it."""
    begins: re.Pattern[str] | None = None


@cache
def _others() -> tuple[_Other, ...]:
    text = (Path(__file__).parent / "words" / "not_tickets.toml").read_text(encoding="utf-8")
    return tuple(
        _Other(
            entry["message"],
            entry["remedy"],
            tuple(map(frozenset, entry.get("keys", ()))),
            re.compile(entry["begins"]) if "begins" in entry else None,
        )
        for entry in tomllib.loads(text)["file"]
    )


def refuse_text(name: str, head: str) -> None:
    """Refuse a file by how its text begins.

    Raises:
        TicketsError: It is known to be something else.
    """
    for other in _others():
        if other.begins and other.begins.match(head[:_HEAD]):
            raise TicketsError(f"{name}: {other.message}", other.remedy)


def refuse_records(name: str, keys: Iterable[str]) -> None:
    """Refuse a file by the keys of its first record.

    Raises:
        TicketsError: It is known to be something else.
    """
    present = frozenset(keys)
    for other in _others():
        if any(told <= present for told in other.keys):
            raise TicketsError(f"{name}: {other.message}", other.remedy)
