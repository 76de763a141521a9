"""What a few held-out tickets were answered while a run learnt, check by check.

    runs/<id>/replies.jsonl   {"step", "paper", "said": [{"text", "stopped_by", "invented": [[kind, start, end]]}]}, a
                              line a check, an answer a ticket of the paper; masked text; mode 0600

A run that goes on from a checkpoint tells the later checks again; the later telling counts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from engine.chat.records import StoppedBy
from engine.tickets.dataset.stored import json_line
from engine.verdict.facts.fact import Fact
from engine.verdict.paper import PaperTicket
from engine.workspace import disk_errors

FILE = "replies.jsonl"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one ticket."""

    text: str
    stopped_by: StoppedBy | None
    invented: tuple[Fact, ...]
    """What it has from nowhere, in its order."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON's values; :meth:`read` is the other way."""
        return {
            "text": self.text,
            "stopped_by": self.stopped_by,
            "invented": [[fact.kind, fact.start, fact.end] for fact in self.invented],
        }

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Return what :meth:`plain` was given.

        Raises:
            KeyError, TypeError, ValueError: It is no such thing.
        """
        none: frozenset[str] = frozenset()
        facts = (Fact(kind, int(start), int(end), none, none) for kind, start, end in values["invented"])
        return cls(str(values["text"]), values["stopped_by"], tuple(facts))


@dataclass(frozen=True, slots=True)
class RepliesAt:
    """The answers of one check, one a ticket."""

    step: int
    """0 is the untouched base."""
    said: tuple[Reply, ...]

    @property
    def invented(self) -> int:
        """Facts from nowhere in all of them."""
        return sum(len(reply.invented) for reply in self.said)


@dataclass(frozen=True, eq=False, slots=True)
class Strip:
    """All checks of a run beside each other."""

    tickets: tuple[PaperTicket, ...]
    checks: tuple[RepliesAt, ...]
    """In the order of their steps."""


def add_replies(run: Path, paper: str, said: RepliesAt) -> None:
    """Append the answers of a check.

    Args:
        run: The run's folder.
        paper: The mark of what was asked.
        said: The answers.

    Raises:
        ResourceError: The disk is full.
    """
    line = {"step": said.step, "paper": paper, "said": [reply.plain() for reply in said.said]}
    file = run / FILE
    with disk_errors(file):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "ab") as stream:
            stream.write(b"\n" + json_line(line))  # a line that a crash has cut off must not swallow this one


def read_replies(run: Path, paper: str, tickets: int) -> dict[int, RepliesAt]:
    """Return the answers of each step; none of another paper, and nothing of lines that cannot be read.

    Args:
        run: The run's folder.
        paper: The mark of what is asked now.
        tickets: How many that are.
    """
    try:
        lines: Sequence[bytes] = (run / FILE).read_bytes().splitlines()
    except OSError:
        return {}
    checks = {}
    for line in lines:
        try:
            values = orjson.loads(line)
            if values["paper"] == paper and len(values["said"]) == tickets:
                checks[int(values["step"])] = RepliesAt(
                    int(values["step"]), tuple(Reply.read(each) for each in values["said"])
                )
        except (ValueError, KeyError, TypeError):
            continue
    return checks
