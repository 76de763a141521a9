"""Measured tickets -> a verdict: means, paired differences, and which voices decide.

Which of the tuned voices is put first is chosen by the very tickets that judge it. Choosing the better of two would
find differences where there are none, so that the interval that decides is wider where there is a choice (Bonferroni).
Choosing the best alternative errs to the adapter's disadvantage, which is the safe side.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from engine.errors import StudioError
from engine.verdict.intervals import LEVEL, Interval, interval, tickets_needed
from engine.verdict.records import DECIDES, MEASURES, Headline, JudgedTicket, JudgedVoice, Verdict
from engine.verdict.sentences import MARGIN, further, kind_of, on_top

EVEN = 1.0
"""Points of :data:`DECIDES` within which two answers to a ticket count as equally good."""


def judged(
    run: str,
    voices: Sequence[JudgedVoice],
    tickets: Sequence[JudgedTicket],
    heldout: int = 0,
    longest: int = 0,
    weights: str = "",
) -> Verdict:
    """Judge a run by its measured tickets.

    Args:
        run: Its name.
        voices: At least one tuned one and one alternative.
        tickets: As measured, at least one.
        heldout: Held-out tickets that there are.
        longest: Tokens of the longest answer allowed.
        weights: The mark of the adapter.

    Raises:
        StudioError: There is no ticket.
    """
    if not tickets:
        raise StudioError("No held-out ticket was answered.", "Judge the run again.")
    figures = {voice.id: _means(tickets, voice.id) for voice in voices}
    headline = _headline(voices, tickets, figures)
    others = [voice.id for voice in voices if voice.id != headline.tuned]
    differences = {other: _differences(tickets, headline.tuned, other) for other in others}
    kind = kind_of(headline.difference)
    by_id = {voice.id: voice for voice in voices}
    return Verdict(
        run=run,
        kind=kind,
        sentence=on_top(kind, headline),
        more=tuple(further(headline, by_id, figures, differences)),
        headline=headline,
        voices=tuple(voices),
        figures=figures,
        differences=differences,
        tickets=tuple(tickets),
        heldout=heldout or len(tickets),
        longest=longest,
        made=time.time(),
        weights=weights,
    )


def difference(
    tickets: Sequence[JudgedTicket], one: str, other: str, measure: str, level: float = LEVEL
) -> Interval | None:
    """Return how much more ``one`` has of a measure than ``other``, ticket by ticket; None where no ticket has both."""
    both = [ticket for ticket in tickets if ticket.both(one, other, measure)]
    if not both:
        return None
    values = [ticket.scores[one][measure] - ticket.scores[other][measure] for ticket in both]
    return _clustered(values, both, level)


def _differences(tickets: Sequence[JudgedTicket], tuned: str, other: str) -> dict[str, Interval]:
    differences = {measure: difference(tickets, tuned, other, measure) for measure in MEASURES}
    return {measure: apart for measure, apart in differences.items() if apart is not None}


def _means(tickets: Sequence[JudgedTicket], voice: str) -> dict[str, Interval]:
    means = {}
    for measure in MEASURES:
        having = [ticket for ticket in tickets if measure in ticket.scores[voice]]
        if having:
            means[measure] = _clustered([ticket.scores[voice][measure] for ticket in having], having, LEVEL)
    return means


def _clustered(values: Sequence[float], of: Sequence[JudgedTicket], level: float) -> Interval:
    """Cluster by customer and by topic; a way that puts all tickets into one group says nothing and is left out."""
    ways = [[ticket.customer for ticket in of], [ticket.topic for ticket in of]]
    telling = [way for way in ways if len(set(way)) > 1]
    return interval(values, *(telling or ways[:1]), level=level)


def _headline(
    voices: Sequence[JudgedVoice], tickets: Sequence[JudgedTicket], figures: dict[str, dict[str, Interval]]
) -> Headline:
    def best(role: str) -> str:
        return max((voice.id for voice in voices if voice.role == role), key=lambda voice: figures[voice][DECIDES].mean)

    tuned, alternative = best("tuned"), best("alternative")
    contenders = sum(voice.role == "tuned" for voice in voices)
    gap = difference(tickets, tuned, alternative, DECIDES, 1 - (1 - LEVEL) / contenders)
    assert gap is not None  # every answer has the measure that decides
    apart = [ticket.scores[tuned][DECIDES] - ticket.scores[alternative][DECIDES] for ticket in tickets]
    undecided = kind_of(gap) == "no difference"
    return Headline(
        tuned,
        alternative,
        gap,
        better=sum(value > EVEN for value in apart),
        worse=sum(value < -EVEN for value in apart),
        needed=tickets_needed(gap, MARGIN) if undecided else 0,
    )
