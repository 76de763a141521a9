"""Dates as help desks write them -> seconds, only to compare them.

The raw date stays in the data set; this module decides which of two tickets is the newer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from engine.tickets.words import TABLES

_MONTHS = {name: int(number) for number, names in TABLES.groups("months").items() for name in names}
_NUMBER = re.compile(r"\d{9,19}(?:\.\d+)?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp]\.?[Mm])?")
_WORDY = re.compile(r"\b(\d{1,2})\.?[\s/-]+([^\W\d_]{3,})\.?[\s,/-]+(\d{2,4})\b")
_WORDY_US = re.compile(r"\b([^\W\d_]{3,})\.?\s+(\d{1,2}),?\s+(\d{4})\b")
_CTIME = re.compile(r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) [\d:]{5,8} (?:[+-]\d{4} |[A-Z]{3,4} )?(\d{4})$")
"""``Tue Oct 31 22:10:47 +0000 2017``: C's ctime, and Twitter."""
_NUMERIC = re.compile(r"\b(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\b")
DayOrder = Literal["day", "month", "unclear"]
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


def seconds(raw: str, month_first: bool = False) -> float | None:
    """Read a date as help desks export it.

    Args:
        raw: ISO 8601, Unix seconds or milliseconds, ``26/Aug/25 12:01 PM``, ``26.08.2025 12:01``,
            ``8/26/2025 1:02 PM``, an RFC 2822 date. A date without a zone is taken as UTC; ``3/4/2025`` is the
            3rd of April unless the time is written with AM or PM.
        month_first: Whether ``3/4/2025`` is the 4th of March; see :func:`day_order`.

    Returns:
        Seconds since 1970, or None where no date can be read.
    """
    raw = raw.strip()[:80]
    if not raw:
        return None
    if _NUMBER.fullmatch(raw):
        return _unix(float(raw))
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        day = _day(raw, month_first)
        if day is None:
            return None
        moment = day
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        return None


def _unix(number: float) -> float | None:
    while number > _LATEST:
        number /= 1000
    return number


def day_order(raws: Iterable[str]) -> DayOrder:
    """Tell whether dates with slashes begin with the month: a number above twelve can be none.

    Args:
        raws: Dates that one program wrote.

    Returns:
        ``unclear`` where they have slashes and no day above twelve, ``day`` where nothing hints at the month.
    """
    slashed = False
    for raw in raws:
        written = _NUMERIC.search(raw[:80]) if "/" in raw[:80] else None
        if not written or written[2] != "/" or len(written[1]) == 4:
            continue
        slashed = True
        if int(written[1]) > 12:
            return "day"
        if int(written[3]) > 12 or ((time := _TIME.search(raw)) and time[4]):
            return "month"
    return "unclear" if slashed else "day"


def stamps(raws: Sequence[str]) -> list[float | None]:
    """Read the dates of one conversation, all with the month first where one of them shows it."""
    month_first = day_order(raws) == "month"
    return [seconds(raw, month_first) for raw in raws]


def iso(raw: str, month_first: bool) -> str:
    """Write a date as ISO 8601; one that cannot be read stays as it is."""
    stamp = seconds(raw, month_first)
    return raw if stamp is None else datetime.fromtimestamp(stamp, UTC).isoformat(sep=" ").removesuffix("+00:00")


def _day(raw: str, month_first: bool) -> datetime | None:
    time = _TIME.search(raw)
    american = bool(time and time.group(4))
    parts = _parts(raw, american or month_first)
    if parts is None:
        return None
    year, month, day = parts
    if year < 100:
        year += 2000 if year < 70 else 1900
    hour, minute, second = (int(part or 0) for part in time.groups()[:3]) if time else (0, 0, 0)
    if time and american:
        hour = hour % 12 + (12 if time.group(4)[0] in "Pp" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _parts(raw: str, american: bool) -> tuple[int, int, int] | None:
    if wordy := _WORDY.search(raw):
        month = _month(wordy.group(2))
        return (int(wordy.group(3)), month, int(wordy.group(1))) if month else None
    if wordy := _WORDY_US.search(raw):
        month = _month(wordy.group(1))
        return (int(wordy.group(3)), month, int(wordy.group(2))) if month else None
    if ctime := _CTIME.match(raw):
        month = _month(ctime.group(1))
        return (int(ctime.group(3)), month, int(ctime.group(2))) if month else None
    if numeric := _NUMERIC.search(raw):
        first, middle, last = int(numeric.group(1)), int(numeric.group(3)), int(numeric.group(4))
        if len(numeric.group(1)) == 4:
            return first, middle, last
        month_first = middle > 12 or (american and numeric.group(2) == "/" and first <= 12)
        return (last, first, middle) if month_first else (last, middle, first)
    return None


def _month(word: str) -> int | None:
    word = word.lower()
    return _MONTHS.get(word) or _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])
