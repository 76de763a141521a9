"""Durations, days of the week, dates and clock times, each in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.tickets.words import TABLES, alternatives
from engine.verdict.facts.amounts import united
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.numbers import NUMBER, number_words, readings_of, times
from engine.verdict.facts.words import entries, groups

_START = r"(?<![\w.,/])"
_WORD = re.compile(r"[^\W\d_]+")
_ARTICLES = ("a", "an", "one", "ein", "eine", "einem", "einer", "eines", "une", "un", "uno", "una", "een", "um", "uma")
"""'A week' is seven days for whoever has read it, but too common in talk to be judged."""


@cache
def _units() -> dict[str, str]:
    return {name: length for length, names in groups("durations").items() for name in names}


@cache
def _first_words() -> frozenset[str]:
    return frozenset(name.split(" ")[0] for name in _units())


@cache
def _duration() -> re.Pattern[str]:
    units = alternatives(tuple(map(re.escape, _units())))
    words = alternatives((*map(re.escape, number_words()), *_ARTICLES))
    return re.compile(
        rf"{_START}(?P<number>{NUMBER}|(?<!\w)(?:{words})(?=[ -]))"
        rf"(?: ?(?:-|–|to|bis|à|a|or|oder|ou|o) ?(?P<upper>{NUMBER}))?[ \u00a0-]?(?P<unit>{units})(?!\w)",
    )


def durations(text: str) -> Iterator[Fact]:
    """Yield lengths of time: '3 days', 'drei Tage', '24-hour', '2 to 3 weeks', which are two."""
    if _first_words().isdisjoint(_WORD.findall(text)):
        return
    for match in _duration().finditer(text):
        unit = _units()[match["unit"]]
        for part in ("number", "upper"):
            if match[part]:
                yield _duration_of(match, part, unit)


def _duration_of(match: re.Match[str], part: str, unit: str) -> Fact:
    named = match[part]
    if named in number_words():
        numbers = frozenset((number_words()[named],))
    elif named in _ARTICLES:
        numbers = frozenset(("1",))
    else:
        numbers = readings_of(named)
    span = (match.start(part), match.end() if part == "upper" or not match["upper"] else match.end(part))
    lengths = frozenset(length for number in numbers for length in _lengths(number, unit))
    made = united("time", span, lengths, numbers)
    return Fact(made.kind, *span, made.readings, made.teaches, stated=named not in _ARTICLES)


def _lengths(number: str, unit: str) -> tuple[str, ...]:
    if unit.isdigit():
        return (f"seconds:{times(number, int(unit))}",)
    if unit == "year":
        return (f"months:{times(number, 12)}",)
    return (f"{unit}s:{number}",)


@cache
def _days() -> tuple[re.Pattern[str], dict[str, str]]:
    numbers = {name: number for number, names in groups("weekdays").items() for name in names}
    return re.compile(rf"(?<!\w)(?:{alternatives(tuple(numbers))})s?(?!\w)"), numbers


def weekdays(text: str) -> Iterator[Fact]:
    """Yield days of the week."""
    pattern, numbers = _days()
    if frozenset(word.removesuffix("s").partition("-")[0] for word in numbers).isdisjoint(
        word.removesuffix("s") for word in _WORD.findall(text)
    ):
        return
    for match in pattern.finditer(text):
        name = match[0]
        known = frozenset((f"weekday:{numbers.get(name) or numbers[name[:-1]]}",))
        yield Fact("time", *match.span(), known, known)


@cache
def _months() -> dict[str, int]:
    return {name: int(number) for number, names in TABLES.groups("months").items() for name in names}


@cache
def _written_dates() -> tuple[re.Pattern[str], re.Pattern[str]]:
    month = rf"(?P<month>{alternatives(tuple(_months()))})\.?"
    year = r"(?:,? (?:de |del )?(?P<year>\d{4}))?(?!\w)"
    day = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.|er)?"
    return (
        re.compile(rf"(?<![\w.,]){day} (?:of |de |di )?{month}{year}"),
        re.compile(rf"(?<!\w){month} (?:the )?{day}(?!\d|:){year}"),
    )


_ISO = re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d./])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/])")


def dates(text: str) -> Iterator[Fact]:
    """Yield days of a year, with or without it; '3/4/2026' is read with the day first and with the month first."""
    some = _written_dates() if not _months().keys().isdisjoint(_WORD.findall(text)) else ()
    for pattern in some:
        for match in pattern.finditer(text):
            month = _months()[match["month"]]
            if fact := _date(match.span(), match["year"] or "", ((month, int(match["day"])),)):
                yield fact
    for match in _ISO.finditer(text):
        if fact := _date(match.span(), match["year"], ((int(match["month"]), int(match["day"])),)):
            yield fact
    for match in _NUMERIC.finditer(text):
        first, second, year = int(match[1]), int(match[3]), match[4]
        if fact := _date(match.span(), year if len(year) == 4 else f"20{year}", ((second, first), (first, second))):
            yield fact


def _date(span: tuple[int, int], year: str, days: tuple[tuple[int, int], ...]) -> Fact | None:
    days = tuple((month, day) for month, day in days if 1 <= month <= 12 and 1 <= day <= 31)
    if not days:
        return None
    short = frozenset(f"day:{month:02}-{day:02}" for month, day in days)
    whole = frozenset(f"date:{year}-{month:02}-{day:02}" for month, day in days) if year else short
    return Fact("time", *span, whole, whole | short)


@cache
def _clocks() -> tuple[re.Pattern[str], ...]:
    half = r"(?P<half>[ap]\.?m\b\.?)"
    return (
        re.compile(rf"(?<![\d:.])(?P<hour>[01]?\d|2[0-4])[:h](?P<minute>[0-5]\d)(?!\d)(?: ?{half})?"),
        re.compile(rf"(?<![\d:.,])(?P<hour>0?[1-9]|1[0-2])(?:\.(?P<minute>[0-5]\d))? ?{half}"),
        re.compile(
            rf"(?<![\d:.,])(?P<hour>[01]?\d|2[0-4])(?:[.:](?P<minute>[0-5]\d))? ?"
            rf"(?:{alternatives(entries('clock_words'))})(?!\w)",
        ),
    )


def clock_times(text: str) -> Iterator[Fact]:
    """Yield times of the day; without 'am' or 'pm' an hour up to twelve is read as both."""
    for pattern in _clocks():
        for match in pattern.finditer(text):
            hour, half = int(match["hour"]), (match.groupdict().get("half") or "")[:1]
            if half:
                hours = [hour % 12 + (12 if half == "p" else 0)]
            else:
                hours = [hour % 24, hour + 12] if 1 <= hour < 12 else [hour % 24]
            minute = match["minute"] or "00"
            known = frozenset(f"clock:{one:02}:{minute}" for one in hours)
            teaches = known if minute != "00" else known | {f"any:{hour}"}
            readings = known if minute != "00" else known | {f"num:{hour}"}
            yield Fact("time", *match.span(), readings, teaches)
