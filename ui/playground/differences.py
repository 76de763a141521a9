"""In what an answer differs from another one, word by word."""

import re
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
    words, others = _WORD.findall(text), _WORD.findall(other)
    if not others or max(len(words), len(others)) > MOST_WORDS:
        return Markup("{}").format(text)
    pieces = []
    matcher = SequenceMatcher(None, [word.casefold() for word in others], [word.casefold() for word in words], False)
    for kind, _, _, first, last in matcher.get_opcodes():
        piece = "".join(words[first:last])
        if piece:
            same = kind == "equal" or not piece.strip()
            pieces.append(Markup("{}" if same else "<mark>{}</mark>").format(piece))
    return join(pieces)
