"""What an import did, in numbers: the record that ``report.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self


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
    train: int = 0
    heldout: int = 0
    messages_kept: int = 0
    messages_left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> messages left out of tickets (internal notes, automatic replies ...)."""
    stable_ids: bool = True
    """Whether a ticket's id is the help desk's own, and not the number of a row."""
    split_basis: str = ""
    """What the split went by, in words."""
    similar: int = 0
    """Conversations that say nearly the same as another one; such groups stay on one side of the split."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tag -> kept conversations, the most frequent first, at most 50."""
    languages: dict[str, int] = field(default_factory=dict)
    """Two-letter code -> kept conversations."""
    median_answer_chars: int = 0
    warnings: list[str] = field(default_factory=list)
    """Sentences that the person should read before training."""
    quality: dict[str, Any] = field(default_factory=dict)
    """The quality report; see :mod:`engine.tickets.quality`."""
    stages: dict[str, float] = field(default_factory=dict)
    """Stage -> seconds."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``report.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the record from ``report.json``; keys of a later version are passed over."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{key: item for key, item in value.items() if key in known})
