"""Finds the people of an export in its texts: full names, parts of names and account names, as words of their own.

Names come from the export's own people fields, never from a guess; accents and capitals may be missing. A part of a
name that is also a common word ('Mark', 'Klein', 'May'), or that is written small, is taken only where a name stands:
after a greeting or a title, or alone on a line. Inflected names (Russian, Polish, Finnish cases), nicknames and people
who are in no field are not found.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.name_forms import (
    MARKED_WORD,
    PARTICLES,
    TITLES,
    WORD,
    folded,
    handles_of,
    in_order,
    names_in_handle,
    spellings,
)
from engine.tickets.privacy.detectors.name_places import is_honoured, is_led_to, stands_as_name
from engine.tickets.privacy.detectors.spans import Covered, Span
from engine.tickets.privacy.words import words

_COMMON, _ROLES, _ALSO_NAMES = words("name_common"), words("name_roles"), words("name_roles_also_names")
_HANDLE = re.compile(r"[A-Za-z][\w.-]{3,40}")
_TOKEN = re.compile(r"\w[\w.-]*\w")
_BRACKETED = re.compile(r"[(\[<{][^)\]>}]{0,80}[)\]>}]")
# Letters of scripts that put no spaces between words.
_NO_SPACES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_GAP = re.compile(r"[ \u00a0'\u2019.-]{1,2}")
_COMMA = re.compile(r"[ \u00a0'\u2019.-]|, ?")
_LONGEST_NAME = 8
"""Words of a name; what is longer is a sentence in the wrong field."""
_INITIAL = 2
"""Letters of the 'r' in 'r.okafor', which as a word says nothing."""
_LONGEST_UNSPACED = 6
"""Characters of a Chinese, Japanese or Korean name whose parts are looked for."""

_Style = Literal["full", "full doubtful", "listed", "part", "first part", "common part"]
"""'Ines Vale'; 'Anna Guest', which may be a role; 'Vale, Ines'; 'Vale'; 'Ines'; 'Mark', which is a word too."""


class _Pattern(NamedTuple):
    """One way in which a person may be written."""

    words: tuple[frozenset[str], ...]
    """The spellings of its words, in order."""
    person: str
    style: _Style


class NameIndex:
    """Every way to write the people of a conversation, looked up by first word.

    Args:
        people: Entries of the people fields: 'Anna Schmidt', 'Schmidt, Anna', 'anna77', 'anna@shop.example'. Addresses
            themselves are the e-mail finder's. Teams, companies and products are left out.
        allowed: Words in lower case that are never masked.
    """

    def __init__(self, people: Iterable[str], allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._patterns: dict[str, list[_Pattern]] = defaultdict(list)
        self._handles: dict[str, str] = {}
        self._unspaced: dict[str, str] = {}
        self._honoured: dict[str, str] = {}
        for entry in people:
            self._add(_BRACKETED.sub(" ", entry).strip(' "'))
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: -len(pattern.words))
        self._first_words = frozenset(self._patterns)
        words_of_handles = (word for handle in self._handles for word in WORD.findall(handle))
        self._handle_words = frozenset(word for word in words_of_handles if len(word) > _INITIAL)

    def find(self, forms: Forms, covered: Covered) -> Iterator[Span]:
        """Yield every mention; identity is the person's entry, so that first name and full name share a placeholder.

        Args:
            forms: The message.
            covered: Links and placeholders, in which no name is looked for.
        """
        if not self._first_words.isdisjoint(forms.folded_words):
            yield from self._spaced(forms, covered)
        if self._unspaced and not forms.text.isascii():
            yield from self._without_spaces(forms.text)
        if not self._handle_words.isdisjoint(forms.words):
            for match in _TOKEN.finditer(forms.text):
                person = self._handles.get(match[0].lower()) or self._handles.get(match[0].lower().rstrip("0123456789"))
                if person and not covered.holds(match.start()):
                    yield Span(match.start(), match.end(), "NAME", person)

    def _without_spaces(self, text: str) -> Iterator[Span]:
        for names, needs_honour in ((self._unspaced, False), (self._honoured, True)):
            for name, person in names.items():
                start = text.find(name)
                while start >= 0:
                    if not needs_honour or is_honoured(text, start + len(name)):
                        yield Span(start, start + len(name), "NAME", person)
                    start = text.find(name, start + len(name))

    def _spaced(self, forms: Forms, covered: Covered) -> Iterator[Span]:
        text = forms.text
        found_words = list((MARKED_WORD if forms.has_marks else WORD).finditer(text))
        keys = [folded(word[0]) for word in found_words]
        position = 0
        while position < len(found_words):
            patterns = self._patterns.get(keys[position])
            name = self._match(text, found_words, keys, position, patterns) if patterns else None
            if name and not covered.holds(found_words[position].start()):
                yield name[0]
                position = name[1]
            else:
                position += 1

    def _match(
        self, text: str, words: list[re.Match[str]], keys: list[str], position: int, patterns: list[_Pattern]
    ) -> tuple[Span, int] | None:
        for way in patterns:
            last = position + len(way.words) - 1
            if last >= len(words) or not self._same_words(text, words, keys, position, way):
                continue
            start, end = words[position].start(), words[last].end()
            if keys[last] not in way.words[-1]:
                end -= 1  # the s of a genitive
            if self._may_stand(text, start, end, way.style):
                return Span(start, end, "NAME", way.person), last + 1
        return None

    @staticmethod
    def _may_stand(text: str, start: int, end: int, style: _Style) -> bool:
        if style in ("full", "full doubtful", "listed"):
            return True
        capitalised = text[start].isupper() or not text[start].islower()
        if style != "common part" and (capitalised or (style == "first part" and is_led_to(text, start))):
            return True
        return stands_as_name(text, start, end)

    @staticmethod
    def _same_words(text: str, words: list[re.Match[str]], keys: list[str], position: int, way: _Pattern) -> bool:
        gap = _COMMA if way.style == "listed" else _GAP
        for offset, wanted in enumerate(way.words):
            key = keys[position + offset]
            is_last = offset == len(way.words) - 1
            if key not in wanted and not (is_last and key[-1:] == "s" and key[:-1] in wanted):
                return False
            before = words[position + offset - 1].end()
            if offset and not gap.fullmatch(text, before, words[position + offset].start()):
                return False
        if way.style == "full doubtful":
            return all(word[0][0].isupper() for word in words[position : position + len(way.words)])
        # 'Dear Ms Weber, Anna will call' holds two names, 'Weber, Anna' in a list is one.
        first, end = words[position], words[position + len(way.words) - 1].end()
        if way.style != "listed":
            return True
        is_handle = text[end : end + 1] == "_" or text[max(0, first.start() - 1) : first.start()] in (".", "_")
        return not is_handle and not stands_as_name(text, first.start(), first.end())

    def _add(self, entry: str) -> None:
        if not entry or entry.lower() in self._allowed:
            return
        person = entry.casefold()
        if "@" in entry:
            self._add_handle_names(entry.partition("@")[0], person)
        elif _HANDLE.fullmatch(entry) and re.search(r"[\d_.]|[a-z][A-Z]", entry):
            self._handles[entry.lower()] = person
            self._add_handle_names(entry, person)
        elif _NO_SPACES.search(entry):
            self._add_unspaced(entry, person)
        else:
            self._add_person(entry, person)

    def _add_person(self, entry: str, person: str) -> None:
        names = in_order(entry)
        parts = [part for name in names for part in MARKED_WORD.findall(name)]
        roles = [part.lower() for part in parts if part.lower() in _ROLES]
        if not parts or (roles and (len(roles) == len(parts) or not _ALSO_NAMES.issuperset(roles))):
            return
        self._add_full(parts, person, "full doubtful" if roles else "full")
        if len(names) > 1 and not roles:
            turned = (*MARKED_WORD.findall(names[-1]), *MARKED_WORD.findall(names[0]))
            self._put(turned, person, "listed")
            self._put(turned, person, "full")
        for number, name in enumerate(names):
            if name.lower() not in roles:
                self._add_part(name, person, names[:number], doubtful=bool(roles))
        for handle in handles_of(names):
            self._handles.setdefault(handle, person)

    def _add_full(self, parts: list[str], person: str, style: _Style) -> None:
        """Add every run of two or more of a person's words that does not end in a particle."""
        for first in range(len(parts) - 1):
            for end in range(first + 2, min(len(parts), _LONGEST_NAME) + 1):
                if parts[end - 1].lower() not in PARTICLES:
                    self._put(tuple(parts[first:end]), person, style)

    def _add_handle_names(self, handle: str, person: str) -> None:
        """Add the names that an account name is made of, each only where a name stands."""
        names = names_in_handle(handle)
        if names and not any(name.lower() in _ROLES for name in names):
            self._add_full(names, person, "full")
            for name in names:
                self._put((name,), person, "common part")

    def _add_part(self, name: str, person: str, before: list[str], *, doubtful: bool) -> None:
        """Add one name of a person: 'Jean-Luc', 'Vries' (also as 'de Vries'), never a particle or a title."""
        parts = tuple(MARKED_WORD.findall(name))
        lowered = name.lower()
        if lowered in PARTICLES or lowered in TITLES or lowered in self._allowed or len("".join(parts)) < 2:
            return
        common = len("".join(parts)) <= 2 or lowered in _COMMON or folded(lowered) in _COMMON
        style: _Style = "common part" if doubtful or common else "part" if before else "first part"
        self._put(parts, person, style)
        particles: list[str] = []
        for earlier in reversed(before):
            if earlier.lower() not in PARTICLES:
                break
            particles.insert(0, earlier)
        if particles:
            self._put((*particles, *parts), person, "part")

    def _add_unspaced(self, entry: str, person: str) -> None:
        parts = entry.split()
        whole = "".join(parts)
        for name in (whole, entry, *parts):
            if len(name) >= 2 and name.lower() not in self._allowed:
                self._unspaced.setdefault(name, person)
        if len(parts) == 1 and 2 <= len(whole) <= _LONGEST_UNSPACED:
            for cut in range(1, len(whole)):
                for part in (whole[:cut], whole[cut:]):
                    if part not in self._unspaced and part not in self._allowed:
                        self._honoured.setdefault(part, person)

    def _put(self, parts: tuple[str, ...], person: str, style: _Style) -> None:
        way = _Pattern(tuple(spellings(part) for part in parts), person, style)
        for key in way.words[0]:
            self._patterns[key].append(way)
            if len(parts) == 1:
                self._patterns[f"{key}s"].append(way)


@lru_cache(maxsize=256)
def name_index(people: frozenset[str], allowed: frozenset[str]) -> NameIndex:
    """Return the index of a set of people, built once for all conversations that share the set."""
    return NameIndex(sorted(people), allowed)
