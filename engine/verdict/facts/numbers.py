"""Numbers as answers write them: 1.234,50 and 1,234.50, 'three' and 'drei'; all of their readings."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from engine.verdict.facts.words import groups

NUMBER = r"(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?)"
"""A number in digits: in groups of three with one mark, or plain, with decimals or without."""
_MARKS = re.compile(r"[.,]")


@cache
def number_words() -> dict[str, str]:
    """Return number words of all languages, in small letters -> their value in digits."""
    return {word: value for value, names in groups("number_words").items() for word in names}


def readings_of(written: str) -> frozenset[str]:
    """Return what a number in digits may mean, in plain decimal notation.

    One point or comma before exactly three digits means two things: '1.234' is read as 1.234 and as 1234.

    Args:
        written: As :data:`NUMBER` matches it.
    """
    text = re.sub(r"['’\u00a0\u202f ]", "", written)
    marks = _MARKS.findall(text)
    if not marks:
        return frozenset((_plain(text),))
    last = marks[-1]
    whole, _, fraction = text.rpartition(last)
    grouped = _MARKS.sub("", text)
    decimal = _MARKS.sub("", whole) + "." + fraction
    if len(marks) > 1:
        return frozenset((_plain(grouped if marks.count(last) > 1 else decimal),))
    if len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        return frozenset((_plain(grouped), _plain(decimal)))
    return frozenset((_plain(decimal),))


def _plain(text: str) -> str:
    return format(Decimal(text).normalize(), "f")


def times(value: str, factor: int) -> str:
    """Multiply a number in plain notation."""
    return _plain(str(Decimal(value) * factor))
