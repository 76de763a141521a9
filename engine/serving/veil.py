"""Personal data out of what a model reads, and back into what it writes.

An adapter has learnt from tickets with placeholders in them. So it is asked with placeholders, and answers with the
same ones; whoever reads the answer wants the names.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.turns import Turn

if TYPE_CHECKING:
    from engine.tickets.privacy.masking import PrivacyOptions

_PLACEHOLDER = re.compile(r"\[[A-Z]{2,10}_\d{1,5}\]")
_BEGUN = re.compile(r"\[(?:[A-Z]{1,10}(?:_\d{0,5})?)?\Z")
"""What may become a placeholder while a text is being written."""


class Veil:
    """The personal data of one conversation.

    Args:
        options: What is masked.
    """

    def __init__(self, options: "PrivacyOptions") -> None:
        from engine.tickets.privacy.masking import ConversationMasker

        self._masker = ConversationMasker(options)
        self.hidden: dict[str, str] = {}
        """Placeholder -> what stood there first."""

    def over(self, turns: Sequence[Turn]) -> list[Turn]:
        """Return a conversation with placeholders; a standing instruction stays as it is."""
        told = [turn["content"] for turn in turns if turn["role"] != "system"]
        self._masker.meet(told)
        masked = [
            turn if turn["role"] == "system" else {**turn, "content": self._masker.mask(turn["content"])}
            for turn in turns
        ]
        for found in self._masker.found:
            self.hidden.setdefault(found.placeholder, found.original)
        return masked

    def lifted(self, text: str, *, done: bool) -> str:
        """Put the data back into an answer.

        Args:
            text: As the model has written it so far. A placeholder that stands for nothing here stays.
            done: Whether it is complete; until then, what may be the beginning of a placeholder is held back.
        """
        if not self.hidden:
            return text
        begun = None if done else _BEGUN.search(text)
        shown = text[: begun.start()] if begun else text
        return _PLACEHOLDER.sub(lambda seen: self.hidden.get(seen[0], seen[0]), shown)
