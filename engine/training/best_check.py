"""Which check of a run is its best: by held-out loss, by the facts that the replies on the way invent, or by both.

It knows losses, counts and steps, and no trainer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

BestBy = Literal["loss", "inventions", "both"]

WORSE = 0.05
"""Share by which a checkpoint's held-out loss may be above the lowest and still be chosen, by 'both', for inventing
less: a difference that cannot be heard in an answer."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check on the held-out tickets has found."""

    step: int
    loss: float
    """Nats a token."""
    invented: int | None = None
    """Facts from nowhere in all replies together; None where nobody was asked."""

    @property
    def most(self) -> float:
        """The invented facts, where nobody was asked more than any."""
        return float("inf") if self.invented is None else self.invented


def checks_of(log_history: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Read the checks after the first step from what transformers' trainer keeps in mind, in their order."""
    return [
        Check(row["step"], row["eval_loss"], row.get("invented"))
        for row in log_history
        if "eval_loss" in row and row["step"] > 0
    ]


def best_check(checks: Sequence[Check], by: BestBy) -> Check | None:
    """Return the best check; the earlier one where two are equal.

    Args:
        checks: Those after the first step, in their order.
        by: 'loss' takes the lowest; 'inventions' the fewest invented facts, and of those the lowest loss; 'both' does
            that among those whose loss is at most :data:`WORSE` above the lowest.
    """
    if not checks:
        return None
    if by == "loss":
        return min(checks, key=lambda seen: seen.loss)
    lowest = min(seen.loss for seen in checks)
    able = [seen for seen in checks if by == "inventions" or seen.loss <= (1 + WORSE) * lowest]
    return min(able, key=lambda seen: (seen.most, seen.loss))


def may_be_best(checks: Sequence[Check], by: BestBy) -> set[int]:
    """Return the steps of which one will be the best, of those so far: their checkpoints have to stay.

    By 'both' one may come back to a check that was not the best in its time, when the loss has fallen since; but never
    to one beside which another has neither a higher loss nor more inventions.
    """
    if by == "both":
        return {seen.step for seen in checks if not any(_is_beaten(seen, other) for other in checks)}
    best = best_check(checks, by)
    return {best.step} if best else set()


def _is_beaten(seen: Check, other: Check) -> bool:
    as_good = other.loss <= seen.loss and other.most <= seen.most
    return as_good and (other.loss < seen.loss or other.most < seen.most or other.step < seen.step)


def why_best(by: BestBy) -> str:
    """Say what makes the best checkpoint that, as the end of a sentence."""
    return {
        "loss": "where the held-out loss was lowest",
        "inventions": "where its replies invented fewest facts",
        "both": f"where its replies invented fewest facts of all with a held-out loss near the lowest ({WORSE:.0%})",
    }[by]
