"""In what an answer differs from another one, word by word."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from markupsafe import Markup

from ui.parts import join

_WORD = re.compile(r"\s+|[\w'’]+|[^\w\s]")
MOST_WORDS = 3000
"""Longer answers are shown without marks: comparing takes time in the square of their length."""


def marked(text: str, other: str) -> Markup:
    """Return a text with the words marked that the other one does not have in this place.

    Args:
        text: What is shown.
        other: What it is compared with; nothing is marked where it is empty.
    """
    pieces, at = [], 0
    for start, end in changed(text, other):
        pieces.append(Markup("{}<mark>{}</mark>").format(text[at:start], text[start:end]))
        at = end
    return join([*pieces, Markup("{}").format(text[at:])])


def changed(text: str, other: str) -> Iterator[tuple[int, int]]:
    """Yield where the stretches of a text begin and end that the other one does not have in this place."""
    words, others = _WORD.findall(text), _WORD.findall(other)
    if not others or max(len(words), len(others)) > MOST_WORDS:
        return
    places = [0]
    for word in words:
        places.append(places[-1] + len(word))
    matcher = SequenceMatcher(None, [word.casefold() for word in others], [word.casefold() for word in words], False)
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind != "equal" and text[places[first] : places[last]].strip():
            yield places[first], places[last]
