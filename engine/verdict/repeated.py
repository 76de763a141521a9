"""Whether answers repeat what was masked: the values that stood where the placeholders are, looked for in them.

A model learns masked text alone, so that none should; what is found was missed by the masking somewhere, or is chance,
which the base model's answers show: it has never seen a ticket.

    runs/<id>/repeated.json    {"values", "answers", "voices": {voice: {kind: values found}}}; no value stands in it
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from engine.errors import StudioError
from engine.tickets.dataset.files import REDACTIONS
from engine.tickets.lines import entries
from engine.workspace import read_object, write_json

FILE = "repeated.json"
SHORTEST = 4
"""Characters of a value; shorter ones stand in any text by chance."""
_FEWEST_DIGITS = 6
"""From so many digits on a value is compared by them alone, however they are grouped."""
_NUMBER = re.compile(r"\+?\d(?:[ ()./\u00a0-]{0,2}\d)+")


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many masked values the answers of each voice repeat."""

    values: int
    """Different masked values that were looked for."""
    answers: int
    """Answers of each voice."""
    voices: Mapping[str, Mapping[str, int]]
    """Voice -> kind of value -> how many different ones its answers hold."""

    def found(self, voice: str) -> int:
        """Return how many different values the answers of a voice hold."""
        return sum(self.voices.get(voice, {}).values())

    def save(self, run: Path) -> None:
        """Write it into a run's folder."""
        write_json(run / FILE, asdict(self))

    @classmethod
    def load(cls, run: Path) -> Self | None:
        """Read what :meth:`save` wrote; None where nothing was looked for, or it cannot be read."""
        try:
            value = read_object(run / FILE)
            return cls(int(value["values"]), int(value["answers"]), dict(value["voices"]))
        except (StudioError, KeyError, TypeError, ValueError):
            return None


def repeated(folder: Path, answers: Mapping[str, Iterable[str]]) -> Repeated | None:
    """Look for the masked values of a data set in answers.

    Args:
        folder: The data set's, with its redactions.
        answers: Voice -> its answers, as many of each.

    Returns:
        None where the data set does not say what was masked.
    """
    if not (folder / REDACTIONS).exists():
        return None
    values = masked_values(folder)
    said = {voice: [_Text(text) for text in texts] for voice, texts in answers.items()}
    counts: dict[str, dict[str, int]] = {}
    for voice, texts in said.items():
        counts[voice] = dict(
            Counter(kind for value, kind in values.items() if any(text.holds(value) for text in texts))
        )
    return Repeated(len(values), max(map(len, said.values()), default=0), counts)


def masked_values(folder: Path) -> dict[str, str]:
    """Return the values that were masked in a data set, in one form -> their kind."""
    return {
        value: str(line.get("kind", ""))
        for line in entries(folder / REDACTIONS, "original")
        if line.get("placeholder") and len(value := _form(line["original"])) >= SHORTEST
    }


class _Text:
    """An answer in the forms in which values are looked for."""

    def __init__(self, text: str) -> None:
        self._words = _words(text)
        self._numbers = {re.sub(r"\D", "", match[0]) for match in _NUMBER.finditer(text)}

    def holds(self, value: str) -> bool:
        """Say whether a value stands in it, as a whole."""
        if value.isdigit():
            return value in self._numbers
        at = self._words.find(value)
        while at >= 0:
            before, after = self._words[at - 1 : at], self._words[at + len(value) : at + len(value) + 1]
            if not (before.isalnum() or after.isalnum()):
                return True
            at = self._words.find(value, at + 1)
        return False


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _form(value: str) -> str:
    digits = re.sub(r"\D", "", value)
    is_number = len(digits) >= _FEWEST_DIGITS and not re.search(r"[^\W\d_]|@", value)
    return digits if is_number else _words(value)
