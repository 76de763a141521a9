"""The verdict in plain words: one sentence on top, and what else is to be known."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.chat.records import LOOKUP, NEAREST
from engine.typed_numbers import signed
from engine.verdict.intervals import Interval, rounded
from engine.verdict.records import DECIDES, MEASURES, NOTICEABLE, Headline, JudgedVoice, Kind

MARGIN = 3.0
"""Points of chrF that count as no difference that matters: one word in another form in an answer of two sentences."""

Figures = Mapping[str, Mapping[str, Interval]]


def kind_of(difference: Interval) -> Kind:
    """Say what a paired difference of :data:`DECIDES` means: tuned less alternative, in points."""
    if difference.within(MARGIN):
        return "as good"
    if difference.is_clear:
        return "better" if difference.mean > 0 else "worse"
    return "no difference"


def on_top(kind: Kind, headline: Headline) -> str:
    """Write the sentence on top."""
    count = headline.difference.count
    better, worse = (f"{number} of {count} tickets (clear)" for number in (headline.better, headline.worse))
    match kind:
        case "better":
            return f"{_tuned(headline)} is better than your best alternative on {better}."
        case "as good":
            return f"{_alternative(headline)} as well: {_needless(headline)}"
        case "worse":
            return f"{_alternative(headline)} better on {worse}: you do not need this adapter."
    tickets = "1 ticket" if count == 1 else f"{count:,} tickets"
    needed = f"; about {rounded(headline.needed):,} would be needed" if headline.needed else ""
    return f"No difference can be seen with {tickets}{needed}."


def _tuned(headline: Headline) -> str:
    return "The tuned model with look-up" if headline.tuned.endswith(LOOKUP) else "The tuned model"


def _alternative(headline: Headline) -> str:
    if headline.alternative == NEAREST:
        return "The answer of the nearest ticket, copied word for word, does"
    if headline.alternative.endswith(LOOKUP):
        return "Three near tickets in the prompt do"
    return "The base model alone does"


def _needless(headline: Headline) -> str:
    if headline.alternative == "base":
        return "what it has learnt does not show."
    return "you may not need this adapter."


def further(headline: Headline, voices: Mapping[str, JudgedVoice], figures: Figures, differences: Figures) -> list[str]:
    """Write what else is to be known, the most important first."""
    tuned, other = figures[headline.tuned], figures[headline.alternative]
    told = [
        f"Your best alternative is {voices[headline.alternative].label}: {other[DECIDES].mean:.0f} of 100 points, "
        f"{voices[headline.tuned].label} {tuned[DECIDES].mean:.0f} (chrF: how like the agent's answer it is). "
        f"{_apart(headline.difference)}{_widened(voices)}"
    ]
    if headline.alternative != "base" and "base" in differences:
        told.append(_beside_the_base(differences["base"][DECIDES]))
    if "loss" in tuned and "loss" in figures.get("base", {}):
        now, before = tuned["loss"].mean, figures["base"]["loss"].mean
        told.append(
            f"Each next word of the agents' answers surprises it {_less(now, before)} "
            f"({now:.2f} nats a token, {before:.2f} for the base model)."
        )
    told += _warnings(tuned, figures.get("base", {}))
    return told


def _apart(difference: Interval) -> str:
    if not math.isfinite(difference.error):
        return "All tickets are of one customer or topic, so that nothing can be said beyond them."
    low, high = MEASURES[DECIDES].possible(difference)
    return f"The difference is {signed(difference.mean, 1)} points, between {signed(low, 1)} and {signed(high, 1)}."


def _widened(voices: Mapping[str, JudgedVoice]) -> str:
    """Say why this range is wider than the table's, where it is (judging.py)."""
    if sum(voice.role == "tuned" for voice in voices.values()) < 2:
        return ""
    return " (Wider than in the table, since the better of two tuned voices was chosen.)"


def _beside_the_base(difference: Interval) -> str:
    match kind_of(difference):
        case "better":
            return f"It is clearly better than the base model alone, by {difference.mean:.0f} points."
        case "worse":
            return f"It is clearly worse than the base model alone, by {-difference.mean:.0f} points."
        case "as good":
            return "It is as good as the base model alone."
    return "Beside the base model alone, no difference can be headline."


def _less(now: float, before: float) -> str:
    change = 1 - now / before if before else 0.0
    return f"{change:.0%} less" if change >= 0 else f"{-change:.0%} more"


def _warnings(tuned: Mapping[str, Interval], base: Mapping[str, Interval]) -> list[str]:
    told = []
    if "inventions" in tuned and tuned["inventions"].mean >= NOTICEABLE:
        beside = f", the base model {base['inventions'].mean:.1f}" if "inventions" in base else ""
        told.append(f"It invents {tuned['inventions'].mean:.1f} facts an answer{beside}: let a person check them.")
    if tuned["broken"].mean >= NOTICEABLE:
        told.append(f"{tuned['broken'].mean:.0%} of its answers are empty or go in circles.")
    if 1 - tuned["ends"].mean >= NOTICEABLE:
        told.append(f"{1 - tuned['ends'].mean:.0%} of its answers do not end by themselves.")
    if "language" in tuned and 1 - tuned["language"].mean >= NOTICEABLE:
        told.append(f"{1 - tuned['language'].mean:.0%} of its answers are in another language than the agents'.")
    return told
