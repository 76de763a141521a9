"""Who is judged: the tuned model, what one could have instead of it, and the floor that every model has to beat."""

from __future__ import annotations

from engine.chat.records import LOOKUP, NEAREST, Voice
from engine.verdict.records import JudgedVoice

BASE = "base"


def voices_of(tuned: Voice) -> tuple[JudgedVoice, ...]:
    """Return who is judged beside an adapter, the alternatives first.

    Args:
        tuned: The voice of the run; one that was trained with look-up never answers without.
    """
    voices = [
        JudgedVoice(BASE, "the base model", "alternative"),
        JudgedVoice(f"{BASE}{LOOKUP}", "the base model with three near tickets", "alternative"),
        JudgedVoice(NEAREST, "the answer of the nearest ticket, copied", "alternative"),
    ]
    if not tuned.lookup:
        voices.append(JudgedVoice(tuned.id, "the tuned model", "tuned"))
    voices.append(JudgedVoice(tuned.looking.id, "the tuned model with three near tickets", "tuned"))
    return tuple(voices)
