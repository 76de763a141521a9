"""Which checkpoint is kept where loss and inventions disagree: the rule, and real runs over a tiny model."""

import pytest

from engine.errors import RecipeError, StudioError
from engine.recipe import Recipe
from engine.training.best_check import Check, best_check, checks_of, may_be_best
from engine.training.replies import SHARE, Asked, Replies
from engine.training.runs.events import Evaluated, LogNote, Replied
from engine.training.trainer import TrainingData, run_training
from tests.tiny import conversations

DATA = TrainingData(conversations(24)[:20], conversations(24)[20:])
FALLS = [Check(10, 2.0, 0), Check(20, 1.02, 3), Check(30, 1.0, 5), Check(40, 0.99, 5)]


def test_what_is_best_depends_on_what_counts():
    kept = {by: best_check(FALLS, by).step for by in ("loss", "inventions", "both")}
    assert kept == {"loss": 40, "inventions": 10, "both": 20}
    assert best_check([], "both") is None
    assert best_check([Check(10, 1.0), Check(20, 0.9)], "inventions").step == 20, "nobody was asked: the loss decides"


def test_the_checkpoint_that_is_chosen_in_the_end_was_never_let_go():
    """By 'both' the best moves back: at step 40 it is one that was not the best at step 30."""
    checks = [Check(10, 1.0, 4), Check(20, 0.995, 5), Check(30, 0.99, 2), Check(40, 0.95, 4), Check(50, 0.95, 4)]
    for by in ("loss", "inventions", "both"):
        for end in range(1, len(checks) + 1):
            assert (
                best_check(checks, by).step in may_be_best(checks[:end], by) or best_check(checks, by).step > 10 * end
            )
    assert may_be_best(checks, "both") == {30, 40}


def test_the_untouched_base_is_no_check_that_a_run_has_to_beat():
    rows = [{"eval_loss": 0.1, "step": 0}, {"loss": 1.0, "step": 5}, {"eval_loss": 2.0, "step": 10, "invented": 3}]
    assert checks_of(rows) == [Check(10, 2.0, 3)]


def test_inventions_cannot_count_where_nobody_is_asked():
    with pytest.raises(RecipeError, match="counted in replies, which are off"):
        Recipe(replies="off", best_by="both")


def trained(tiny_model, base, folder, invented, **changes):
    """Train for eight steps, while replies invent so many facts at the checks."""
    folder.mkdir()
    events = []
    recipe = Recipe(
        model=str(tiny_model), max_steps=8, epochs=9.0, batch_size=2, accumulation=2, learning_rate=5e-3,
        max_length=64, eval_steps=2, keep_checkpoints=1, **changes,
    )  # fmt: skip

    def ask(snapshot):
        return Asked((Replied(snapshot.step, 3, invented[snapshot.step]),), 0.0)

    outcome = run_training(recipe, DATA, base, folder, events.append, ask_replies=ask if invented else None)
    return outcome, events


def test_the_loss_falls_to_the_end_and_the_first_checkpoint_is_kept_for_inventing_least(
    tiny_model, tiny_base, tmp_path
):
    invents_more_and_more = {2: 1, 4: 6, 6: 7, 8: 9}
    outcome, events = trained(
        tiny_model, tiny_base, tmp_path / "inventions", invents_more_and_more, best_by="inventions"
    )
    losses = [seen.loss for seen in events if isinstance(seen, Evaluated)]
    assert losses == sorted(losses, reverse=True), "by loss the last would be the best"
    assert outcome.kept == 2
    assert any("step 2, where its replies invented fewest" in note.text for note in events if isinstance(note, LogNote))
    by_loss, _ = trained(tiny_model, tiny_base, tmp_path / "loss", invents_more_and_more)
    assert by_loss.kept == 8


def test_where_nobody_can_answer_the_loss_decides_and_the_log_says_so(tiny_model, tiny_base, tmp_path):
    outcome, events = trained(tiny_model, tiny_base, tmp_path / "run", {}, best_by="both")
    assert outcome.kept == 8
    assert any("by held-out loss alone" in note.text for note in events if isinstance(note, LogNote))


class Clock:
    """Time that passes where a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def asked_at(takes, learns, checks=20, **changes):
    """Ask at the checks of a run whose steps take so long altogether; return the steps and what was said."""
    clock, events = Clock(), []

    def ask(step):
        clock.now += takes
        return Asked((Replied(step, 3, 0),), takes)

    replies = Replies(ask, Recipe(**changes), events.append, clock)
    replies.begin(0, 0.0)
    for step in range(1, checks + 1):
        clock.now += learns / checks
        replies.at_check(lambda step=step: step, step, checks, 0.0)
    return [seen.step for seen in events if isinstance(seen, Replied)], [e for e in events if isinstance(e, LogNote)]


@pytest.mark.parametrize("takes", [0.5, 1.0, 3.0, 7.0, 14.0])
def test_replies_take_no_more_of_a_run_than_they_may_and_the_result_is_asked(takes):
    steps, said = asked_at(takes, learns=300.0)
    assert takes * len(steps) <= SHARE * 300.0 or (len(steps) == 2 and takes * 2 <= 2 * SHARE * 300.0)
    assert steps[0] == 1 and steps[-1] == 20 and len(steps) < 21
    assert bool(said) == (len(steps) < 20)


def test_where_even_two_are_too_dear_only_the_first_check_is_asked_unless_the_recipe_insists():
    assert asked_at(20.0, learns=300.0)[0] == [1]
    assert asked_at(20.0, learns=300.0, checks=5, replies="on")[0] == [1, 2, 3, 4, 5]
    assert asked_at(20.0, learns=300.0, checks=5, best_by="both")[0] == [1, 2, 3, 4, 5]
    assert asked_at(20.0, learns=300.0, checks=5, replies="off")[0] == []


def test_what_goes_wrong_with_a_reply_is_said_once_and_never_ends_the_run():
    events = []

    def ask(_):
        raise StudioError("There is no memory.", "Ask again.")

    replies = Replies(ask, Recipe(replies="on"), events.append)
    assert [replies.at_check(lambda: None, step, 9, 0.0) for step in (3, 6, 9)] == [None] * 3
    assert [note.text for note in events] == ["No ticket is answered on the way: There is no memory. Ask again."]
