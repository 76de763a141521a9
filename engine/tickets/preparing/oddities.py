"""Signs that a text was never finished, was copied along by a machine, or was made up of random words.

Pure functions over one conversation; what is said about a whole data set, :mod:`.findings` decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

from engine.tickets.preparing.words import entries

_OWNERS = "first|last|full|customer|client|contact|agent|company|product|order|ticket"
_UNFILLED = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}"
    r"|(?<![/$`\w{='\"])\{(?:[a-z]{2,20}(?:_[a-z]{2,20}){1,4}|name|product|order|customer|agent|company|date"
    r"|vorname|nachname|kundenname|bestellnummer|nombre|apellidos?|pr[ée]nom|nome|naam|voornaam)\}(?![`/\w}])"
    rf"|\{{(?:{_OWNERS}) [a-z]{{2,20}}(?: [a-z]{{2,20}}){{0,2}}\}}|\{{!\$?[A-Z]\w{{1,30}}\.\w{{1,40}}\}}"
    rf"|\{{\$(?:{_OWNERS})\w{{0,30}}\}}|\$\{{(?:{_OWNERS}|user)\.\w{{1,30}}\}}"
    rf"|(?<!\w)<(?:(?:your|{_OWNERS}) ?)?(?:name|number|date|email)>(?![.\w])|<insert [^>\n]{{1,40}}>"
    rf"|(?<![\w\])])\[(?:insert [^\]\n]{{1,40}}|(?:(?:{_OWNERS})[ _]?)?name|vorname|nombre|prénom|order[ _]number"
    r"|your [a-z]{3,12})\](?!\()"
    rf"|%%[A-Z_ ]{{3,30}}%%|%(?:{_OWNERS})_?[A-Z]{{2,20}}%|\*\|[A-Z_:]{{2,30}}\|\*",
    re.IGNORECASE,
)
"""Places of a template that nobody filled: {{Order Number}}, {product_purchased}, <name>, [Your Name], *|FNAME|*."""
_CODE = re.compile(r"```.{0,20000}?```|`[^`\n]{1,200}`", re.DOTALL)
_LEFTOVER = re.compile(
    r"<image>|\[(?:inline )?image(?:\d{0,4}\.\w{3,4})?(?:: [^\]\n]{1,60})?\]|\[cid:[^\]\n]{1,80}\]"
    r"|An? (?:HTML|non-text) attachment was scrubbed[^\n]{0,80}|-{10,} next part -{10,}|<(?:attached: [^>\n]{1,80}"
    r"|Media omitted)>|^[ \t]*<(?:video|audio)>[ \t]*$|\ufffc",
    re.IGNORECASE | re.MULTILINE,
)
_MARK = re.compile(r"\s*(?:(?:re|aw|wg|sv|tr|rv|fwd?)\s{0,2}:\s{0,3}){0,5}\[([^\]\d\n]{2,40})\]", re.IGNORECASE)


def unfilled(texts: Iterable[str]) -> str:
    """Return the first place of a template that nobody filled, outside of code; empty where there is none."""
    return _first(_UNFILLED, (_CODE.sub("", text) if "`" in text else text for text in texts), "{<[%*")


def leftover(texts: Iterable[str]) -> str:
    """Return the first thing that an export wrote in place of a picture or an attachment; empty where there is none."""
    return _first(_LEFTOVER, texts, "<[-A\ufffc")


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
