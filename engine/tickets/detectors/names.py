"""Finds the people of an export in its texts: full names, first names and last names, as words of their own.

Names come from the export's own people fields, never from a guess. A part of a name that is also a common word ('Mark',
'Klein', 'May') is taken only where a name stands: after a greeting or a title, or alone on a line. Inflected names
(Russian, Polish, Finnish cases), nicknames and people who are in no field are not found.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from engine.tickets.detectors.forms import Forms
from engine.tickets.detectors.spans import Covered, Span
from engine.tickets.words import pattern, words

_COMMON, _PARTICLES = words("name_common"), words("name_particles")
_ROLES, _TITLES = words("name_roles"), words("name_titles")
_WORD = re.compile(r"[^\W\d_]+")
_HANDLE = re.compile(r"[A-Za-z][\w.-]{3,40}")
_TOKEN = re.compile(r"\w[\w.-]*\w")
_BRACKETED = re.compile(r"[(\[<{][^)\]>}]{0,80}[)\]>}]")
# Letters of scripts that put no spaces between words.
_NO_SPACES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_GAP = re.compile(r"[ \u00a0'\u2019.-]{1,2}")
_COMMA = re.compile(r"[ \u00a0'\u2019.-]|, ?")
_BEFORE = re.compile(rf"(?<![^\W_])(?:{pattern('name_before')})[.,!:]?[ \t\n]{{1,3}}$", re.IGNORECASE)
_CONTEXT = 30
_FEW = 50
"""Names up to which looking for each of them is faster than looking at every word of a text."""
_LONGEST_NAME = 8
"""Words of a name; what is longer is a sentence in the wrong field."""


_Style = Literal["full", "listed", "part", "common part"]
"""'Ines Vale'; 'Vale, Ines'; 'Vale'; 'Mark', which is a word too."""


class _Pattern(NamedTuple):
    """One way in which a person may be written: its words in order."""

    words: tuple[str, ...]
    person: str
    style: _Style


class NameIndex:
    """Every way to write the people of a conversation, looked up by first word.

    Args:
        people: Entries of the people fields: 'Anna Schmidt', 'Schmidt, Anna', 'anna77'. Addresses are left out, the
            e-mail finder has them. Teams, companies and products are left out.
        allowed: Words in lower case that are never masked.
    """

    def __init__(self, people: Iterable[str], allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._patterns: dict[str, list[_Pattern]] = defaultdict(list)
        self._handles: dict[str, str] = {}
        self._unspaced: dict[str, str] = {}
        for entry in people:
            self._add(_BRACKETED.sub(" ", entry).strip(' "'))
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: -len(pattern.words))
        self._lowered_firsts = frozenset(word.lower() for word in self._patterns)

    def find(self, forms: Forms, covered: Covered) -> Iterator[Span]:
        """Yield every mention; identity is the person's entry, so that first name and full name share a placeholder.

        Args:
            forms: The message.
            covered: Links and placeholders, in which no name is looked for.
        """
        text = forms.text
        if not self._lowered_firsts.isdisjoint(forms.words):
            yield from self._spaced(text, covered)
        for name, person in self._unspaced.items():
            start = text.find(name)
            while start >= 0:
                yield Span(start, start + len(name), "NAME", person)
                start = text.find(name, start + len(name))
        if self._handles and (len(self._handles) > _FEW or any(handle in text for handle in self._handles)):
            for match in _TOKEN.finditer(text):
                handle = self._handles.get(match[0])
                if handle and not covered.holds(match.start()):
                    yield Span(match.start(), match.end(), "NAME", handle)

    def _spaced(self, text: str, covered: Covered) -> Iterator[Span]:
        words = list(_WORD.finditer(text))
        position = 0
        while position < len(words):
            patterns = self._patterns.get(words[position][0])
            found = self._match(text, words, position, patterns) if patterns else None
            if found and not covered.holds(words[position].start()):
                yield found[0]
                position = found[1]
            else:
                position += 1

    def _match(
        self, text: str, words: list[re.Match[str]], position: int, patterns: list[_Pattern]
    ) -> tuple[Span, int] | None:
        for way in patterns:
            last = position + len(way.words) - 1
            if last >= len(words) or not self._same_words(text, words, position, way):
                continue
            start, end = words[position].start(), words[last].end()
            if text[end - 1 : end] == "s" and way.words[-1] + "s" == words[last][0]:
                end -= 1
            if way.style != "common part" or _stands_as_name(text, start, end):
                return Span(start, end, "NAME", way.person), last + 1
        return None

    @staticmethod
    def _same_words(text: str, words: list[re.Match[str]], position: int, pattern: _Pattern) -> bool:
        gap = _COMMA if pattern.style == "listed" else _GAP
        any_case = pattern.style in ("full", "listed")
        for offset, wanted in enumerate(pattern.words):
            word = words[position + offset]
            same = word[0] == wanted or (any_case and word[0].lower() == wanted.lower())
            if not same and not (offset == len(pattern.words) - 1 and word[0] == wanted + "s"):
                return False
            if offset and not gap.fullmatch(text, words[position + offset - 1].end(), word.start()):
                return False
        # 'Dear Ms Weber, Anna will call' holds two names, 'Weber, Anna' in a list is one.
        first = words[position]
        return pattern.style != "listed" or not _stands_as_name(text, first.start(), first.end())

    def _add(self, entry: str) -> None:
        if not entry or "@" in entry or entry.lower() in self._allowed:
            return
        person = entry.casefold()
        if _HANDLE.fullmatch(entry) and re.search(r"[\d_]", entry):
            self._handles[entry] = person
            return
        if _NO_SPACES.search(entry):
            self._add_unspaced(entry, person)
            return
        names = _in_order(entry)
        parts = [part for name in names for part in _WORD.findall(name)]
        if not parts or any(part.lower() in _ROLES for part in parts):
            return
        for first in range(len(parts) - 1):
            for end in range(first + 2, min(len(parts), _LONGEST_NAME) + 1):
                if parts[end - 1].lower() not in _PARTICLES:
                    self._put(tuple(parts[first:end]), person, "full")
        if len(names) > 1:
            self._put((*_WORD.findall(names[-1]), *_WORD.findall(names[0])), person, "listed")
            self._put((*_WORD.findall(names[-1]), *_WORD.findall(names[0])), person, "full")
        for number, name in enumerate(names):
            self._add_part(name, person, names[:number])

    def _add_part(self, name: str, person: str, before: list[str]) -> None:
        """Add one name of a person: 'Jean-Luc', 'Vries' (also as 'de Vries'), never a particle or a title."""
        words = tuple(_WORD.findall(name))
        lowered = name.lower()
        if lowered in _PARTICLES or lowered in _TITLES or lowered in self._allowed or len("".join(words)) < 2:
            return
        ambiguous = len("".join(words)) <= 2 or lowered in _COMMON
        for form in {_capitalised(words), words, tuple(word.upper() for word in words)}:
            if form[0][0].isupper() or not form[0][0].islower():
                self._put(form, person, "common part" if ambiguous else "part")
        particles: list[str] = []
        for earlier in reversed(before):
            if earlier.lower() not in _PARTICLES:
                break
            particles.insert(0, earlier)
        if particles:
            self._put((*particles, *words), person, "part")

    def _add_unspaced(self, entry: str, person: str) -> None:
        parts = entry.split()
        for name in ("".join(parts), entry, *parts):
            if len(name) >= 2 and name.lower() not in self._allowed:
                self._unspaced.setdefault(name, person)

    def _put(self, words: tuple[str, ...], person: str, style: _Style) -> None:
        pattern = _Pattern(words, person, style)
        first = words[0]
        keys = {first}
        if style in ("full", "listed"):
            keys |= {first.lower(), first.upper(), first.capitalize()}
        elif len(words) == 1:
            keys.add(f"{first}s")
        for key in keys:
            self._patterns[key].append(pattern)


@lru_cache(maxsize=256)
def name_index(people: frozenset[str], allowed: frozenset[str]) -> NameIndex:
    """Return the index of a set of people, built once for all conversations that share the set."""
    return NameIndex(sorted(people), allowed)


def _in_order(entry: str) -> list[str]:
    """Return a person's names, first name first; 'Schmidt, Anna' is turned round, titles are dropped."""
    last, comma, first = entry.partition(",")
    turned = f"{first} {last}" if comma and first.strip() else entry
    names = [name.strip(".,;:'\"") for name in turned.split()]
    return [name for name in names if _WORD.search(name) and name.lower() not in _TITLES]


def _capitalised(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word if word[:1].isupper() and not word.isupper() else word.capitalize() for word in words)


def _stands_as_name(text: str, start: int, end: int) -> bool:
    """Say whether a word stands where names stand: after a greeting or a title, or alone on its line."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    if len(line) <= end - start + 4 and line.strip(" ,.!-\u2013~/*_") == text[start:end]:
        return True
    return _BEFORE.search(text[max(0, start - _CONTEXT) : start]) is not None
