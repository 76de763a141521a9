"""What an export is asked: held-out tickets of the run, which stay here, and questions that may travel with it.

Where no ticket was held out, as for an adapter from elsewhere, what the person has saved is asked in their place. The
questions that travel are this program's own and hold no word of a ticket. They are of the kinds on which exports have
gone wrong elsewhere: several turns, no blank between words, marks and letters beyond ASCII, white space at the
ends, one word, a long text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TicketsError
from engine.turns import Turn, with_instruction

HELD_OUT = 32
"""Held-out tickets that are asked: with 32 answers of about 32 tokens a share of agreeing tokens is known to 1 in
1,000."""

_QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("Where is my parcel?",),
    ("Hi",),
    ("  The lamp flickers when I switch it on.\n\nWhat should I do?  ",),
    ("Könnt ihr die Rechnung bitte nochmal schicken? Vielen Dank & schöne Grüße 🙂",),
    ("返品したいのですが、どうすればよいですか。",),
    (
        "Can I still change the address of my order?",
        "Yes, as long as it has not been sent. What is the new address?",
        "1 Example Street, Springfield.",
    ),
    ("I was charged 19,90 € twice (on 3/4 and again on 3/5) -- can you refund one of them, please?!",),
    (
        "Hello, last week I ordered two shelves, a desk and three drawers. The shelves came on Tuesday, the desk on "
        "Thursday with a scratch on its left side, and of the drawers only one has arrived so far. The tracking page "
        "says that all parcels were delivered, and my neighbours have none of them. Could you find out where the other "
        "two drawers are, and send me a new top for the desk? I would like to keep the rest.",
    ),
)
"""Each a conversation, customer and agent in turn, that ends with the customer."""


@dataclass(frozen=True, slots=True)
class Question:
    """A conversation that waits for an answer."""

    turns: tuple[Turn, ...]
    travels: bool
    """Whether it is this program's own, so that it may leave with the export."""


def questions(data: Path | None, instruction: str, saved: Sequence[str] = ()) -> list[Question]:
    """Return what an export is asked.

    Args:
        data: The run's copy of its data set; None for an adapter that has none here.
        instruction: The standing instruction that it was trained with, or empty.
        saved: The person's own questions, which stay here too; asked where no ticket was held out.
    """
    held_out = _held_out(data) if data else []
    staying = _spread(held_out or [({"role": "user", "content": text},) for text in saved], HELD_OUT)
    asked = [Question(tuple(with_instruction(turns, instruction)), travels=False) for turns in staying]
    own = (
        [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]
        for texts in _QUESTIONS
    )
    return asked + [Question(tuple(with_instruction(turns, instruction)), travels=True) for turns in own]


def _held_out(data: Path) -> list[tuple[Turn, ...]]:
    from engine.chat.heldout import heldout_tickets

    try:
        return [ticket.messages for ticket in heldout_tickets([data])]
    except TicketsError:  # none was held out
        return []


def _spread(found: Sequence[tuple[Turn, ...]], most: int) -> list[tuple[Turn, ...]]:
    """Take so many from everywhere: the file is in the order of time."""
    if len(found) <= most:
        return list(found)
    return [found[place * len(found) // most] for place in range(most)]
