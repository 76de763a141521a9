"""Training with look-up: which tickets stand before which conversation, and the texts that come of it.

The tickets are context that is not learnt. A conversation never gets itself, what is nearly the same, or another one of
its customer. Some get none and some get wrong ones, so that an adapter can also answer without, and looks before it
copies: what an adapter does that has always seen the right ticket is to repeat whatever it is shown (11 of 19 with
three wrong tickets, sample shop). All of that is drawn from the recipe's seed and the conversation's own words, so
that neither the order nor other conversations matter.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.model.chat_format import ChatFormat
from engine.recipe import Recipe
from engine.task import Report
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.building import index_of
from engine.tickets.lookup.context import Ticket, fitting, told
from engine.tickets.lookup.index import TicketIndex
from engine.tickets.lookup.question import Question, customers_in, of_ticket
from engine.tickets.lookup.ranking import is_own, near_enough, nearest
from engine.training.data.encoding import Encoded, Said, encode
from engine.turns import Turn

WITHOUT = 0.35
"""Share of the conversations that are learnt without look-up."""
WRONG = 0.1
"""Share of the looked-up tickets in whose place another one stands, taken at random."""
NUMBER = -2
"""Stands for the turns of looked-up tickets, as :attr:`~engine.training.data.encoding.Said.number`."""


def with_lookup(
    rows: Sequence[StoredConversation],
    folder: Path,
    seed: int | None,
    report: Report = lambda *_: None,
    index: TicketIndex | None = None,
) -> list[StoredConversation]:
    """Put under each conversation the tickets that stand before it.

    Args:
        rows: Conversations of the data set in ``folder``, of either side.
        folder: The data set; it gets an index where it has none.
        seed: Of the recipe, for what is learnt; None for what is held out, which is asked as the playground asks: with
            the nearest tickets, always.
        report: Progress.
        index: The data set's index, where it is open.

    Returns:
        The conversations, each with what stands before it.
    """
    index = index or index_of(folder, report)
    customers = customers_in(folder)
    found: list[StoredConversation] = []
    for number, row in enumerate(rows):
        if number % 200 == 0:
            report("Looking up tickets", number / len(rows))
        tickets = _tickets_for(of_ticket(row, customers), index, seed)
        found.append(replace(row, looked_up=tuple(tickets)))
    return found


def _tickets_for(question: Question, index: TicketIndex, seed: int | None) -> list[Ticket]:
    dice = random.Random(f"{seed} {question.key}")  # a text seeds by its SHA-512: the same on every computer
    if seed is None:
        return [told(near.entry.turns) for near in near_enough(index, question)[0]]
    if dice.random() < WITHOUT:
        return []
    # Whatever their score: tickets that are far belong to what it learns to look through.
    tickets = [told(near.entry.turns) for near in nearest(index, question)]
    tickets = [_wrong(question, index, dice) if dice.random() < WRONG else ticket for ticket in tickets]
    return [ticket for ticket in tickets if ticket]


def _wrong(question: Question, index: TicketIndex, dice: random.Random) -> Ticket:
    """Return any ticket that the question may find; none where a few tries meet only its own."""
    for _ in range(8):
        row = dice.randrange(len(index))
        if not is_own(index, question, row):
            return told(index.entries([row])[0].turns)
    return ()


def write_down(
    said: Sequence[Said], tickets: Sequence[Ticket], chat: ChatFormat, recipe: Recipe
) -> tuple[list[Encoded], int]:
    """Write a conversation down for learning, after as much of its looked-up tickets as max_length has room for.

    Args:
        said: The conversation's turns.
        tickets: What was looked up, the nearest first; without any, this is :func:`~.encoding.encode`.
        chat: The base model's chat format.
        recipe: Its max_length and keeps count.

    Returns:
        As from encode; each text says how many of its characters are of looked-up tickets.

    Raises:
        ModelError: The template refuses the conversation.
    """
    alone = encode(said, chat, recipe.max_length, recipe.keeps)
    if not tickets or not alone[0] or any(text.length > recipe.max_length for text in alone[0]):
        return alone
    head = next((number for number, one in enumerate(said) if one.role != "system"), len(said))
    by_turns: dict[int, tuple[list[Encoded], int]] = {}

    def fits(turns: list[Turn]) -> bool:
        before = [Said(NUMBER, turn["role"], turn["content"], learnt=False) for turn in turns]
        texts, lost = encode([*said[:head], *before, *said[head:]], chat, recipe.max_length, "oldest")
        by_turns[len(turns)] = texts, lost
        return all(text.length <= recipe.max_length for text in texts)

    turns, _ = fitting(tickets, fits)
    if not turns:
        return alone
    texts, lost = by_turns[len(turns)]
    begin, end = _place(said[:head], turns, chat)
    return [replace(text, looked_up=(begin, min(end, text.spans[0].prompt))) for text in texts], lost


def _place(head: Sequence[Said], turns: Sequence[Turn], chat: ChatFormat) -> tuple[int, int]:
    """Return where looked-up turns begin and end in a text, in characters; at least about."""
    instructions = [one.turn for one in head]
    with_turns = chat.render([*instructions, *turns])
    begin = _common(chat.render([*instructions, {"role": "user", "content": "\0"}]), with_turns)
    return begin, len(with_turns)


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
