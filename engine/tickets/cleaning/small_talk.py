"""Answers that are nothing but thanks, a greeting or 'done': polite, and nothing to learn."""

from __future__ import annotations

import re

from engine.tickets.cleaning.words import words

_LONGEST = 60
_WORD = re.compile(r"\w+")


def says_nothing(answer: str) -> bool:
    """Tell an answer that is nothing but thanks, a greeting or 'done'."""
    return len(answer) <= _LONGEST and words("small_talk").issuperset(_WORD.findall(answer.casefold()))
