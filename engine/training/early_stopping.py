"""When a run ends and which of its checkpoints is taken home, in words: for the recipe on the page and for the log.

The rules themselves are the trainer's (QLoRATrainer.stop_early, and what run_training keeps).
"""

from engine.recipe import Recipe


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
