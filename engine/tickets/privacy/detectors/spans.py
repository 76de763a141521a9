"""Where something was found, and which of two finds that overlap is kept."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal[
    "EMAIL",
    "PHONE",
    "CARD",
    "IBAN",
    "IP",
    "KEY",
    "PASSWORD",
    "NAME",
    "TERM",
    "ID",
    "BIRTHDATE",
    "USER",
    "ADDRESS",
    "NUMBER",
]
"""What was found; also the word in its placeholder."""


class Span(NamedTuple):
    """One find: ``text[start:end]``.

    ``identity`` is what two finds of the same thing share, such as a telephone number without its spaces.
    """

    start: int
    end: int
    kind: Kind
    identity: str


class Covered:
    """Stretches of a text that are settled: links, placeholders of an earlier masking, and finds of other kinds."""

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        self._stretches = sorted(stretches)
        self._starts = [start for start, _ in self._stretches]

    def holds(self, position: int) -> bool:
        """Say whether a character belongs to one of the stretches."""
        before = bisect_right(self._starts, position) - 1
        return before >= 0 and position < self._stretches[before][1]

    def touches(self, start: int, end: int) -> bool:
        """Say whether ``start`` to ``end`` has a character in common with one of the stretches."""
        after = bisect_right(self._starts, start)
        return self.holds(start) or (after < len(self._starts) and self._starts[after] < end)


def without_overlaps(spans: list[Span]) -> list[Span]:
    """Return spans in the order of the text; of two that overlap the longer one stays, then the earlier one.

    Args:
        spans: Finds of all kinds over one text, in any order.
    """
    if len(spans) < 2:
        return spans
    ordered = sorted(spans, key=lambda span: (span.start, -span.end))
    if all(left.end <= right.start for left, right in pairwise(ordered)):
        return ordered
    kept: list[Span] = []
    taken: list[tuple[int, int]] = []
    for span in sorted(ordered, key=lambda span: (span.start - span.end, span.start)):
        place = bisect_right(taken, (span.start, span.end))
        free_before = place == 0 or taken[place - 1][1] <= span.start
        free_after = place == len(taken) or span.end <= taken[place][0]
        if free_before and free_after:
            taken.insert(place, (span.start, span.end))
            kept.append(span)
    return sorted(kept)
