"""Learning from the best: what is left out because the customer, the agent's record or the age speaks against it.

Works on facts alone. An agent's record is the share of good ratings among all that were good or bad, over every ticket
of the export that the agent has answered; whoever has few is given the benefit of the doubt.

Tickets are left out, not weighted: a label says that a word is learnt or that it is not, in the trainer as in the view
of what is learnt. A weight between would have to enter the loss of every way to compute it (packed, fused, on several
GPUs), and runs could no longer be compared by their losses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.facts import Facts

RATED_BAD = "rated bad by the customer"
NOT_RATED_GOOD = "not rated good by the customer"
REOPENED = "opened again"
OLD = "older than you chose"
WEAK_AGENT = "by an agent whom customers rate badly"
FEWEST_RATINGS = 5
"""Ratings below which nothing is said of an agent."""
DAY = 86_400.0


def left_out(facts: Sequence[Facts], options: PrepareOptions) -> dict[int, str]:
    """Return what is left out, by its number, with the reason.

    Args:
        facts: All conversations that could be learnt from.
        options: What the person chose.
    """
    weak = weak_agents(facts, options.least_good)
    newest = max((entry.stamp for entry in facts if entry.stamp is not None), default=0.0)
    oldest = newest - options.newest_days * DAY if options.newest_days else None
    reasons = ((number, _reason(entry, options, weak, oldest)) for number, entry in enumerate(facts))
    return {number: reason for number, reason in reasons if reason}


def weak_agents(facts: Iterable[Facts], least_good: float) -> frozenset[str]:
    """Return the agents with a smaller share of good ratings than ``least_good``, 0 to 1."""
    if not least_good:
        return frozenset()
    good, rated = Counter[str](), Counter[str]()
    for entry in facts:
        if entry.rating:
            rated.update(entry.agents)
            good.update(entry.agents if entry.rating == "good" else ())
    return frozenset(
        agent for agent, count in rated.items() if count >= FEWEST_RATINGS and good[agent] < least_good * count
    )


def _reason(entry: Facts, options: PrepareOptions, weak: frozenset[str], oldest: float | None) -> str:
    if options.rated and entry.rating == "bad":
        return RATED_BAD
    if options.rated == "good" and not entry.rating:
        return NOT_RATED_GOOD
    if options.drop_reopened and entry.reopened:
        return REOPENED
    if not weak.isdisjoint(entry.agents):
        return WEAK_AGENT
    # A ticket without a date stays: nothing is known against it.
    return OLD if oldest is not None and entry.stamp is not None and entry.stamp < oldest else ""
