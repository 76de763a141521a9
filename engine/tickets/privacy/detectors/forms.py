"""One text in the forms that finders look at: as written, in lower case, with half-width digits, as a set of words.

Every form is as long as the text, so that a place in one is the same place in all of them.
"""

import re
from collections.abc import Iterable

from engine.tickets.privacy.detectors.name_forms import MARKED_WORD, folded

_MARKS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W\d_]+")
_ONLY_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_DIGIT = re.compile(r"\d")
_FULL_WIDTH = re.compile("[\u2010-\u2015\u2212\u3000\uff01-\uff5e]")
_HALF: dict[int, int | str] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: " ",
    **dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-"),
}


class Forms:
    """A text and what is computed from it once for all finders.

    Args:
        text: The message.
    """

    __slots__ = ("digits", "folded_words", "has_marks", "label_words", "lowered", "plain", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.label_words: frozenset[str] | None = None
        """Those of its words that may begin a label; set by :mod:`engine.tickets.privacy.detectors.labels`."""
        self.lowered = lowered(text)
        """The text in lower case; a letter whose small form is two characters stays as it is."""
        self.plain = text
        """The text with half-width digits, letters and hyphens, as number formats know them."""
        self.digits = len(_DIGIT.findall(text))
        """How many digits it has."""
        self.has_marks = False
        """Whether accents stand as characters of their own (decomposed Unicode)."""
        if text.isascii():  # a third of the pattern's time, and most messages are
            self.words = self.folded_words = frozenset(self.lowered.translate(_ONLY_LETTERS).split())
            return
        self.words = frozenset(_WORD.findall(self.lowered))
        """Its words in lower case."""
        self.has_marks = _MARKS.search(text) is not None
        self.folded_words = frozenset(map(folded, MARKED_WORD.findall(self.lowered) if self.has_marks else self.words))
        """Its words in lower case without accents."""
        if _FULL_WIDTH.search(text):
            self.plain = text.translate(_HALF)

    def starts_of(self, wanted: Iterable[str]) -> list[int]:
        """Return where words begin in the text, in order; the rest of a longer word does not count.

        Args:
            wanted: Words in lower case.
        """
        starts = []
        for word in wanted:
            start = self.lowered.find(word)
            while start >= 0:
                if not (start and self.lowered[start - 1].isalnum()):
                    starts.append(start)
                start = self.lowered.find(word, start + len(word))
        return sorted(starts)


def lowered(text: str) -> str:
    """Return a text in lower case and as long as before; a letter whose small form is two characters stays."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
