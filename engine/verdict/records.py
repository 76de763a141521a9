"""What a verdict consists of: voices, measures, the tickets behind every figure, and how it is written to a file.

Holds no text of a ticket: the answers lie in the run's folder beside it (transcript.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from engine.errors import StudioError
from engine.verdict.intervals import Interval

VERSION = 1

Kind = Literal["better", "as good", "worse", "no difference"]
"""What the tuned model is beside its best alternative; 'no difference' is what these tickets cannot decide."""
Better = Literal["more", "less", "as the agents"]


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is measured of every answer."""

    label: str
    unit: str
    better: Better
    about: str
    """In a sentence."""
    most: float = math.inf
    """The highest value that there is; the lowest of every measure is 0."""

    def possible(self, difference: Interval) -> tuple[float, float]:
        """Return the range of a difference as it is shown: cut where no difference can lie.

        The interval itself reaches beyond what is possible where groups are few, since it is symmetrical; verdict.json
        has it uncut.
        """
        return max(-self.most, difference.low), min(self.most, difference.high)


MEASURES: dict[str, Measure] = {
    "chrf": Measure(
        "Like the agent's (chrF)",
        "of 100",
        "more",
        "Runs of letters that it has in common with what the agent wrote.",
        most=100.0,
    ),
    "rouge_l": Measure(
        "Same words in order (ROUGE-L)",
        "of 100",
        "more",
        "The longest series of words that both have in this order.",
        most=100.0,
    ),
    "loss": Measure(
        "Surprise at the agent's answer (loss)",
        "nats a token",
        "less",
        "How unlikely it finds each next token of what the agent really wrote.",
    ),
    "length": Measure("Length", "times the agent's", "as the agents", "Characters, beside those of the agent's."),
    "language": Measure(
        "Language kept", "share", "more", "Whether it answers in the language that the agent used.", 1.0
    ),
    "ends": Measure("Ends by itself", "share", "more", "Whether it stops before the longest answer allowed.", 1.0),
    "broken": Measure("Empty or going in circles", "share", "less", "Nothing, or the same again and again.", 1.0),
    "inventions": Measure(
        "Invented",
        "an answer",
        "less",
        "Amounts, days, links and promises that stand neither in the ticket nor in what the agents write.",
    ),
}
"""In the order in which they are shown; the first one decides."""
DECIDES = "chrf"
NOTICEABLE = 0.1
"""Share of an adapter's answers, empty, unended or invented, from which on it is said."""

Role = Literal["tuned", "alternative"]


@dataclass(frozen=True, slots=True)
class JudgedVoice:
    """Somebody whose answers are judged."""

    id: str
    """As of the playground's voices."""
    label: str
    """Such as 'the base model with three near tickets'; fits into a sentence."""
    role: Role


@dataclass(frozen=True, slots=True)
class JudgedTicket:
    """A held-out ticket: in which groups it is, and how well every voice has answered it."""

    ticket: str
    customer: str
    """A key that tickets of one customer share."""
    topic: str
    scores: Mapping[str, Mapping[str, float]]
    """Voice -> measure -> value; a measure that says nothing of an answer is absent."""
    mark: str = ""
    """Tells its text from that of a ticket of the same number elsewhere; empty in verdicts of an earlier version."""
    coverage: float | None = None
    """How much its question is like those that were learnt, 0 to 1; None in verdicts of an earlier version."""

    def both(self, one: str, other: str, measure: str) -> bool:
        """Whether both voices have the measure."""
        return measure in self.scores[one] and measure in self.scores[other]


@dataclass(frozen=True, slots=True)
class Headline:
    """What decides: the tuned voice beside its best alternative."""

    tuned: str
    """A voice's id."""
    alternative: str
    difference: Interval
    """Of :data:`DECIDES`, tuned less alternative."""
    better: int
    """Tickets on which the tuned voice is better."""
    worse: int
    needed: int
    """Tickets that would decide; 0 where they have, or where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run was worth it."""

    run: str
    """Its name."""
    kind: Kind
    sentence: str
    more: tuple[str, ...]
    """What else is to be known, a sentence each."""
    headline: Headline
    voices: tuple[JudgedVoice, ...]
    figures: Mapping[str, Mapping[str, Interval]]
    """Voice -> measure -> its mean."""
    differences: Mapping[str, Mapping[str, Interval]]
    """Voice -> measure -> the headline's tuned voice less this one, ticket by ticket; not for itself."""
    tickets: tuple[JudgedTicket, ...]
    heldout: int
    """Held-out tickets that there are; more than judged where they are many."""
    longest: int
    """Tokens of the longest answer allowed."""
    made: float
    """When: seconds since 1970."""
    weights: str = ""
    """The mark of the adapter that was judged."""
    leak: Mapping[str, Any] = field(default_factory=dict)
    """What the leak test has found, as :attr:`engine.verdict.leak.certificate.Certificate.told`; empty before it."""
    blind: Mapping[str, Any] = field(default_factory=dict)
    """What people preferred, as :mod:`engine.verdict.blind` counts it; empty before the first vote."""

    def voice(self, identifier: str) -> JudgedVoice:
        """Return a voice by its id."""
        return next(voice for voice in self.voices if voice.id == identifier)

    def figures_json(self) -> dict[str, Any]:
        """Return means and differences of all voices as plain values, without the tickets behind them."""
        value = self.to_json()
        return {name: value[name] for name in ("headline", "voices", "figures", "differences")}

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is infinite is null, which JSON knows."""
        return {"version": VERSION, **_finite(asdict(self))}

    @classmethod
    def of_json(cls, value: Any) -> Verdict:
        """Read what :meth:`to_json` has written.

        Raises:
            StudioError: It is damaged or of another version.
        """
        try:
            if value["version"] != VERSION:
                raise ValueError(value["version"])
            rest = {name: value[name] for name in ("run", "kind", "sentence", "heldout", "longest", "made", "weights")}
            return cls(
                **rest,
                more=tuple(value["more"]),
                headline=Headline(**{**value["headline"], "difference": _interval(value["headline"]["difference"])}),
                voices=tuple(JudgedVoice(**voice) for voice in value["voices"]),
                figures=_intervals(value["figures"]),
                differences=_intervals(value["differences"]),
                tickets=tuple(JudgedTicket(**ticket) for ticket in value["tickets"]),
                leak=value.get("leak") or {},
                blind=value.get("blind") or {},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudioError("verdict.json is damaged or of another version.", "Judge the run again.") from error


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """One run beside another."""

    differences: dict[str, Interval]
    """Measure -> this one's tuned voice less the other's; empty where they sat no ticket in common."""
    settings: dict[str, tuple[object, object]]
    """Field of the recipe -> this one's value and the other's, where they differ."""


def _intervals(value: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Interval]]:
    return {voice: {name: _interval(plain) for name, plain in of.items()} for voice, of in value.items()}


def _interval(value: Mapping[str, Any]) -> Interval:
    missing: dict[str, Any] = {"low": -math.inf, "high": math.inf, "error": math.inf}
    return Interval(**{name: missing[name] if number is None else number for name, number in value.items()})


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
