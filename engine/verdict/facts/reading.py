"""Reads all facts of a text; of two that overlap the more telling one is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import lowered
from engine.verdict.facts.amounts import bare_numbers, list_marks, money, shares, versions
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.names import names, words_in
from engine.verdict.facts.places import links, mail_addresses, phones, streets
from engine.verdict.facts.promises import promises
from engine.verdict.facts.times import clock_times, dates, durations, weekdays

_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,40}\]")
"""'[NAME_1]' of masking, and what a model leaves to be filled in: '[Your Name]'."""
_PLACES = (links, mail_addresses, streets)
_TIMES_AND_AMOUNTS = (phones, clock_times, money, shares, durations, weekdays, versions)
_WITHOUT_DIGITS = (money, durations, weekdays)
"""The earlier ones take their stretch from the later: the digits of a link are no amounts."""


def facts_in(text: str, with_names: bool = True) -> list[Fact]:
    """Return the facts of a text in their order; no two of those that can be invented overlap, promises aside.

    Args:
        text: Such as an answer.
        with_names: Whether names are looked for: a third of the time.
    """
    places = (match.span() for match in _PLACEHOLDER.finditer(text))
    rest = _blanked(text, [(start, end) for start, end in places if text[end : end + 1] != "("])
    found: list[Fact] = []
    for finder in _PLACES:
        rest = _taken(finder(rest), rest, found)
    small = lowered(rest)
    small = _taken(dates(small), small, found)
    small = _blanked(small, list_marks(small))
    for finder in _TIMES_AND_AMOUNTS if re.search(r"\d", small) else _WITHOUT_DIGITS:
        small = _taken(finder(small), small, found)
    if with_names:
        cased = "".join(letter if kept != " " else " " for letter, kept in zip(rest, small, strict=True))
        small = _taken(names(cased), small, found)
    _taken(bare_numbers(small), small, found)
    found += promises(text)
    return sorted(found, key=lambda fact: (fact.start, fact.end))


def taught_by(text: str) -> set[str]:
    """Return all that somebody knows who has read a text."""
    return {reading for fact in facts_in(text, with_names=False) for reading in fact.teaches} | set(words_in(text))


def _taken(facts: Iterator[Fact], text: str, found: list[Fact]) -> str:
    """Keep facts that overlap none before them, and blank their stretch."""
    last = -1
    spans: list[tuple[int, int]] = []
    for fact in sorted(facts, key=lambda fact: (fact.start, -fact.end)):
        if fact.start >= last:
            found.append(fact)
            spans.append((fact.start, fact.end))
            last = fact.end
    return _blanked(text, spans)


def _blanked(text: str, spans: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> str:
    """Put spaces where something was found, so that all places stay."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            pieces += [text[at : max(at, start)], " " * (end - max(at, start))]
            at = end
    return "".join((*pieces, text[at:]))
