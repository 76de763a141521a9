"""When a run has cost the model too much of what it knew, and what to do about it, in words.

Knows losses and steps; how they are measured, the trainer knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from engine.training.runs.events import GeneralChecked

TEXTS, INSTRUCTIONS = "general texts", "plain instructions"
ALLOWED: Mapping[str, float] = MappingProxyType({TEXTS: 0.45, INSTRUCTIONS: 1.6})
"""Nats a token that the loss may rise before the alarm rings.

Measured by tests/benchmarks/bench_forgetting.py on an H200 (2026-11-26; starter model, sample shop, the three presets,
18 to 20 seeds each at both rates). At the preset's own rate it has risen at the last check by 0.38 on texts and by 1.38
on instructions at most, which are answered in the agents' manner from then on: that is wanted. At ten times the rate it
has risen by 0.53 and 1.57 at least (Balanced; Thorough 1.2 and 1.7, Quick look 2.9 and 4.3). 0.45 is the geometric mean
of the two for texts; instructions vary more, and ring where the texts would not. None of 58 runs rings at its last
check, and all of 59 at ten times the rate do; 6 of those forgot less up to the checkpoint that is kept, an early one.
LoRA forgets little where its rate is right (Biderman et al., 2024, arXiv 2405.09673, fig. 4).
"""
MIXED_IN = 0.1
"""The share of general examples that is proposed where a run has forgotten too much."""


@dataclass(frozen=True, slots=True)
class Rise:
    """By how much a loss has risen."""

    on: str
    """:data:`TEXTS` or :data:`INSTRUCTIONS`."""
    before: float
    now: float

    @property
    def nats(self) -> float:
        """Nats a token."""
        return self.now - self.before

    @property
    def allowed(self) -> float:
        """Nats a token that it may rise."""
        return ALLOWED[self.on]

    @property
    def is_too_much(self) -> bool:
        """Whether the alarm rings."""
        return self.nats > self.allowed


@dataclass(frozen=True, slots=True)
class Alarm:
    """What has been forgotten by a step."""

    step: int
    rise: Rise
    earlier: int
    """The newest step before it that was not too much; 0 where there is none."""

    @property
    def sentence(self) -> str:
        """What happened, with the figures and the rule."""
        earlier = f", or the checkpoint of step {self.earlier:,}" if self.earlier else ""
        rise = self.rise
        return (
            f"It forgets: its loss on {rise.on} has risen from {rise.before:.2f} to {rise.now:.2f} by step "
            f"{self.step:,} ({rise.nats:.2f} more; {rise.allowed:g} are allowed). Try smaller steps (learning rate), "
            f"fewer passes (epochs), general examples mixed in (general share){earlier}."
        )


def rises(before: GeneralChecked, now: GeneralChecked) -> list[Rise]:
    """Return by how much the losses have risen, that first which is nearest to its limit or furthest beyond it."""
    found = [Rise(TEXTS, before.texts, now.texts)]
    if before.instructions is not None and now.instructions is not None:
        found.append(Rise(INSTRUCTIONS, before.instructions, now.instructions))
    return sorted(found, key=lambda rise: rise.nats / rise.allowed, reverse=True)


def alarm(checks: Sequence[GeneralChecked], step: int | None = None) -> Alarm | None:
    """Return the alarm at a step; None while all is well, or nothing was measured before the first step.

    Args:
        checks: In their order; the untouched base stands at step 0.
        step: The step whose weights are kept; the newest check where None. The check that is nearest before it counts.
    """
    before = next((check for check in checks if check.step == 0), None)
    trained = [check for check in checks if check.step > 0 and (step is None or check.step <= step)]
    if before is None or not trained:
        return None
    now = trained[-1]
    worst = rises(before, now)[0]
    if not worst.is_too_much:
        return None
    good = [check.step for check in trained if not rises(before, check)[0].is_too_much]
    return Alarm(now.step, worst, max(good, default=0))
