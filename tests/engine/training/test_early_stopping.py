"""The sentence that says when a run ends and what it leaves."""

from engine.recipe import Recipe
from engine.training.early_stopping import in_words


def test_by_default_a_run_ends_early_and_leaves_its_best_checkpoint():
    assert in_words(Recipe()) == (
        "The held-out tickets are checked about eight times in a run; if their loss does not fall for 3 checks in a "
        "row, the run ends early, before it learns the tickets by heart. You get the checkpoint with the lowest one."
    )


def test_it_says_what_the_recipe_says():
    told = in_words(Recipe(patience=0, keep_best=False, eval_steps=1500))
    assert "every 1,500 steps; all steps are taken" in told
    assert told.endswith("You get the last checkpoint, be it the best or not.")
    assert "does not fall for one check," in in_words(Recipe(patience=1))


def test_a_run_too_short_to_end_early_is_not_said_to():
    """The trainer ends at the check after ``patience`` bad ones, if steps are left then."""
    recipe = Recipe(eval_steps=15, patience=3)
    assert "all steps are taken" in in_words(recipe, steps=45)
    assert "all steps are taken" in in_words(recipe, steps=60)
    assert "the run ends early" in in_words(recipe, steps=61)
    assert "checked before the first step and after the last" in in_words(recipe, steps=8)


def test_without_held_out_tickets_it_promises_nothing():
    assert "the last one" in in_words(Recipe(), heldout=False)
