"""Everything that is measured of a voice's answer to a ticket."""

from __future__ import annotations

from collections.abc import Mapping

from engine.chat.records import LookUp
from engine.verdict.behaviour import behaviour
from engine.verdict.facts.index import FactIndex
from engine.verdict.inventions import count_inventions
from engine.verdict.likeness import chrf, rouge_l
from engine.verdict.paper import PaperTicket
from engine.verdict.records import JudgedTicket
from engine.verdict.transcript import SaidAnswer


def measured(
    ticket: PaperTicket,
    answers: Mapping[str, SaidAnswer],
    losses: Mapping[str, float],
    near: LookUp | None,
    index: FactIndex,
) -> JudgedTicket:
    """Measure what all voices said to a ticket.

    Args:
        ticket: With what the agent really wrote.
        answers: Voice -> its answer.
        losses: Voice -> nats a token of the agent's answer; without those that are no model.
        near: The nearest tickets, which count as known for all voices alike, shown to them or not.
        index: The facts of the training answers.

    Returns:
        The ticket with its scores, which a verdict counts.
    """
    scores: dict[str, dict[str, float]] = {}
    for voice, said in answers.items():
        scores[voice] = {"chrf": chrf(said.text, ticket.answer), "rouge_l": rouge_l(said.text, ticket.answer)}
        scores[voice] |= behaviour(said.text, ticket.answer, said.stopped_by)
        scores[voice]["inventions"] = count_inventions(said.text, ticket.asked, near, index, ticket.answer)
        if voice in losses:
            scores[voice]["loss"] = losses[voice]
    return JudgedTicket(ticket.ticket, ticket.customer, ticket.topic, scores, ticket.mark)
