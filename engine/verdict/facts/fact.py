"""A fact that stands in a text: a plain record, which the window shows too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FactKind = Literal["amount", "time", "number", "link", "address", "promise", "name"]
"""Money and shares; durations, days and clock times; other numbers; web links; mail, telephone and street; what is
promised to a customer; names, such as a product's."""

KIND_WORDS: dict[FactKind, str] = {
    "amount": "an amount",
    "time": "a time",
    "number": "a number",
    "link": "a link",
    "address": "an address",
    "promise": "a promise",
    "name": "a name",
}
"""How a kind is called within a sentence."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A stretch of a text that states something."""

    kind: FactKind
    start: int
    end: int
    """Behind its last character."""
    readings: frozenset[str]
    """What it may mean, in one form for all ways to write it: ``money:EUR:1234.5``. It is known when one of them is."""
    teaches: frozenset[str]
    """What somebody who has read it knows; for most facts the readings."""
    stated: bool = True
    """Whether it can be invented: a number in words ('two of them') is too common to be judged, but may support one."""
