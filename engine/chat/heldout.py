"""Held-out tickets for the playground: real questions that none of those who answer has learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TicketsError
from engine.tickets.dataset.files import HELDOUT, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations


@dataclass(frozen=True, slots=True)
class HeldOutTicket:
    """A real question that no model has learnt from, with what the agent wrote."""

    ticket: str
    messages: tuple[dict[str, str], ...]
    """Up to and with the customer's question."""
    answer: str


def heldout_tickets(folders: Sequence[Path]) -> list[HeldOutTicket]:
    """Return the held-out tickets of the first folder that are in no other folder's training part.

    Args:
        folders: The data of everybody who answers, each with train.jsonl and heldout.jsonl; at least one.

    Raises:
        TicketsError: There is none, or a file is damaged.
    """
    learnt = {_question(row) for folder in folders[1:] for row in conversations(folder / TRAIN)}
    rows = [row for row in conversations(folders[0] / HELDOUT) if _question(row) not in learnt]
    if not rows:
        raise TicketsError(
            "There is no ticket that was held out from everybody here." if learnt else "No tickets were held out.",
            "Compare fewer adapters." if learnt else "Prepare the tickets again with some held out.",
        )
    return [_ticket(row) for row in rows]


def _ticket(row: StoredConversation) -> HeldOutTicket:
    messages = row.messages
    last = max((i for i, message in enumerate(messages) if message.role == "assistant"), default=-1)
    if last < 0:
        raise TicketsError(f"Ticket {row.ticket} has no answer.", "Prepare the tickets again.")
    return HeldOutTicket(
        row.ticket,
        tuple(message.turn for message in messages[:last]),
        messages[last].content,
    )


def _question(row: StoredConversation) -> str:
    """What the customer wrote first: tickets of tables without ids have no name of their own."""
    return next((message.content for message in row.messages if message.role == "user"), "")
