"""Risk against coverage: how good the answers would be if the strangest questions were passed to a person.

Each mean has its interval, clustered by customer and by topic as every other figure is: half of a few tickets may look
better by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.verdict.intervals import Interval, interval
from engine.verdict.records import JudgedTicket

SHARES = (1.0, 0.9, 0.75, 0.5)
"""Shares of the tickets that are answered."""
FEWEST = 8
"""Tickets below which parts of them say nothing."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one has who answers the best covered tickets alone."""

    share: float
    count: int
    least: float
    """The lowest coverage among them."""
    means: dict[str, Interval]
    """Measure -> the voice's mean over them."""


def risk(tickets: Sequence[JudgedTicket], voice: str, measures: Sequence[str]) -> list[Answered]:
    """Return how a voice does on the best covered tickets, from all of them down to half.

    Args:
        tickets: Those without a coverage are left aside.
        voice: Whose scores.
        measures: Which of them; one that says nothing of any ticket is absent.
    """
    covered = sorted((one for one in tickets if one.coverage is not None), key=lambda one: -(one.coverage or 0.0))
    if len(covered) < FEWEST:
        return []
    rows = []
    for share in SHARES:
        answered = covered[: max(1, round(share * len(covered)))]
        means = {}
        for measure in measures:
            told = [one for one in answered if measure in one.scores[voice]]
            if told:
                values = [one.scores[voice][measure] for one in told]
                means[measure] = interval(values, [one.customer for one in told], [one.topic for one in told])
        rows.append(Answered(share, len(answered), answered[-1].coverage or 0.0, means))
    return rows
