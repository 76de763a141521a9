"""Finds the words that say what follows: 'Date of birth:', 'Steuer-ID', 'ユーザー名'.

A label is looked for only where its first word is among the words of the text, so that a message without labels costs
one comparison of sets, whatever the number of languages.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.words import entries, pattern

_TABLES = (
    *("id_labels", "birth_labels", "user_labels", "credential_labels", "address_labels", "number_labels"),
    *("introductions", "introductions_followed", "greetings"),
)
_FIRST_WORD = re.compile(r"[^\W\d_]+")
# Letters of scripts that put no spaces between words.
UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_NUMBER = rf"(?:[ \t\u00a0-]{{0,2}}(?:{pattern('number_words')})(?![^\W_])\.?)"
# 'on' is Finnish for 'is' after 'käyttäjätunnukseni' and 'henkilötunnus', and English for something else.
_VERB = rf"(?:{pattern('is_words')})(?![^\W_])|(?<=i\s)on(?![^\W_])|(?<=us\s)on(?![^\W_])|[はが是为為]|[은는이가](?=\s)"
_IS = rf"(?:[\s\u00a0]{{0,2}}(?:[:=\uff1a]|->|\u2192|{_VERB}))"
_CONNECTOR = re.compile(
    rf"(?:[ \t]{{0,2}}\([^()\n]{{1,24}}\))?[*_`]{{0,3}}{_NUMBER}{{0,2}}[#\u2116.]?[*_`]{{0,3}}"
    rf"(?P<is>{_IS}{{0,3}})[*_`]{{0,3}}"
    rf"(?P<article>(?:[\s\u00a0]{{1,2}}(?:{pattern('date_words')})(?![^\W_])){{0,2}})"
    "[\\s\u00a0]{0,3}[*_`\"'(<\u201c\u201e\u00ab\u300c#]{0,3}",
    re.IGNORECASE,
)
_COLON = re.compile("[:=\uff1a]|->|\u2192")


class Label:
    """One label in a text, and where what it announces begins."""

    __slots__ = ("article", "end", "has_article", "has_colon", "has_verb", "is_weak", "start", "value")

    def __init__(self, start: int, end: int, connector: re.Match[str]) -> None:
        self.start = start
        self.end = end
        """Where the label's own words end."""
        self.value = connector.end()
        """Where the value begins: after 'number', 'is' and the colon."""
        self.has_colon = _COLON.search(connector["is"]) is not None
        self.is_weak = False
        """Whether it means more than its table says, and no colon settles it: 'my login is'."""
        said = connector["article"]
        self.article = connector.start("article") + len(said) - len(said.lstrip()) if said else self.value
        """Where the value begins if its article belongs to it: 'Adresse: Am Hang 5'."""
        self.has_article = bool(connector["article"])
        self.has_verb = bool(connector["is"].strip())


class Labels:
    """The labels of one table.

    Args:
        table: Name of a table of :mod:`engine.tickets.privacy.words`. An entry that ends in a colon counts only
            with one.
    """

    def __init__(self, table: str) -> None:
        by_first: dict[str, list[str]] = defaultdict(list)
        unspaced: list[str] = []
        self._with_colon = frozenset(entry.rstrip(":") for entry in entries(table) if entry.endswith(":"))
        for entry in entries(table):
            phrase = entry.rstrip(":").lower()
            first = _FIRST_WORD.search(phrase)
            if UNSPACED.search(phrase) or first is None:
                unspaced.append(phrase)
            else:
                by_first[first[0]].append(phrase)
        self._patterns = {first: _alternatives(phrases) for first, phrases in by_first.items()}
        self._firsts = frozenset(self._patterns)
        self._seconds = {first: _second_words(phrases) for first, phrases in by_first.items()}
        """For each first word the words of which one must be there too; empty where the first may stand alone."""
        self._unspaced = _alternatives(unspaced) if unspaced else None

    def find(self, forms: Forms) -> Iterator[Label]:
        """Yield the labels of a text that leave no doubt; several may overlap."""
        return (label for label in self.find_all(forms) if not label.is_weak)

    def find_all(self, forms: Forms) -> Iterator[Label]:
        """Yield the weak ones too."""
        if forms.label_words is None:
            forms.label_words = _all_firsts() & forms.words
        for first in self._firsts & forms.label_words:
            seconds = self._seconds[first]
            if seconds and seconds.isdisjoint(forms.words):
                continue
            alternatives = self._patterns[first]
            for start in forms.starts_of((first,)):
                match = alternatives.match(forms.lowered, start)
                if match:
                    yield from self._label(forms.lowered, match)
        if self._unspaced and not forms.text.isascii() and UNSPACED.search(forms.text):
            for match in self._unspaced.finditer(forms.lowered):
                yield from self._label(forms.lowered, match)

    def _label(self, lowered: str, match: re.Match[str]) -> Iterator[Label]:
        connector = _CONNECTOR.match(lowered, match.end())
        if connector is None:
            return
        label = Label(match.start(), match.end(), connector)
        label.is_weak = not label.has_colon and re.sub(r"\s+", " ", match[0]) in self._with_colon
        yield label


@cache
def _all_firsts() -> frozenset[str]:
    """Return the first words of all tables: compared with a message once, they leave a handful for each table."""
    return frozenset(first for table in _TABLES for first in labels(table)._firsts)


@cache
def labels(table: str) -> Labels:
    """Return the labels of one table, built once; it must be one of :data:`_TABLES`."""
    if table not in _TABLES:
        raise KeyError(table)
    return Labels(table)


def _second_words(phrases: list[str]) -> frozenset[str]:
    """Return the second words of phrases; nothing when one of them has no other."""
    following = [_FIRST_WORD.findall(phrase)[1:2] for phrase in phrases]
    return frozenset(word[0] for word in following if word) if all(following) else frozenset()


def _alternatives(phrases: list[str]) -> re.Pattern[str]:
    """Return a pattern for phrases in lower case, the longest first; their spaces match any space or hyphen."""
    ordered = sorted(set(phrases), key=len, reverse=True)
    written = [r"[ \t\u00a0_-]{1,2}".join(re.escape(word) for word in phrase.split(" ")) for phrase in ordered]
    end = "" if any(map(UNSPACED.search, phrases)) else r"(?![^\W_])"
    return re.compile(f"(?:{'|'.join(written)}){end}")
