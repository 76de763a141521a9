"""The words that tickets are found by: in lower case, without stop words and placeholders, with all numbers.

Scripts without spaces between words (Thai, Japanese, Chinese; Korean joins its particles to them) are cut into pairs of
characters, the usual way to search them without a dictionary (Manning et al., 2008, Introduction to Information
Retrieval, 2.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from engine.tickets.privacy.words import entries

_WORD = re.compile(r"[^\W_]+")
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_MANY = 0.05
"""A language that this share of the conversations is in gives its stop words."""

_LISTS = {
    "en": "EN_PLUS",
    "de": "GERMAN",
    "nl": "DUTCH",
    "fr": "FRENCH",
    "es": "SPANISH",
    "pt": "PORTUGUESE",
    "it": "ITALIAN",
    "ru": "RUSSIAN",
    "sv": "SWEDISH",
    "no": "NORWEGIAN",
    "nb": "NORWEGIAN",
    "nn": "NORWEGIAN",
    "da": "DANISH",
    "tr": "TURKISH",
}
"""ISO 639 code -> its list in bm25s; those of Chinese and Korean hold words, and these scripts are cut finer."""


def languages_of(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the languages whose stop words count in a data set.

    Args:
        counts: Language code -> conversations in it, as the report has them.
    """
    total = sum(counts.values())
    return tuple(sorted(code for code, count in counts.items() if code in _LISTS and count >= _MANY * total))


@cache
def stop_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the words that say nothing of what a ticket is about, in some languages; greetings in all."""
    from bm25s import stopwords

    lists: list[Iterable[str]] = [entries("greetings")]
    lists += (getattr(stopwords, f"STOPWORDS_{_LISTS[code]}") for code in languages if code in _LISTS)
    return frozenset(piece for words in lists for word in words for piece in _WORD.findall(word.casefold()))


def words_of(texts: Iterable[str], stop: frozenset[str]) -> list[str]:
    """Return the words of texts that tickets are found by, in their order."""
    return [word for text in texts for word in _words(text) if word not in stop]


def _words(text: str) -> Iterable[str]:
    if "[" in text:
        text = _PLACEHOLDER.sub(" ", text)
    found = _WORD.findall(text.casefold())
    if text.isascii() or not _UNSPACED.search(text):
        return found
    return [piece for word in found for piece in _pieces(word)]


def _pieces(word: str) -> Iterator[str]:
    """Cut what is written without spaces into pairs of characters; other letters and digits stay whole."""
    end = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > end:
            yield word[end : run.start()]
        end = run.end()
        characters = run[0]
        yield from (characters[at : at + 2] for at in range(max(1, len(characters) - 1)))
    if end < len(word):
        yield word[end:]
