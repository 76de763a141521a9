"""When held-out tickets are checked, when a run ends early, and both in words for the recipe's page and the log.

It knows losses and steps, and no trainer: QLoRATrainer asks after each check whether to end.
"""

from collections.abc import Sequence

from engine.recipe import Recipe

CHECKS_A_RUN = 8
"""Held-out checks in a run when the recipe leaves it open."""


def check_every(recipe: Recipe, steps: int) -> int:
    """Return the steps between two held-out checks of a run of so many steps."""
    return recipe.eval_steps or max(1, steps // CHECKS_A_RUN)


def stalled_since(checks: Sequence[tuple[float, int]], patience: int) -> int | None:
    """Return the step with the lowest held-out loss if none of the last checks was better.

    Args:
        checks: Loss and step of each, in their order. The untouched base, at step 0, does not count.
        patience: How many checks without a lower loss are too many; 0 never.

    Returns:
        None while the run should go on.
    """
    trained = [check for check in checks if check[1] > 0]
    if not patience or len(trained) <= patience:
        return None
    best = min(range(len(trained)), key=lambda number: trained[number])
    return trained[best][1] if len(trained) - 1 - best >= patience else None


def in_words(recipe: Recipe, *, steps: int = 0, heldout: bool = True) -> str:
    """Say when a run ends and what it leaves.

    Args:
        recipe: Its eval_steps, patience and keep_best count.
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
        early = f"if their loss does not fall {checks}, the run ends early, before it learns the tickets by heart"
    kept = "the checkpoint with the lowest one" if recipe.keep_best else "the last checkpoint, be it the best or not"
    return f"The held-out tickets are checked {often}; {early}. You get {kept}."
