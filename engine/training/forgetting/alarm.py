"""When a run has cost the model too much of what it knew, and what to do about it, in words.

Knows losses and steps; how they are measured, the trainer knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.runs.events import GeneralChecked

FORGOTTEN = 0.25
"""Nats a token that the loss may rise on general texts or on plain instructions before the alarm rings: the model then
is 1.28 times as unsure of every token as it was. LoRA forgets little where its rate is right (Biderman et al., 2024,
arXiv 2405.09673, fig. 4); what the recipes of this program cost, and what ten times their rate does,
tests/benchmarks/bench_forgetting.py measures."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What has been forgotten by a step."""

    step: int
    lost: float
    """Nats a token by which the loss has risen, on whichever has risen more."""
    on: str
    """'general texts' or 'plain instructions'."""
    before: float
    now: float
    earlier: int
    """The newest step before it that was not too much; 0 where there is none."""

    @property
    def sentence(self) -> str:
        """What happened, with the figures and the rule."""
        earlier = f", or the checkpoint of step {self.earlier:,}" if self.earlier else ""
        return (
            f"It forgets: its loss on {self.on} has risen from {self.before:.2f} to {self.now:.2f} by step "
            f"{self.step:,} ({self.lost:.2f} more; {FORGOTTEN:g} are allowed). Try smaller steps (learning rate), "
            f"fewer passes (epochs){earlier}."
        )


def lost(before: GeneralChecked, now: GeneralChecked) -> tuple[float, str]:
    """Return by how much the loss has risen, in nats a token, on what it has risen more, and on what that is."""
    rises = [(now.texts - before.texts, "general texts")]
    if before.instructions is not None and now.instructions is not None:
        rises.append((now.instructions - before.instructions, "plain instructions"))
    return max(rises)


def alarm(checks: Sequence[GeneralChecked], step: int | None = None) -> Alarm | None:
    """Return the alarm at a step; None while all is well, or nothing was measured before the first step.

    Args:
        checks: In their order; the untouched base stands at step 0.
        step: The step whose weights are kept; the newest check where None. The check that is nearest before it counts.
    """
    before = next((seen for seen in checks if seen.step == 0), None)
    trained = [seen for seen in checks if seen.step > 0 and (step is None or seen.step <= step)]
    if before is None or not trained:
        return None
    now = trained[-1]
    much, on = lost(before, now)
    if much <= FORGOTTEN:
        return None
    good = [seen.step for seen in trained if lost(before, seen)[0] <= FORGOTTEN]
    values = (before.texts, now.texts)
    if on == "plain instructions":
        values = (before.instructions or 0.0, now.instructions or 0.0)
    return Alarm(now.step, much, on, *values, max(good, default=0))
