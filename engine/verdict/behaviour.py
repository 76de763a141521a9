"""What can be said of an answer without knowing whether it is right: its length, its language, and how it ends."""

from __future__ import annotations

import re
from collections import Counter

from engine.chat.records import StoppedBy
from engine.tickets.languages import UNKNOWN, language_of

_CIRCLE = re.compile(r"(.{2,160}?)\1{3,}")
"""The same piece four times in a row."""
_NUMBERS = re.compile(r"\d+")
_SHORTEST = 12
"""Characters that a circle has at least: 'hahahaha' is none."""
_LOOKED_AT = 4000
"""Characters of an answer that are looked at."""
_PHRASE = 4
_LONG = 24
"""Words from which on an answer is long enough to say the same again and again with other words between."""


def behaviour(answer: str, reference: str, stopped_by: StoppedBy | None) -> dict[str, float]:
    """Measure an answer.

    Args:
        answer: Its text.
        reference: What the agent really wrote.
        stopped_by: How it ended.

    Returns:
        Measure -> value, of 'length', 'ends', 'broken' and 'language', which is absent where either text is too short
        to have one.
    """
    broken = not answer.strip() or goes_in_circles(answer)
    measures = {
        "length": len(answer.strip()) / max(1, len(reference.strip())),
        "ends": float(stopped_by in ("end", "stop word")),
        "broken": float(broken),
    }
    languages = language_of(answer), language_of(reference)
    if UNKNOWN not in languages:
        measures["language"] = float(languages[0] == languages[1])
    return measures


def goes_in_circles(text: str) -> bool:
    """Say whether a text repeats itself: a piece four times in a row, or most of its phrases more than once."""
    text = " ".join(_NUMBERS.sub(" ", text[:_LOOKED_AT]).split()) + " "  # a numbered list goes in circles too
    for circle in _CIRCLE.finditer(text):
        if len(circle[0]) >= _SHORTEST and len(set(filter(str.isalpha, circle[1]))) > 1:
            return True
    words = text.casefold().split()
    if len(words) < _LONG:
        return False
    phrases = Counter(zip(*(words[start:] for start in range(_PHRASE)), strict=False))
    repeated = sum(count for count in phrases.values() if count > 1)
    return repeated > phrases.total() / 2
