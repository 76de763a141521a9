"""Finds PINs and one-time codes: digits that the words around call so.

A code without a name ('the code you sent is 482913') is one where somebody sent or received it, and where the word
before makes it nothing else ('error code').
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.number_context import is_order_number
from engine.tickets.privacy.detectors.passwords import IS, OF, OPEN_QUOTE
from engine.tickets.privacy.detectors.spans import Span
from engine.tickets.privacy.words import pattern, words

_PIN = re.compile(
    rf"(?<![^\W_])(?:{pattern('pin_words')})(?![^\W_]){OF}\s{{0,2}}(?:[:=#\uff1a]|(?:{IS})\s{{0,2}}[:\uff1a]?|(?=\d))"
    rf"\s{{0,2}}[{OPEN_QUOTE}]?(?P<pin>\d[\d -]{{1,8}}\d)(?![\w.,]\d)",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"(?P<code>[^\W\d_]{3,6})(?![^\W_])(?:[^.!?\n\d]{0,48})"
    r"(?P<pin>(?<![\w-])\d(?:[ -]?\d){3,7})(?![\w-]|[.,]\d)",
    re.IGNORECASE,
)
_KIND = re.compile(r"([^\W\d_]{1,16})[ -]$")
_BEFORE = 40
"""Characters before 'code' in which 'sent' or 'received' may stand."""
_WORDS = re.compile(r"[^\W\d_]+")

_FIRST_WORDS = words("pin_first_words")
_CODE_WORDS = frozenset(("code", "codes", "código", "codice", "kod", "код"))
_OTHER_KINDS = words("code_kinds")
_SOURCES = words("code_sources")


def find_codes(forms: Forms) -> Iterator[Span]:
    """Yield PINs, one-time codes and card security codes; identity is the code as written.

    Args:
        forms: The message; it holds digits.
    """
    lowered = forms.lowered
    named = set()
    for match in _matches(_PIN, forms, _FIRST_WORDS):
        named.add(match.start("pin"))
        yield Span(match.start("pin"), match.end("pin"), "PASSWORD", match["pin"])
    for match in _matches(_SENT, forms, _CODE_WORDS):
        start = match.start("pin")
        before = lowered[max(0, match.start() - _BEFORE) : match.start()]
        kind, around = _KIND.search(before), before + lowered[match.start() : start]
        is_sent = not _SOURCES.isdisjoint(_WORDS.findall(around))
        after = match.end("code")
        is_other = (kind is not None and kind[1] in _OTHER_KINDS) or is_order_number(
            lowered[after:start], start - after
        )
        if start not in named and is_sent and not is_other:
            yield Span(start, match.end("pin"), "PASSWORD", match["pin"])


def _matches(pattern_of_code: re.Pattern[str], forms: Forms, first_words: frozenset[str]) -> Iterator[re.Match[str]]:
    """Yield where a pattern matches, looking only where one of its first words stands."""
    position = 0
    for start in forms.starts_of(first_words & forms.words):
        match = pattern_of_code.match(forms.lowered, start) if start >= position else None
        if match:
            position = match.end()
            yield match
