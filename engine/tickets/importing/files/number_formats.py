"""A number or a date -> the text that a spreadsheet shows for it, after its format code.

Follows ECMA-376, part 1, 18.8.31 (numFmts): sections, percent, thousands, scaling, currency, dates. What it does not
know (fractions, conditions, the system's own short date) is left to the caller, who then writes the bare value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    45: "mm:ss",
    46: "[h]:mm:ss",
    48: "##0.0E+0",
}
"""Format codes by number that files do not spell out (18.8.30); 14 and 22 depend on the system and are left out."""
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)(?:-(?P<locale>[0-9A-Fa-f]+)[^\]]*)?\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|(?P<bracket>\[[^\]]*\])|(?P<meridiem>AM/PM|A/P)|(?P<exponent>E[+-]0+)"
    r"|(?P<number>[0#?][0#?,]*(?:\.[0#?]*)?,*|\.[0#?]+,*)|(?P<percent>%)|(?P<when>y+|m+|d+|h+|s+(?:\.0+)?)"
    r"|(?P<general>General)|(?P<text>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_COLOURS = re.compile(r"\[(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|Color ?\d{1,2})\]", re.IGNORECASE)
_COMMA_LOCALES = frozenset((7, 12, 16, 10, 22, 19, 21, 29, 6, 20, 11, 5, 31, 34, 25, 8, 14, 24, 27, 36, 26))
"""Primary languages (the low ten bits of an LCID) whose decimal separator is a comma: German, French, Italian ..."""
_ENGLISH = 9
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Match = re.Match[str]


def shown(value: float | datetime | date | time | timedelta, code: str) -> str | None:
    """Write a value as its format code says.

    Args:
        value: A number, a moment, or a span of time.
        code: A format code such as ``#,##0.00 "EUR"``.

    Returns:
        The text; None for a code that is not understood, or that does not fit the value.
    """
    if isinstance(value, float | int):
        return _number(float(value), code)
    tokens = _tokens(_sections(code)[0])
    foreign = any(token["locale"] and int(token["locale"], 16) & 0x3FF != _ENGLISH for token in tokens)
    if foreign and any(str(token["when"])[:3].lower() in ("mmm", "ddd") for token in tokens):
        # It shows names of months in a language that is not known here.
        return None
    if not any(token["when"] or token["elapsed"] for token in tokens):
        return None
    return _moment(value, tokens)


def _sections(code: str) -> list[str]:
    pieces, quoted = [""], False
    for index, char in enumerate(code):
        if char == '"' and code[index - 1 : index] != "\\":
            quoted = not quoted
        if char == ";" and not quoted and code[index - 1 : index] != "\\":
            pieces.append("")
        else:
            pieces[-1] += char
    return pieces


def _tokens(section: str) -> list[Match]:
    return list(_TOKEN.finditer(_COLOURS.sub("", section)))


def _number(value: float, code: str) -> str | None:
    sections = _sections(code)
    negative = value < 0
    section = sections[0]
    if negative and len(sections) > 1:
        section, negative = sections[1], False
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    tokens = _tokens(section)
    places = [token for token in tokens if token["number"]]
    if len(places) > 1 or any(token["when"] or token["bracket"] or token["general"] for token in tokens):
        return None
    if not places:
        # A section may be nothing but text, such as "none" for zero.
        return _literals(tokens) if len(sections) > 1 else None
    try:
        digits = _digits(abs(Decimal(repr(value))), places[0]["number"], tokens)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    written = "".join(digits if token is places[0] else _literal(token) for token in tokens if not token["exponent"])
    sign = "-" if negative and any(char in "123456789" for char in digits) else ""
    return f"{sign}{written.strip()}"


def _literals(tokens: Sequence[Match]) -> str:
    return "".join(_literal(token) for token in tokens).strip()


def _literal(token: Match) -> str:
    for name in ("quoted", "escaped", "currency", "percent", "other"):
        if token[name] is not None:
            return str(token[name])
    return ""


def _digits(value: Decimal, pattern: str, tokens: Sequence[Match]) -> str:
    scaled = pattern.rstrip(",")
    value = value.scaleb(2 * sum(token["percent"] is not None for token in tokens) - 3 * (len(pattern) - len(scaled)))
    whole, _, part = scaled.partition(".")
    exponent = next((token["exponent"] for token in tokens if token["exponent"]), "")
    if exponent:
        power = value.adjusted() if value else 0
        mantissa = _fixed(value.scaleb(-power), part, grouped=False, least=1)
        return f"{mantissa}E{'-' if power < 0 else '+'}{abs(power):0{len(exponent) - 2}d}"
    text = _fixed(value, part, grouped="," in whole, least=whole.count("0"))
    locale = next((token["locale"] for token in tokens if token["locale"]), "")
    if locale and int(locale, 16) & 0x3FF in _COMMA_LOCALES:
        return text.translate(str.maketrans(",.", ".,"))
    return text


def _fixed(value: Decimal, part: str, grouped: bool, least: int) -> str:
    """Round half up, as spreadsheets do, and fill up to the digits that must be there."""
    rounded = value.quantize(Decimal(1).scaleb(-len(part)), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    wanted = len(part.rstrip("#?"))
    while len(decimals) > wanted and decimals.endswith("0"):
        decimals = decimals[:-1]
    whole = whole.lstrip("0").rjust(least, "0")
    if grouped and whole:
        whole = f"{int(whole):,}".rjust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _moment(value: datetime | date | time | timedelta, tokens: Sequence[Match]) -> str | None:
    twelve = any(token["meridiem"] for token in tokens)
    written = []
    for index, token in enumerate(tokens):
        if token["elapsed"] or token["when"]:
            piece = _elapsed(value, token["elapsed"]) if token["elapsed"] else _piece(value, tokens, index, twelve)
            if piece is None:
                return None
            written.append(piece)
        elif token["meridiem"]:
            written.append("AM" if getattr(value, "hour", 0) < 12 else "PM")
        elif token["text"] or token["number"] or token["bracket"]:
            continue
        else:
            written.append(_literal(token))
    return "".join(written).strip()


def _elapsed(value: datetime | date | time | timedelta, unit: str) -> str | None:
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if not isinstance(value, timedelta):
        return None
    size = {"h": 3600, "m": 60, "s": 1}[unit[0].lower()]
    return f"{int(value.total_seconds()) // size:0{len(unit)}d}"


def _piece(value: datetime | date | time | timedelta, tokens: Sequence[Match], index: int, twelve: bool) -> str | None:
    """Write one part of a date: ``m`` is a minute behind hours or before seconds, else a month."""
    unit = str(tokens[index]["when"]).lower()
    if isinstance(value, timedelta):
        value = (datetime.min + value).time() if timedelta(0) <= value < timedelta(days=1) else value
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        parts = {"h": seconds // 3600, "m": seconds // 60 % 60, "s": seconds % 60}
        return f"{parts[unit[0]]:0{min(len(unit), 2)}d}" if unit[0] in parts else None
    kind = unit[0]
    if kind == "m" and _is_minute(tokens, index):
        kind = "minute"
    if kind in ("y", "m", "d"):
        return _of_day(value, kind, len(unit)) if isinstance(value, date) else None
    if not isinstance(value, datetime | time):
        return "0" * min(len(unit), 2)
    number = {"h": value.hour, "minute": value.minute, "s": value.second}[kind]
    if kind == "h" and twelve:
        number = number % 12 or 12
    return f"{number:0{min(len(unit.partition('.')[0]), 2)}d}"


def _of_day(value: date, kind: str, length: int) -> str:
    if kind == "y":
        return f"{value.year:04d}" if length > 2 else f"{value.year % 100:02d}"
    names = _MONTHS[value.month - 1] if kind == "m" else _DAYS[value.weekday()]
    number = value.month if kind == "m" else value.day
    if length >= 3:
        return names if length == 4 else names[:1] if length == 5 else names[:3]
    return f"{number:0{length}d}"


def _is_minute(tokens: Sequence[Match], index: int) -> bool:
    def unit(token: Match) -> str:
        return str(token["when"] or token["elapsed"] or "")[:1].lower()

    before = next((found for token in reversed(tokens[:index]) if (found := unit(token))), "")
    after = next((found for token in tokens[index + 1 :] if (found := unit(token))), "")
    return len(str(tokens[index]["when"])) <= 2 and (before == "h" or after == "s")
