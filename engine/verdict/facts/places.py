"""Web links, and where one can write, call or come: e-mail, telephone, street."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.tickets.privacy.detectors.emails import find_emails
from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.links import find_links
from engine.tickets.privacy.detectors.postal import find_postal_addresses
from engine.tickets.privacy.detectors.spans import Covered
from engine.tickets.words import alternatives
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.words import entries

_TRAILING = ".,;:!?*_'\"’”»>]"
_TRACKING = re.compile(r"(?:[?&](?:utm_\w+|fbclid|gclid|ref)=[^&#]*)")
_DOMAIN = re.compile(
    r"(?<![\w.@/-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}"
    r"(?:com|org|net|edu|gov|info|shop|store|app|io|co\.uk|uk|de|at|ch|fr|es|it|nl|be|pl|eu|us|ca|au|example)"
    r"(?:/[^\s<>\"']*)?(?![\w@-])",
    re.IGNORECASE,
)
"""A host without 'https://', with an ending that is one."""
_PHONE = re.compile(r"(?<![\w.,/+-])\(?\+?\d(?:(?:[ \u00a0./-]|\) ?| ?\(| - )?\d){6,16}(?!\w)")
_FEWEST_DIGITS = 7
_SAME_END = 8
"""Digits that two ways to write one telephone number have in common at their end, with the country and without."""


def links(text: str) -> Iterator[Fact]:
    """Yield web links: the host and the path, without the scheme, 'www.' and what a sentence puts behind it."""
    spans = [*find_links(text), *(match.span() for match in _DOMAIN.finditer(text))]
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        link = text[start:end].rstrip(_TRAILING)
        while link.endswith(")") and link.count(")") > link.count("("):
            link = link[:-1].rstrip(_TRAILING)
        known = frozenset((f"link:{_levelled(link)}",))
        yield Fact("link", start, start + len(link), known, known)


def _levelled(link: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", link, flags=re.IGNORECASE)
    host, slash, path = bare.partition("/")
    path = _TRACKING.sub("", path).rstrip("/")
    return host.casefold().removeprefix("www.") + (slash + path if path else "")


def mail_addresses(text: str) -> Iterator[Fact]:
    """Yield e-mail addresses."""
    if "@" in text:
        for span in find_emails(Forms(text)):
            known = frozenset((f"mail:{text[span.start : span.end].casefold()}",))
            yield Fact("address", span.start, span.end, known, known)


def phones(text: str) -> Iterator[Fact]:
    """Yield telephone numbers: seven digits or more, in groups or behind a plus."""
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        grouped = len(match[0]) > len(digits)
        if _FEWEST_DIGITS <= len(digits) <= 15 and grouped and not re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", match[0]):
            known = frozenset((f"phone:{digits[-_SAME_END:]}",))
            yield Fact("address", *match.span(), known, known)


@cache
def _street() -> re.Pattern[str]:
    name = r"[A-Z\u00c0-\u00de][\w.'’-]{0,24}"
    kinds = alternatives(tuple(entries("streets")))
    return re.compile(rf"(?<![\w.,:/-])\d{{1,5}}[a-zA-Z]? (?:{name} ){{1,3}}(?i:{kinds})\.?(?!\w)")


def streets(text: str) -> Iterator[Fact]:
    """Yield streets with their house number; the town behind them is not looked at."""
    spans = [match.span() for match in _street().finditer(text)]
    if re.search(r"\d", text):
        spans += [(span.start, span.end) for span in find_postal_addresses(Forms(text), Covered([]))]
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        line = re.split(r"[,\n]", text[start:end], maxsplit=1)[0].rstrip(" .")
        known = frozenset((f"street:{' '.join(line.casefold().split())}",))
        yield Fact("address", start, start + len(line), known, known)
