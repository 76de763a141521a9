"""Which country's way of writing telephone numbers an export is likely to follow.

A guess by counting: international prefixes of numbers, and the endings of addresses. The person confirms it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from phonenumbers import SUPPORTED_REGIONS, region_code_for_country_code

from engine.tickets.importing.files.sources import Source

_LOOKED_AT = 5
"""Streams that are looked into; an archive may have thousands."""
_FEWEST = 3
"""Hints below this number are chance."""
_SHARE = 0.6
"""Share of the hints that must agree."""
_PREFIX = re.compile(rb"(?<![\w+])(?:\+|00)([1-9]\d{0,2})(?=[ ()./-]?\d)")
_ADDRESS = re.compile(rb"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,9}\.([a-z]{2})(?![\w.-])")
"""Bounded, and begun only where a word begins, since a file may be one word of megabytes (RFC 5321, 4.5.3.1)."""
_NOT_COUNTRIES = frozenset(("IO", "AI", "ME", "TV", "CO", "CC", "FM", "LY", "GG", "SH", "IS", "TO"))
"""Endings that companies all over the world use."""

_NAMES = """
AR Argentina; AU Australia; AT Austria; BE Belgium; BR Brazil; BG Bulgaria; CA Canada; CL Chile; CN China; CO
Colombia; HR Croatia; CZ Czechia; DK Denmark; EG Egypt; EE Estonia; FI Finland; FR France; DE Germany; GR
Greece; HK Hong Kong; HU Hungary; IN India; ID Indonesia; IE Ireland; IL Israel; IT Italy; JP Japan; LV Latvia;
LT Lithuania; LU Luxembourg; MY Malaysia; MX Mexico; NL Netherlands; NZ New Zealand; NG Nigeria; NO Norway; PK
Pakistan; PE Peru; PH Philippines; PL Poland; PT Portugal; RO Romania; RU Russia; SA Saudi Arabia; RS Serbia; SG
Singapore; SK Slovakia; SI Slovenia; ZA South Africa; KR South Korea; ES Spain; SE Sweden; CH Switzerland; TW
Taiwan; TH Thailand; TR Turkey; UA Ukraine; AE United Arab Emirates; GB United Kingdom; US United States; VN
Vietnam
"""
COUNTRIES: dict[str, str] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.replace("\n", " ").split(";"))
}
"""Two-letter code -> name, of the countries to choose from; other codes can be typed."""


def guess_country(sources: Sequence[Source]) -> tuple[str, str]:
    """Return a two-letter country and by what it was told; both empty when nothing tells."""
    hints: Counter[str] = Counter()
    prefixes: Counter[str] = Counter()
    for source in sources[:_LOOKED_AT]:
        if source.workbook or source.columnar:
            continue
        head = source.head().replace(b"\x00", b"")
        for match in _PREFIX.finditer(head):
            if region := _region(match[1].decode()):
                hints[region] += 1
                prefixes[region] += 1
        for match in _ADDRESS.finditer(head.lower()):
            region = {"UK": "GB"}.get(match[1].decode().upper(), match[1].decode().upper())
            if region in SUPPORTED_REGIONS and region not in _NOT_COUNTRIES:
                hints[region] += 1
    if not hints:
        return "", ""
    (region, times), total = hints.most_common(1)[0], sum(hints.values())
    if times < _FEWEST or times < total * _SHARE:
        return "", ""
    numbers, addresses = prefixes[region], times - prefixes[region]
    told = [f"{numbers} numbers with its prefix"] * bool(numbers) + [f"{addresses} addresses"] * bool(addresses)
    return region, " and ".join(told)


def _region(digits: str) -> str:
    """Return the country of the longest prefix that is one."""
    for length in (3, 2, 1):
        if len(digits) >= length:
            region = region_code_for_country_code(int(digits[:length]))
            if region in SUPPORTED_REGIONS:
                return str(region)
    return ""
