"""Named graphics cards, read from ``assets/cards.toml``, and how a run would go on each of them, without having one.

Numbers only: no card is looked for, and torch is not needed.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import psutil

from engine.hardware import GIB
from engine.model.size import size_of
from engine.recipe import Recipe
from engine.training.data.lengths import Lengths
from engine.training.memory.bus import in_words
from engine.training.memory.fit import Place, Verdict, fit, share_of_speed
from engine.training.memory.modes import Mode

CARDS_FILE = Path(__file__).parents[3] / "assets" / "cards.toml"

TAKEN_GIB = {"desktop": 0.8, "server": 0.0, "processor": 2.0}
"""What others take: on a desktop card screen and browser, in the computer's memory the system and its programs. What
the driver takes for the run itself is part of the run's own need."""


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card, or the processor of this computer."""

    name: str
    box_gb: float
    """Memory as printed on the box, in GB."""
    gib: float
    """Memory that the driver reports, in GiB."""
    kind: Literal["desktop", "server", "processor"]

    @property
    def usable_gib(self) -> float:
        """Memory that a run may take."""
        return max(0.0, self.gib - TAKEN_GIB[self.kind])


@dataclass(frozen=True, slots=True)
class CardFit:
    """How a run would go on a card."""

    card: Card
    verdict: Verdict
    mode: Mode
    """The memory mode it would run in: what the recipe says, or what 'auto' would take there."""
    gib: float
    """What it would need at the peak."""
    pace: str = ""
    """Where layers are streamed how fast that is beside a base that is all there, as calculated, in words."""


@cache
def cards() -> tuple[Card, ...]:
    """Return the named cards, that with the least memory first."""
    table = tomllib.loads(CARDS_FILE.read_text(encoding="utf-8"))
    return tuple(sorted((Card(**entry) for entry in table["card"]), key=lambda card: card.gib))


def processor() -> Card:
    """Return this computer without a GPU."""
    total = psutil.virtual_memory().total / GIB
    return Card("This computer's processor", round(total), total, "processor")


def on_cards(recipe: Recipe, lengths: Lengths | None) -> tuple[CardFit, ...]:
    """Say how a run would go on each named card and on this computer's processor; empty for an unknown model.

    Args:
        recipe: What would be run.
        lengths: The conversations; None assumes many of the greatest length allowed.
    """
    size = size_of(recipe.model)
    if size is None:
        return ()
    found = []
    for card in (processor(), *cards()):
        seen = fit(recipe, size, lengths, Place(card.kind != "processor", card.usable_gib))
        pace = in_words(share_of_speed(seen, recipe, size)) if seen.settings.mode == "streamed" else ""
        found.append(CardFit(card, seen.verdict, seen.settings.mode, seen.gib, pace))
    return tuple(found)
