"""One text in the forms that finders look at: as written, in lower case, with half-width digits, as a set of words.

Every form is as long as the text, so that a place in one is the same place in all of them.
"""

import re
from collections.abc import Iterable
from functools import cached_property

from engine.tickets.detectors.name_forms import MARKED_WORD, folded

_MARKS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W\d_]+")
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

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lowered(self) -> str:
        """The text in lower case; a letter whose small form is two characters stays as it is."""
        lowered = self.text.lower()
        if len(lowered) == len(self.text):
            return lowered
        return "".join(small if len(small := letter.lower()) == 1 else letter for letter in self.text)

    @cached_property
    def plain(self) -> str:
        """The text with half-width digits, letters and hyphens, as number formats know them."""
        if self.text.isascii() or not _FULL_WIDTH.search(self.text):
            return self.text
        return self.text.translate(_HALF)

    @cached_property
    def digits(self) -> int:
        """How many digits it has."""
        return len(_DIGIT.findall(self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words in lower case."""
        return frozenset(_WORD.findall(self.lowered))

    @cached_property
    def has_marks(self) -> bool:
        """Whether accents stand as characters of their own (decomposed Unicode)."""
        return not self.text.isascii() and _MARKS.search(self.text) is not None

    @cached_property
    def folded_words(self) -> frozenset[str]:
        """Its words in lower case without accents."""
        if self.text.isascii():
            return self.words
        return frozenset(map(folded, MARKED_WORD.findall(self.lowered) if self.has_marks else self.words))

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
