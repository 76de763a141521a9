"""Money, shares of a hundred, and numbers of nothing in particular."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.tickets.words import alternatives
from engine.verdict.facts.fact import Fact, FactKind
from engine.verdict.facts.numbers import NUMBER, number_words, readings_of
from engine.verdict.facts.words import entries, groups

_START = r"(?<![\w.,/-])"
_WORD = re.compile(r"[^\W\d_]+")
_LIST_MARK = re.compile(r"(?m)^[ \t]*(?:[-*•] +)?\d{1,3}[.):](?=\s)")
"""'1. ' and '2) ' before the items of a list."""
_VERSION = re.compile(rf"{_START}v?\d+(?:\.\d+){{2,}}(?![\w])")


def united(kind: FactKind, span: tuple[int, int], units: frozenset[str], numbers: frozenset[str]) -> Fact:
    """Make a fact of a number with its unit.

    '12 days' is known to whoever has read '12 days', or a 12 without any unit ('43 days, so 12 are left'). Who has
    read '12 days' knows of a 12.
    """
    bare, any_unit = (frozenset(f"{form}:{number}" for number in numbers) for form in ("num", "any"))
    return Fact(kind, *span, units | bare, units | any_unit)


def list_marks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the numbers that only count: of lists, and behind 'step'."""
    for match in (*_LIST_MARK.finditer(text), *_counting().finditer(text)):
        yield match.span()


@cache
def _counting() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(entries('counters'))})s? \d{{1,3}}(?!\w)", re.IGNORECASE)


def versions(text: str) -> Iterator[Fact]:
    """Yield numbers with several points, such as '115.3.2'."""
    for match in _VERSION.finditer(text):
        known = frozenset((f"num:{match[0].removeprefix('v')}",))
        yield Fact("number", *match.span(), known, known)


@cache
def _currencies() -> dict[str, str]:
    return {written: code for code, names in groups("currencies").items() for written in names}


@cache
def _money() -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = "|".join(re.escape(name) for name in sorted(_currencies(), key=len, reverse=True))
    words = "|".join(re.escape(word) for word in sorted(number_words(), key=len, reverse=True))
    units = "|".join(name for names in groups("durations").values() for name in names)
    before = rf"(?<!\w)(?P<unit>{names}) ?(?P<number>{NUMBER})(?:[.,][-–—]+)?"
    after = (
        rf"{_START}(?P<number>{NUMBER}|(?:{words})(?= ))(?:[.,][-–—]+)?[ \u00a0-]?(?P<unit>{names})(?!\w)"
        rf"(?: ?(?P<cents>\d{{2}})(?![\w%]|[.,]\d| ?(?:%|(?:{units})(?!\w))))?"
    )
    return re.compile(before), re.compile(after)


def money(text: str) -> Iterator[Fact]:
    """Yield amounts of money: '€ 4.20', '4,20 EUR', '4 pounds 20'."""
    if not _has_currency(text):
        return
    before, after = _money()
    found = [*before.finditer(text), *after.finditer(text)]
    for match in sorted(found, key=lambda match: (match.start(), -match.end())):
        named = match["number"]
        numbers = frozenset((number_words()[named],)) if named in number_words() else readings_of(named)
        cents = match.groupdict().get("cents")
        if cents:
            numbers = frozenset(number for whole in numbers for number in readings_of(f"{whole}.{cents}"))
        code = _currencies()[match["unit"]]
        yield united("amount", match.span(), frozenset(f"money:{code}:{number}" for number in numbers), numbers)


def _has_currency(text: str) -> bool:
    """Say whether a currency is named at all, which few answers do: the patterns are long."""
    words, signs = _split_currencies()
    return not words.isdisjoint(_WORD.findall(text)) or any(sign in text for sign in signs)


@cache
def _split_currencies() -> tuple[frozenset[str], tuple[str, ...]]:
    names = frozenset(_currencies())
    return frozenset(filter(str.isalpha, names)), tuple(name for name in names if not name.isalpha())


@cache
def _percent() -> re.Pattern[str]:
    return re.compile(rf"{_START}(?P<number>{NUMBER})[ \u00a0-]?(?:{alternatives(entries('percent'))})(?!\w)")


def shares(text: str) -> Iterator[Fact]:
    """Yield shares of a hundred."""
    for match in _percent().finditer(text):
        numbers = readings_of(match["number"])
        yield united("amount", match.span(), frozenset(f"percent:{number}" for number in numbers), numbers)


_BARE = re.compile(rf"(?<![\w.,/]){NUMBER}(?![\w]|[.,]\d)")
_ORDINAL = re.compile(r"(?<![\w.,])\d{1,3}(?:st|nd|rd|th|er|e|ª|º)(?!\w)")


def bare_numbers(text: str) -> Iterator[Fact]:
    """Yield what numbers are left, in digits; those in words and ordinals support others, and are not judged."""
    for match in _BARE.finditer(text):
        numbers = readings_of(match[0])
        teaches = frozenset(f"num:{number}" for number in numbers)
        yield Fact("number", *match.span(), teaches | {f"any:{number}" for number in numbers}, teaches)
    for match in _ORDINAL.finditer(text):
        known = frozenset((f"num:{re.sub(r'[^0-9]', '', match[0])}",))
        yield Fact("number", *match.span(), known, known, stated=False)
    several = () if _firsts().isdisjoint(_WORD.findall(text)) else _words().finditer(text)
    for match in (*several, *_WORD.finditer(text)):
        if match[0] in number_words():
            known = frozenset((f"num:{number_words()[match[0]]}",))
            yield Fact("number", match.start(), match.end(), known, known, stated=False)


@cache
def _firsts() -> frozenset[str]:
    return frozenset(_WORD.findall(word)[0] for word in number_words() if not word.isalpha())


@cache
def _words() -> re.Pattern[str]:
    # a hyphen or a space is within a few of them only, so that most words are told by a look into the table
    return re.compile(rf"(?<!\w)(?:{alternatives(tuple(word for word in number_words() if not word.isalpha()))})(?!\w)")
