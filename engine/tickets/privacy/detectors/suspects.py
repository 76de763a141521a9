"""Suspects names in what is left after masking: a common given name, with the capitalised words after it.

Nothing is masked for that alone: 'Mary' may be a ship. The person sees the list and decides.
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.introductions import NAME_WORD
from engine.tickets.privacy.detectors.name_forms import folded
from engine.tickets.privacy.words import words

_GIVEN = frozenset(map(folded, words("given_names")))
_FOLLOWING = re.compile(rf"(?: (?:(?:de|da|di|van|von|der|la|le) ){{0,2}}{NAME_WORD}){{0,2}}")
_JOINED = re.compile(r"[-@._/\\]")


def may_hold_suspects(forms: Forms) -> bool:
    """Say whether there is a given name among the words at all, before or after masking."""
    return not _GIVEN.isdisjoint(forms.folded_words)


def find_suspects(forms: Forms) -> Iterator[tuple[int, int]]:
    """Yield start and end of what looks like a name.

    Args:
        forms: A message after masking.
    """
    for given in forms.folded_words & _GIVEN:
        for word in (word for word in forms.words if folded(word) == given):
            for start in forms.starts_of((word,)):
                end = start + len(word)
                whole = not forms.text[end : end + 1].isalnum() and forms.text[start].isupper()
                around = forms.text[max(0, start - 1) : start] + forms.text[end : end + 1]
                if whole and not _JOINED.search(around.replace(". ", "").rstrip(".")):
                    following = _FOLLOWING.match(forms.text, end)
                    yield start, following.end() if following else end
