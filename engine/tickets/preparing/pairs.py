"""Pairs of a conversation that comes with rejected answers: cleaned, masked, and kept beside what is learnt."""

from __future__ import annotations

from collections.abc import Sequence

from engine.reasoning import without_reasoning
from engine.tickets.cleaning.message import clean_message
from engine.tickets.conversation import Message
from engine.tickets.dataset.preferences import preference
from engine.tickets.dataset.stored import StoredConversation, json_line

_CHARS = 100_000
"""A longer one would take minutes to clean, and its chosen answer is not learnt either."""


def rejected_answers(messages: Sequence[Message], chosen: str) -> list[str]:
    """Return the rejected answers that stand against the last one, cleaned.

    Args:
        messages: As the reader yields them: an answer, and behind it those that were rejected in its favour.
        chosen: The last answer as it is learnt.

    Returns:
        None where the chosen answer was itself left out or merged with another, or where it says the same.
    """
    first = next((number for number, message in enumerate(messages) if message.kind == "rejected"), 0)
    if not first or _cleaned(messages[first - 1]) != chosen:
        return []
    worse = (message for message in messages[first:] if message.kind == "rejected" and len(message.content) <= _CHARS)
    cleaned = map(_cleaned, worse)
    return [answer for answer in dict.fromkeys(cleaned) if answer and answer != chosen]


def pair_lines(conversation: StoredConversation, rejected: Sequence[str]) -> bytes:
    """Write the lines of preferences.jsonl.

    Args:
        conversation: As it is learnt: its last turn is the chosen answer.
        rejected: The others, masked.
    """
    *asked, last = conversation.turns
    of = {"ticket": conversation.ticket, "key": conversation.key}
    return b"".join(json_line(preference(asked, last["content"], answer) | of) for answer in rejected)


def _cleaned(message: Message) -> str:
    return clean_message(without_reasoning(message.content), html=message.html).strip()
