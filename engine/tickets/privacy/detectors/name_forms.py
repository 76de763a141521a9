"""The ways in which one name is written: without accents, 'ue' for 'ü', as a handle, turned round, in parts."""

import re
import unicodedata
from functools import lru_cache

from engine.tickets.privacy.words import words

PARTICLES, TITLES = words("name_particles"), words("name_titles")
WORD = re.compile(r"[^\W\d_]+")
MARKED_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
"""The same with accents of their own, as decomposed Unicode writes them."""
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_BARE = str.maketrans(
    {"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_TWO_LETTERS = re.compile("ae|oe|ue|aa")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SHORTEST_HANDLE = 5
_SHORTEST_PART = 3


@lru_cache(maxsize=65_536)
def folded(word: str) -> str:
    """Return a word in small letters without accents: 'Łukasz' -> 'lukasz', 'Zoë' -> 'zoe'."""
    lowered = word.lower()
    if lowered.isascii():
        return lowered
    plain = unicodedata.normalize("NFKD", lowered.translate(_BARE))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@lru_cache(maxsize=65_536)
def spellings(word: str) -> frozenset[str]:
    """Return the folded forms of a word of a name: 'Müller' -> 'muller', 'mueller'; 'Mueller' -> both, too."""
    lowered = unicodedata.normalize("NFC", word.lower())
    forms = {folded(lowered), folded(lowered.translate(_SPELT))}
    if _TWO_LETTERS.search(lowered):
        forms.add(_TWO_LETTERS.sub(lambda match: match[0][0], folded(lowered)))
    return frozenset(forms)


def in_order(entry: str) -> list[str]:
    """Return a person's names, first name first; 'Schmidt, Anna' is turned round, titles are dropped."""
    last, comma, first = entry.partition(",")
    turned = f"{first} {last}" if comma and first.strip() else entry
    names = [name.strip(".,;:'\"") for name in turned.split()]
    return [name for name in names if WORD.search(name) and name.lower() not in TITLES]


def handles_of(names: list[str]) -> frozenset[str]:
    """Return the account names that a first and a last name make: r.okafor, rita_okafor, ritaokafor, rokafor."""
    parts = [folded("".join(WORD.findall(name))) for name in names if name.lower() not in PARTICLES]
    if len(parts) < 2 or not (parts[0].isascii() and parts[-1].isascii()):
        return frozenset()
    first, last = parts[0], parts[-1]
    pairs = ((first, last), (last, first), (first[0], last), (first, last[0]))
    joined = {f"{left}{sign}{right}" for left, right in pairs for sign in "._-"}
    glued = {first + last, last + first, first[0] + last}
    return frozenset(handle for handle in joined | glued if len(handle) >= _SHORTEST_HANDLE)


def names_in_handle(handle: str) -> list[str]:
    """Return the names that an account name or a mailbox is made of: 'anna.schmidt77' -> ['anna', 'schmidt']."""
    parts = [part for piece in re.split(r"[\W\d_]+", handle) for part in (_CAMEL.findall(piece) or [piece])]
    return parts if 1 <= len(parts) <= 3 and all(len(part) >= _SHORTEST_PART for part in parts) else []
