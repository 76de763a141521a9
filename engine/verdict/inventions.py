"""Facts that an answer has from nowhere: neither from the ticket, nor from a near one, nor from the training answers.

A sum that an answer works out itself ('43 days, so 13 are left') is marked as well: nothing that it has read says so,
and nobody but a person can tell whether it is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.chat.records import LookUp
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.index import LEAST, FactIndex
from engine.verdict.facts.names import joined
from engine.verdict.facts.reading import facts_in, taught_by


def inventions(
    answer: str, told: Iterable[str], agents: Iterable[str], index: FactIndex, least: int = LEAST
) -> tuple[Fact, ...]:
    """Return the facts of an answer that stand nowhere, in their order.

    Args:
        answer: What a voice said.
        told: What the customer wrote, and the standing instruction. A promise that a customer asks for counts as none.
        agents: What agents wrote: earlier in the ticket, and in the nearest tickets.
        index: The facts of the training answers.
        least: In how many training answers a fact has to stand to be known from them.
    """
    customers = {known for text in told for known in taught_by(text) if not known.startswith("promise:")}
    known = customers.union(*map(taught_by, agents))
    facts = [fact for fact in facts_in(answer) if fact.stated and not _is_known(fact, known, index, least)]
    return tuple(joined(facts, answer))


def _is_known(fact: Fact, known: set[str], index: FactIndex, least: int) -> bool:
    return not known.isdisjoint(fact.readings) or any(index.count(reading) >= least for reading in fact.readings)


def sides(
    turns: Sequence[Mapping[str, str]], nearest: LookUp | None, reference: str = ""
) -> tuple[list[str], list[str]]:
    """Return what customers and what agents have said around an answer: ``told`` and ``agents`` of :func:`inventions`.

    Args:
        turns: The conversation up to and with the question.
        nearest: The nearest tickets.
        reference: What the agent really answered, where that is known.
    """
    said = [*turns, *(turn for ticket in (nearest.tickets if nearest else ()) for turn in ticket.turns)]
    agents = [turn["content"] for turn in said if turn["role"] == "assistant"]
    return [turn["content"] for turn in said if turn["role"] != "assistant"], [
        *agents,
        *([reference] * bool(reference)),
    ]


def count_inventions(
    answer: str, turns: Sequence[Mapping[str, str]], nearest: LookUp | None, index: FactIndex, reference: str = ""
) -> int:
    """Return how many facts of an answer stand nowhere; see :func:`sides` for the arguments."""
    return len(inventions(answer, *sides(turns, nearest, reference), index))
