"""Below which score nothing is near: chosen on the held-out tickets, of which the right answer is known.

The rule: for each held-out ticket (at most :data:`TRIED`) its nearest ticket is found. That one helped when its answer
says more of what the agent really wrote than four of five other tickets' answers do. The threshold is the score that
all of those that helped reach, but for one in twenty, and at least one. Where fewer than :data:`ENOUGH` helped, it is
:data:`DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from engine.tickets.conversation import Message
from engine.tickets.dataset.files import HELDOUT
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.index import TicketIndex
from engine.tickets.lookup.question import customers_in, of_ticket
from engine.tickets.lookup.ranking import answers_of, nearest, weights_of
from engine.workspace import disk_errors

TRIED = 200
"""Held-out tickets that are tried; more would not move the threshold."""
OTHERS = 20
"""Other tickets that an answer is compared with."""
ENOUGH = 8
DEFAULT = 0.2
LOST = 0.05
"""The share of the questions that were helped which may lose their help."""


def choose_threshold(index: TicketIndex, folder: Path) -> tuple[float, str]:
    """Return the threshold of an index that has none yet, and how it was chosen, in words."""
    customers = customers_in(folder)
    some = min(OTHERS, len(index))
    others = index.entries(place * len(index) // some for place in range(some))
    tried, helped = 0, list[float]()
    for entry in _held_out(folder):
        if not answers_of(entry):
            continue
        tried += 1
        found = nearest(index, of_ticket(entry, customers, _before_the_answer(entry)), 1)
        if found and _helped(index, entry, found[0].entry, others):
            helped.append(found[0].score)
    if len(helped) < ENOUGH:
        return DEFAULT, f"the usual one, as only {len(helped)} of {tried} held-out tickets show what a near one is"
    lost = max(1, int(LOST * len(helped)))
    chosen = sorted(helped)[lost]
    return round(chosen, 3), f"all but {lost} of the {len(helped)} held-out tickets (of {tried}) that it helps reach it"


def _before_the_answer(entry: StoredConversation) -> Sequence[Message]:
    """Return what was said before the last answer, which is what a voice is asked."""
    last = max(number for number, message in enumerate(entry.messages) if message.role == "assistant")
    return entry.messages[:last]


def _helped(
    index: TicketIndex, entry: StoredConversation, near: StoredConversation, others: list[StoredConversation]
) -> bool:
    wanted = weights_of(index, answers_of(entry))

    def told(other: StoredConversation) -> float:
        words = weights_of(index, answers_of(other))
        return sum(value for word, value in wanted.items() if word in words)

    rest = sorted(map(told, others))
    return told(near) > rest[int(0.8 * len(rest))] if rest else False


def _held_out(folder: Path) -> Iterator[StoredConversation]:
    """Yield held-out conversations, spread evenly over all of them."""
    file = folder / HELDOUT
    if not file.exists():
        return
    with disk_errors(file), file.open("rb") as lines:
        count = sum(1 for _ in lines)
        lines.seek(0)
        for number, line in islice(enumerate(lines, 1), 0, None, max(1, count // TRIED)):
            yield StoredConversation.of_line(line, HELDOUT, number)
