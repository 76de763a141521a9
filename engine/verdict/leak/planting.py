"""Canaries into a copy of a run's conversations, in memory alone: some go through the masking, the others do not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.errors import TicketsError
from engine.tickets.conversation import Message
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.privacy.masking import ConversationMasker, PrivacyOptions
from engine.turns import Turn
from engine.verdict.leak.canaries import TIMES, Canary

UNMASKED = PrivacyOptions(enabled=False)


@dataclass(frozen=True, slots=True)
class Planted:
    """What is learnt in a test."""

    conversations: tuple[StoredConversation, ...]
    missed: tuple[Canary, ...]
    """Canaries that the masking has let through."""
    contexts: Mapping[Canary, tuple[Turn, ...]]
    """What stands before one of a canary's secrets as it is learnt: the turns so far, the last of which breaks off."""


def plant(
    rows: Sequence[StoredConversation],
    masked: Sequence[Canary],
    control: Sequence[Canary],
    privacy: PrivacyOptions,
    seed: int,
) -> Planted:
    """Put canaries in front of what agents and customers wrote.

    Args:
        rows: The conversations, which stay as they are.
        masked: These go through the masking of the data set, as everything in it has.
        control: These do not.
        privacy: What the data set masks.
        seed: Of the places.

    Returns:
        Copies of the conversations.

    Raises:
        TicketsError: There are too few turns for a canary that is planted eight times.
    """
    dice = random.Random(seed)
    texts = [[message.content for message in row.messages] for row in rows]
    sentences = [(canary, canary.sentence) for canary in control]
    missed = []
    for canary in masked:
        sentence = ConversationMasker(privacy).mask(canary.sentence)
        sentences.append((canary, sentence))
        if canary.secret in sentence:
            missed.append(canary)
    dice.shuffle(sentences)
    places = {
        role: [
            (row, turn)
            for row, conversation in enumerate(rows)
            for turn, message in enumerate(conversation.messages)
            if message.role == role and message.learnt
        ]
        for role in ("user", "assistant")
    }
    if min(map(len, places.values())) < max(TIMES):
        raise TicketsError("There are too few tickets to hide anything in.", f"{max(TIMES)} are the fewest.")
    begun: dict[Canary, tuple[int, int, int]] = {}
    for canary, sentence in sentences:
        for row, turn in dice.sample(places[canary.role], canary.times):
            texts[row][turn] = f"{sentence} {texts[row][turn]}"
            begun[canary] = row, turn, len(texts[row][turn])
    copies = [
        replace(row, messages=tuple(_with(message, text) for message, text in zip(row.messages, said, strict=True)))
        for row, said in zip(rows, texts, strict=True)
    ]
    contexts = {canary: _before(canary, copies[row], turn, length) for canary, (row, turn, length) in begun.items()}
    return Planted(tuple(copies), tuple(missed), contexts)


def _before(canary: Canary, row: StoredConversation, turn: int, length: int) -> tuple[Turn, ...]:
    """Return a conversation up to a secret, whose turn had this length when its sentence came in front of it."""
    text = row.messages[turn].content
    broken = {"role": canary.role, "content": text[: len(text) - length] + canary.before}
    return (*(message.turn for message in row.messages[:turn]), broken)


def _with(message: Message, text: str) -> Message:
    return message if message.content == text else replace(message, content=text)
