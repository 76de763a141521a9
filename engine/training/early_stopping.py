"""When held-out tickets are checked, when a run ends early, and both in words for the recipe's page and the log.

It knows losses and steps, and no trainer: QLoRATrainer asks after each check whether to end.
"""

from collections.abc import Sequence

from engine.recipe import Recipe
from engine.training.best_check import BestBy, Check

CHECKS_A_RUN = 8
"""Held-out checks in a run when the recipe leaves it open."""


def check_every(recipe: Recipe, steps: int) -> int:
    """Return the steps between two held-out checks of a run of so many steps."""
    return recipe.eval_steps or max(1, steps // CHECKS_A_RUN)


def stalled_since(checks: Sequence[Check], patience: int, by: BestBy = "loss") -> int | None:
    """Return the step of the last check that was better than all before it, if too many have come since.

    Args:
        checks: Those after the first step, in their order.
        patience: How many checks that are no better are too many; 0 never.
        by: What the recipe takes for better: a lower held-out loss; where inventions count, fewer of them as well: a
            run that learns ever less to invent may go on, and one whose loss still falls too.

    Returns:
        None while the run should go on.
    """
    if not patience or len(checks) <= patience:
        return None
    best = min(range(len(checks)), key=lambda number: checks[number].loss)
    if by != "loss":
        best = max(best, min(range(len(checks)), key=lambda number: checks[number].most))
    return checks[best].step if len(checks) - 1 - best >= patience else None


def in_words(recipe: Recipe, *, steps: int = 0, heldout: bool = True) -> str:
    """Say when a run ends and what it leaves.

    Args:
        recipe: Its eval_steps, patience, keep_best and best_by count.
        steps: How many it takes at most; 0 while that is not known.
        heldout: Whether there are tickets to check on.
    """
    if not heldout:
        return (
            "No tickets are held out, so nothing tells when more steps stop helping: all of them are taken, and the "
            "adapter is that of the last one."
        )
    often = f"every {recipe.eval_steps:,} steps" if recipe.eval_steps else "about eight times in a run"
    if steps and recipe.eval_steps >= steps:
        often = "before the first step and after the last"
    checks = "for one check" if recipe.patience == 1 else f"for {recipe.patience} checks in a row"
    if not recipe.patience:
        early = "all steps are taken, even if their loss no longer falls"
    elif steps and recipe.eval_steps * (recipe.patience + 1) >= steps:
        early = "that is too seldom to end so short a run early, so all steps are taken, even if their loss rises"
    else:
        what = (
            "their loss does not fall" if recipe.best_by == "loss" else "neither their loss nor what is invented falls"
        )
        early = f"if {what} {checks}, the run ends early, before it learns the tickets by heart"
    kept = _KEPT[recipe.best_by] if recipe.keep_best else "the last checkpoint, be it the best or not"
    return f"The held-out tickets are checked {often}; {early}. You get {kept}."


_KEPT: dict[BestBy, str] = {
    "loss": "the checkpoint with the lowest one",
    "inventions": "the checkpoint whose replies invent fewest facts",
    "both": "the checkpoint whose replies invent fewest facts, of those with a loss near the lowest",
}
