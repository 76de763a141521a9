"""When a run is checked and ends early, and the sentence that says so."""

from itertools import zip_longest

import pytest

from engine.recipe import Recipe
from engine.training.best_check import Check
from engine.training.early_stopping import check_every, in_words, stalled_since


def test_eight_checks_a_run_unless_the_recipe_says_otherwise():
    assert check_every(Recipe(), 80) == 10
    assert check_every(Recipe(), 3) == 1
    assert check_every(Recipe(eval_steps=7), 80) == 7


def checks(*losses, invented=()):
    return [
        Check(10 * number, loss, count) for number, (loss, count) in enumerate(zip_longest(losses, invented), start=1)
    ]


def test_a_run_ends_when_no_check_is_better_for_as_long_as_the_recipe_allows():
    assert stalled_since(checks(2.0, 1.0), 1) is None
    assert stalled_since(checks(2.0, 1.0, 1.5), 1) == 20
    assert stalled_since(checks(2.0, 1.0, 1.5), 2) is None
    assert stalled_since(checks(2.0, 1.0, 1.5, 1.0), 2) == 20, "as low as before is no lower"
    assert stalled_since(checks(2.0, 1.0, 1.5, 0.9), 2) is None


def test_without_patience_no_run_ends_early():
    assert stalled_since(checks(1.0, 2.0, 3.0), 0) is None


@pytest.mark.parametrize("by", ["inventions", "both"])
def test_where_inventions_count_a_run_goes_on_while_loss_or_inventions_fall(by):
    still_less_invented = checks(1.0, 2.0, 3.0, 4.0, invented=(9, 9, 5, 4))
    assert stalled_since(still_less_invented, 2) == 10
    assert stalled_since(still_less_invented, 2, by) is None
    loss_falls = checks(4.0, 3.0, 2.0, 1.0, invented=(0, 5, 5, 5))
    assert stalled_since(loss_falls, 2, by) is None
    neither = checks(3.0, 1.0, 2.0, 2.0, invented=(5, 4, 4, 6))
    assert stalled_since(neither, 2, by) == 20


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
    told = in_words(Recipe(best_by="both"))
    assert "if neither their loss nor what is invented falls" in told and "of those with a loss near the lowest" in told


def test_a_run_too_short_to_end_early_is_not_said_to():
    """The trainer ends at the check after ``patience`` bad ones, if steps are left then."""
    recipe = Recipe(eval_steps=15, patience=3)
    assert "all steps are taken" in in_words(recipe, steps=45)
    assert "all steps are taken" in in_words(recipe, steps=60)
    assert "the run ends early" in in_words(recipe, steps=61)
    assert "checked before the first step and after the last" in in_words(recipe, steps=8)


def test_without_held_out_tickets_it_promises_nothing():
    assert "the last one" in in_words(Recipe(), heldout=False)
