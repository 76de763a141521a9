"""Headers that are put together: ``Antwort des Supports``, ``customer_query``, ``お客様からの問い合わせ``.

A header is a question's or an answer's only where every part of it is known: a ``problem category`` is neither. The
parts are a table of :mod:`engine.tickets.importing.words`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final, Literal

from engine.tickets.importing.words import groups

_ENDING = 3
"""Letters that a word with a * may have behind its stem."""
_LINKS = ("s", "n", "")
"""What German and its kin put between the two words of one."""
_WHOLE_SCRIPTS = re.compile("[\u1100-\u11ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
"""Hangul, kana and Han: no blanks between words."""
_LONGEST = 40


_LETTERS: Final = str.maketrans({"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "ı": "i"})
"""Letters that Unicode does not take apart."""


def plain(header: str) -> str:
    """Bring a header to the form that guesses are made on: lower case, no accents, words with one space between."""
    decomposed = unicodedata.normalize("NFKD", header.translate(_LETTERS))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", bare)
    return " ".join(re.sub(r"[^\w]+|_", " ", spaced).lower().split())


@cache
def composed_role(name: str) -> Literal["question", "answer", ""]:
    """Tell a header of questions or of answers by its parts.

    Args:
        name: The header as :func:`plain` brings it.
    """
    if not name or len(name) > _LONGEST:
        return ""
    kinds = _kinds_within(name) if _WHOLE_SCRIPTS.search(name) else _kinds(name)
    if "answered" in kinds or {"agent", "said"} <= kinds:
        return "" if "customer" in kinds and "answered" not in kinds else "answer"
    return "question" if "asked" in kinds or {"customer", "said"} <= kinds else ""


@cache
def _stems() -> dict[str, tuple[str, bool]]:
    """Stem -> its kind and whether it may end otherwise; the longest first."""
    found = {
        plain(entry.rstrip("*")): (kind, entry.endswith("*"))
        for kind, entries in groups("header_parts").items()
        for entry in entries
    }
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _kinds(name: str) -> frozenset[str]:
    """Return what the words of a header are; nothing where one of them is unknown."""
    words = [_word(word) for word in name.split()]
    if not all(words) or words[-1] == {"between"}:
        return frozenset()
    kinds = frozenset().union(*words)
    return frozenset() if "nobody's" in kinds else kinds - {"between", "beside"}


@cache
def _word(word: str) -> frozenset[str]:
    known = _stems().get(word)
    if known:
        return frozenset((known[0],))
    for stem, (kind, may_end) in _stems().items():
        rest = word.removeprefix(stem)
        if len(stem) < 4 or rest == word:
            continue
        for link in _LINKS:
            if rest.startswith(link) and len(rest) > _ENDING and (more := _word(rest.removeprefix(link))):
                return more | {kind}
        if may_end and len(rest) <= _ENDING:
            return frozenset((kind,))
    return frozenset()


def _kinds_within(name: str) -> frozenset[str]:
    kinds = frozenset(kind for stem, (kind, _) in _stems().items() if _WHOLE_SCRIPTS.search(stem) and stem in name)
    return frozenset() if "nobody's" in kinds or name.endswith("id") else kinds
