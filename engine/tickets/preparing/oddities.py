"""Signs that a text was never finished, was copied along by a machine, or was made up of random words.

Pure functions over one conversation; what is said about a whole data set, :mod:`.findings` decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

from engine.tickets.preparing.words import entries

_UNFILLED = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}"
    r"|(?<![/$`\w{='\"])\{(?:[a-z]{2,20}(?:_[a-z]{2,20}){1,4}|name|product|order|customer|agent|company|date)\}(?![`/\w}])"
    r"|<(?:(?:your|first|last|full|customer|agent|company|product|order) ?)?(?:name|number|date|email)>"
    r"|\[(?:insert [^\]\n]{1,40}|(?:first|last|customer|agent|company|product) name|order number|your [a-z]{3,12})\]"
    r"|%%[A-Za-z_ ]{3,30}%%",
    re.IGNORECASE,
)
"""Places of a template that nobody filled: {{Order Number}}, {product_purchased}, <name>, [Your Name]."""
_LEFTOVER = re.compile(
    r"<image>|\[image(?:: [^\]\n]{1,60})?\]|\[cid:[^\]\n]{1,80}\]|An HTML attachment was scrubbed[^\n]{0,80}"
    r"|-{10,} next part -{10,}",
    re.IGNORECASE,
)
_MARK = re.compile(r"\s*(?:re|aw|fwd?)?:?\s*\[([^\]\d\n]{2,40})\]", re.IGNORECASE)


def unfilled(texts: Iterable[str]) -> str:
    """Return the first place of a template that nobody filled; empty where there is none."""
    return _first(_UNFILLED, texts, "{<[%")


def leftover(texts: Iterable[str]) -> str:
    """Return the first thing that an export wrote in place of a picture or an attachment; empty where there is none."""
    return _first(_LEFTOVER, texts, "<[-A")


def mark_of(subject: str) -> str:
    """Return the mark that a list or forum put before a subject, such as ``[lamps]``; empty where there is none."""
    found = _MARK.match(subject)
    return f"[{found[1]}]" if found else ""


def prose_pairs(words: Sequence[str]) -> int:
    """Count the pairs of neighbours that are everywhere in English prose."""
    known = _pairs()
    return sum(pair in known for pair in pairwise(words))


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    return frozenset((one, two) for one, two in (entry.split(" ") for entry in entries("english_pairs")))


def _first(pattern: re.Pattern[str], texts: Iterable[str], hints: str) -> str:
    for text in texts:
        if any(hint in text for hint in hints) and (found := pattern.search(text)):
            return found[0]
    return ""
