"""Names within sentences: words with a capital, and codes such as 'X-200' or 'WrenPro'.

A name is known when each of its words is, however it is written. In languages that write every noun with a capital
only codes are names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby

from engine.tickets.languages import language_of
from engine.tickets.words import TABLES
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.words import words

WORD = re.compile(r"[^\W\d_][\w]*(?:[-'’][\w]+)*")
_BREAK = re.compile(r"[.!?:;\n•*#>&|(\"“„»«\[]|[-–—] |\) ")
"""What begins a sentence, an item or a heading: the capital after it says nothing."""
_MIXED = re.compile(r"[^\W\d_]*[a-zß-ÿ][A-Z]|[^\W_]*\d|[^\W\d_]+-\d")
_HEADING = 0.6
"""A line of which this share of the words has a capital is a heading."""


def word_readings(word: str) -> frozenset[str]:
    """Return the forms in which a word may be known: as it is, without a genitive or plural s, its parts."""
    small = word.casefold().replace("’", "'")
    bare = small.removesuffix("'s").removesuffix("'")
    return frozenset(f"word:{form}" for form in (small, bare, bare.removesuffix("s"), f"{bare}s"))


def names(text: str) -> Iterator[Fact]:
    """Yield names, each a run of words; every word of it is a fact of its own, as it is known by itself."""
    nouns = language_of(text) in words("noun_languages")
    for line in re.finditer(r"[^\n]+", text):
        found = [match for match in WORD.finditer(line[0]) if match[0][0].isalpha()]
        big = [match for match in found if match[0][0].isupper()]
        heading = len(found) > 2 and line[0].rstrip()[-1:] not in ".!?," and len(big) >= _HEADING * len(found)
        for match in found:
            if _is_name(line[0], match, nouns or heading):
                known = word_readings(match[0])
                yield Fact("name", line.start() + match.start(), line.start() + match.end(), known, known)


@cache
def _common() -> frozenset[str]:
    return words("common_names") | {month for months in TABLES.groups("months").values() for month in months}


def _is_name(line: str, match: re.Match[str], codes_only: bool) -> bool:
    word = match[0]
    if word.casefold().replace("’", "'").removesuffix("'s") in _common():
        return False
    if _MIXED.match(word) and not word.isupper():
        return True
    if codes_only or not word[0].isupper() or (word.isupper() and len(word) > 1) or len(word) < 3:
        return any(character.isdigit() for character in word) and word[0].isupper()
    before = line[: match.start()].rstrip(" '‘’_")
    return bool(before) and not _BREAK.match(before[-1]) and not re.search(r"[-–—]$", before)


def words_in(text: str) -> Iterator[str]:
    """Yield the words of a text as they are known: in small letters, each without an apostrophe's ending too."""
    for match in WORD.finditer(text):
        small = match[0].casefold().replace("’", "'")
        yield f"word:{small}"
        if "'" in small or "-" in small:
            yield from (f"word:{part}" for part in re.split(r"['-]", small) if part)


def joined(facts: list[Fact], text: str) -> list[Fact]:
    """Join names that stand next to one another, so that 'Kestrel Express' is marked as one."""
    made: list[Fact] = []
    for is_name, run in groupby(facts, key=lambda fact: fact.kind == "name"):
        for fact in run:
            if is_name and made and made[-1].kind == "name" and text[made[-1].end : fact.start] in (" ", "-", "\u00a0"):
                last = made.pop()
                fact = Fact("name", last.start, fact.end, last.readings | fact.readings, last.teaches | fact.teaches)
            made.append(fact)
    return made
