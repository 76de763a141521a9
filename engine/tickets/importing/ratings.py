"""What a customer thought of the answer, and whether a ticket was opened again: read from words and numbers.

Scales: words of :mod:`engine.tickets.importing.words`; stars from 1 to 5; 'n of m', 'n/m' and per cent; Freshdesk's
103 (extremely happy) to -103, with 100 for neutral (https://developers.freshdesk.com/api/#view_a_survey_rating).
"""

from __future__ import annotations

import re
from functools import lru_cache

from engine.tickets.conversation import Rating
from engine.tickets.importing.parties import yes_no
from engine.tickets.importing.words import groups

_WORDS = groups("ratings")
_GOOD, _BAD = frozenset(_WORDS["good"]), frozenset(_WORDS["bad"])
_SHARE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:(?:/|of|von|de|out of)\s*(\d+)|(%))")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
GOOD_SHARE, BAD_SHARE = 0.75, 0.5
"""From so much of the best on it is good, below so much bad: 4 and 5 stars, and 1 and 2."""
STARS = 5
_FRESHDESK_NEUTRAL, _FRESHDESK_BEST = 100, 103


@lru_cache(1024)
def rating_of(said: str) -> Rating:
    """Read a rating; empty where nobody rated, where it is neither good nor bad, and where the scale is not known."""
    word = " ".join(said.casefold().replace("_", " ").split())
    if word in _GOOD:
        return "good"
    if word in _BAD:
        return "bad"
    if share := _SHARE.fullmatch(word):
        best = 100.0 if share[3] else float(share[2])
        return _judged(_float(share[1]) / best) if best else ""
    return _of_number(_float(word)) if _NUMBER.fullmatch(word) else ""


@lru_cache(1024)
def reopened(said: str) -> bool:
    """Whether a ticket was opened again: a count above 0, a yes, or a date."""
    text = said.strip()
    if _NUMBER.fullmatch(text):
        return _float(text) > 0
    answer = yes_no(text)
    return answer if answer is not None else bool(re.match(r"\d{4}-\d\d-\d\d", text))


def _of_number(value: float) -> Rating:
    if -_FRESHDESK_BEST <= value <= -_FRESHDESK_NEUTRAL:
        return "bad"
    if _FRESHDESK_NEUTRAL < value <= _FRESHDESK_BEST:
        return "good"
    return _judged(value / STARS) if 1 <= value <= STARS else ""


def _judged(share: float) -> Rating:
    return "good" if share >= GOOD_SHARE else "bad" if share < BAD_SHARE else ""


def _float(text: str) -> float:
    return float(text.replace(",", "."))
