"""Files that are known to be something else: a chat bot's training data, a database dump, a notebook, an API's failure.

Which those are, and what is said, stands in words/not_tickets.toml; what an API says of its failure, stands here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import TicketsError

_HEAD = 4000
_SHOWN = 120
_FAILURES = frozenset(("error", "errors", "fault", "Error"))
_BESIDE = frozenset(
    (
        *("message", "msg", "code", "status", "statusCode", "status_code", "description", "detail", "details", "ok"),
        *("type", "title", "reason", "request_id", "requestId", "error_description", "error_code", "documentation_url"),
        *("correlationId", "category", "success", "timestamp", "path"),
    )
)
"""What an API says beside its failure; a record that says more is one."""


class NotTickets(TicketsError):
    """A file that is known to be something else."""


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
        NotTickets: It is known to be something else.
    """
    for other in _others():
        if other.begins and other.begins.match(head[:_HEAD]):
            raise NotTickets(f"{name}: {other.message}", other.remedy)


def refuse_records(name: str, record: Mapping[str, Any]) -> None:
    """Refuse a file by its first record.

    Raises:
        NotTickets: It is known to be something else.
    """
    present = frozenset(record)
    for other in _others():
        if any(told <= present for told in other.keys):
            raise NotTickets(f"{name}: {other.message}", other.remedy)
    if failure := _failure(record):
        raise NotTickets(
            f"{name} is what an API answers where it refuses ({failure[:_SHOWN]!r}), not an export.",
            "Look at the key and the address that were used, and fetch it once more.",
        )


def _failure(record: Mapping[str, Any]) -> str:
    """Return what an API says of its failure, as ``{"error": {"message": ...}}``; empty for anything else."""
    if not _FAILURES & record.keys() or record.keys() - _FAILURES - _BESIDE:
        return ""
    told: Any = next(record[key] for key in record if key in _FAILURES)
    if isinstance(told, list):
        told = told[0] if told else ""
    if isinstance(told, dict):
        told = next((told[key] for key in ("message", "title", "detail", "description", "code") if key in told), "")
    more = next((record[key] for key in ("message", "description") if isinstance(record.get(key), str)), "")
    return more or (told if isinstance(told, str) else "")
