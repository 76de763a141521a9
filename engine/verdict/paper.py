"""The paper that a run's voices sit: which held-out tickets, under which instruction, and how long an answer may be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.chat.heldout import HeldOutTicket, heldout_tickets
from engine.errors import TicketsError
from engine.tickets.dataset.files import HELDOUT
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.tickets.lookup.question import customers_in
from engine.turns import Turn, with_instruction
from engine.verdict.topics import topics_of

MOST = 200
"""Held-out tickets that are judged, spread over all of them; more make the intervals little narrower."""
BYTES_A_TOKEN = 3.5
LONGEST, SHORTEST = 400, 64
"""Tokens of the longest answer allowed, whatever the agents wrote."""
AMPLE = 1.5
"""The longest answer allowed, beside that of which nine in ten of the agents' are shorter."""


@dataclass(frozen=True, slots=True)
class PaperTicket:
    """A held-out ticket to answer."""

    ticket: str
    asked: tuple[Turn, ...]
    """The conversation so far, behind the standing instruction."""
    answer: str
    """What the agent really wrote."""
    customer: str
    topic: str

    @property
    def said(self) -> list[str]:
        """The texts of the ticket so far."""
        return [turn["content"] for turn in self.asked if turn["role"] != "system"]

    @property
    def mark(self) -> str:
        """What tells it from a ticket of the same number in another data set, under whatever instruction."""
        return hashlib.sha256(repr((self.said, self.answer)).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Paper:
    """What is asked."""

    tickets: tuple[PaperTicket, ...]
    heldout: int
    """Held-out tickets that there are."""
    longest: int
    """Tokens of the longest answer allowed."""
    mark: str
    """Tells one paper from another."""

    def about(self, voices: Sequence[str], weights: str) -> dict[str, Any]:
        """Return all that the answers depend on."""
        return {"paper": self.mark, "voices": list(voices), "weights": weights, "longest": self.longest}


def paper_of(data: Path, instruction: str, most: int = MOST) -> Paper:
    """Choose the tickets of a run.

    Args:
        data: The folder of the run's data.
        instruction: The recipe's standing instruction.
        most: Tickets at most.

    Raises:
        TicketsError: No ticket was held out, or a line is damaged.
    """
    rows, asked = list(conversations(data / HELDOUT)), heldout_tickets([data])
    topics, customers = topics_of(rows), customers_in(data)
    tickets = [
        _ticket(heldout, instruction, _customer(row, customers), topic)
        for row, heldout, topic in zip(rows, asked, topics, strict=True)
        if heldout.answer.strip() and heldout.messages and heldout.messages[-1]["role"] == "user"
    ]
    if not tickets:
        raise TicketsError("No held-out ticket has an answer to compare with.", "Prepare the tickets again.")
    chosen = spread(tickets, most)
    text = repr([(ticket.ticket, ticket.asked, ticket.answer) for ticket in chosen])
    return Paper(
        tuple(chosen), len(tickets), _longest(chosen), hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    )


def spread(tickets: Sequence[PaperTicket], most: int) -> list[PaperTicket]:
    """Return at most so many tickets, evenly spread over all."""
    if len(tickets) <= most:
        return list(tickets)
    return [tickets[number * len(tickets) // most] for number in range(most)]


def _ticket(heldout: HeldOutTicket, instruction: str, customer: str, topic: str) -> PaperTicket:
    asked = with_instruction(heldout.messages, instruction)
    return PaperTicket(heldout.ticket, tuple(asked), heldout.answer, customer, topic)


def _customer(row: StoredConversation, customers: dict[str, int]) -> str:
    """A key that conversations of one customer share; of whom nothing is known is alone."""
    number = customers.get(row.key)
    return f"customer {number}" if number is not None else f"ticket {row.ticket} {row.key}"


def _longest(tickets: Sequence[PaperTicket]) -> int:
    sizes = sorted(len(ticket.answer.encode("utf-8", "replace")) for ticket in tickets)
    usual = sizes[min(len(sizes) - 1, len(sizes) * 9 // 10)] / BYTES_A_TOKEN
    return int(min(LONGEST, max(SHORTEST, AMPLE * usual)))
