"""Answers with look-up: what was found, put before a conversation, and shown with the answer it helped.

Knows records and the base's chat format; where tickets are found, the playground's service knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.chat.records import NEAREST, Answer, AnswerFrame, LookedUpTicket, LookUp
from engine.tickets.lookup.context import fitting, told
from engine.tickets.lookup.ranking import near_enough
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.tickets.lookup.index import TicketIndex
    from engine.tickets.lookup.question import Question

ROOM = 1536
"""Tokens that looked-up tickets may take at most: on a processor three long ones would keep an answer waiting."""


def look_up(index: "TicketIndex", question: "Question") -> LookUp:
    """Find the nearest tickets, as an answer shows them.

    Raises:
        OutdatedError: The conversations have changed since the index was opened.
    """
    found, best = near_enough(index, question)
    tickets = [LookedUpTicket(near.entry.ticket, near.score, told(near.entry.turns)) for near in found]
    return LookUp(tuple(ticket for ticket in tickets if ticket.turns), best, index.threshold)


def with_tickets(
    base: "BaseModel", conversation: Sequence[Turn], found: LookUp, longest_answer: int
) -> tuple[list[Turn], LookUp]:
    """Put looked-up tickets before a conversation, as earlier turns, the nearest last.

    The tickets give way where room is short: they are shortened, the furthest first, then left off.

    Args:
        base: Whose chat format and context count.
        conversation: What was said so far; a standing instruction stays first.
        found: What was looked up.
        longest_answer: Tokens that are left free for the answer.

    Returns:
        The conversation to answer, and what was looked up with the number of tickets in it.
    """
    head = next((number for number, turn in enumerate(conversation) if turn["role"] != "system"), len(conversation))
    alone = len(base.chat.prompt(conversation))
    context = getattr(base.model.config.get_text_config(), "max_position_embeddings", None)
    room = alone + ROOM if context is None else min(alone + ROOM, context - longest_answer)

    def after(turns: Sequence[Turn]) -> list[Turn]:
        return [*conversation[:head], *turns, *conversation[head:]]

    turns, used = fitting(
        [ticket.turns for ticket in found.tickets], lambda turns: len(base.chat.prompt(after(turns))) <= room
    )
    return after(turns), replace(found, used=used)


def pasted(found: LookUp, seconds: float) -> Answer:
    """Return the answer of the nearest ticket, as it stands there; no model has a part in it.

    Args:
        found: What was looked up.
        seconds: How long that took.
    """
    turns = found.tickets[0].turns if found.tickets else ()
    text = next((turn["content"] for turn in turns if turn["role"] == "assistant"), "")
    return Answer(NEAREST, text, 0, seconds, True, "end", lookup=replace(found, used=min(1, len(found.tickets))))


def completed(
    frame: AnswerFrame, voices: Sequence[str], found: Mapping[str, LookUp], nearest: Answer | None
) -> AnswerFrame:
    """Add to a frame what was looked up, and the voice that no model speaks for.

    Args:
        frame: Of those voices for which a model speaks.
        voices: All ids, in their order.
        found: Voice -> what was looked up for it.
        nearest: The answer of :data:`~engine.chat.records.NEAREST`, if it is among the voices.
    """
    by_voice = {answer.voice: replace(answer, lookup=found.get(answer.voice)) for answer in frame.answers}
    if nearest is not None:
        by_voice[NEAREST] = nearest
    return AnswerFrame(frame.stage, tuple(by_voice[voice] for voice in voices))
