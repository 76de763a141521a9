"""The coach: each rule speaks where its figures say so, and keeps silent otherwise."""

from dataclasses import replace

import pytest

from engine.chat.records import NEAREST
from engine.recipe import Recipe
from engine.training.runs.events import Evaluated, Finished, GeneralChecked, Replied, Started, Stepped
from engine.training.runs.history import History
from engine.verdict.coach import RULES, Advice, RunFigures, advice
from engine.verdict.intervals import Interval
from tests.ui.fake_verdict import made_verdict


def history(heldout=(4.0, 2.0, 1.99), training=(3.0, 2.0, 1.8), learnt=180):
    """A run with a check at steps 0, 10, 20 ... and a step before each."""
    steps = tuple(Stepped(10 * n, n / 2, loss, 1e-4, 0.5, 100.0, 1.5, 7.0 * n) for n, loss in enumerate(training, 1))
    checks = tuple(Evaluated(10 * n, loss) for n, loss in enumerate(heldout))
    started = Started(9216, 1_000_000, 30, 0, learnt, 19, "CPU")
    return History(started, steps, checks, (10, 20), (), Finished(20, 84.0))


def replies(*told):
    """A run whose answers to three tickets invented so many facts at these steps."""
    return replace(history(), replies=(Replied(0, 3, 0), *(Replied(step, 3, invented) for step, invented in told)))


def general(before, now):
    """A run whose loss on general texts rose so."""
    return replace(history(), general=(GeneralChecked(0, before, 2.0), GeneralChecked(20, now, 2.0)))


def verdict(kind="better", alternative="base+lookup", apart=None, **means):
    """A verdict with these means of the tuned voice; ``apart`` is what it has more than the base."""
    found = made_verdict("r", "Run")
    tuned = found.headline.tuned
    figures = {voice: dict(of) for voice, of in found.figures.items()}
    calm = {"ends": 1.0, "broken": 0.0, "length": 1.0, "language": 1.0, "inventions": 0.1}
    for measure, value in {**calm, **means}.items():
        figures[tuned][measure] = Interval(value, value, value, 0.0, 19, 19)
    differences = {voice: dict(of) for voice, of in found.differences.items()}
    differences["base"]["inventions"] = apart or Interval(0.0, -0.2, 0.2, 0.1, 19, 19)
    needed = 187 if kind == "no difference" else 0
    headline = replace(found.headline, alternative=alternative, needed=needed)
    return replace(found, kind=kind, headline=headline, figures=figures, differences=differences)


def seen(of_history=None, of_verdict=None, **recipe):
    return RunFigures(Recipe(**recipe), of_history or history(), of_verdict)


WELL = seen(of_verdict=verdict())
CASES = {
    "learnt_by_heart": (
        seen(history((4.0, 1.5, 1.6), (1.6, 1.2, 0.9))),
        seen(history((4.0, 1.5, 1.6), (1.6, 1.7, 1.8))),  # training loss rose too: that is another trouble
        "from step 10 (1.50 to 1.60)",
    ),
    "ended_too_early": (seen(history((4.0, 2.0, 1.5))), seen(history((4.0, 2.0, 1.99))), "2.00 to 1.50"),
    "learnt_nothing": (seen(history((2.0, 2.1, 2.2))), seen(history((2.0, 1.5, 1.49))), "2.00 before training"),
    "forgets": (seen(general(3.0, 4.0)), seen(general(3.0, 3.0)), "on general texts has risen from 3.00 to 4.00"),
    "too_few_tickets": (seen(history(learnt=49)), seen(history(learnt=50)), "49 conversations"),
    "retrieval_is_enough": (
        seen(of_verdict=verdict("worse", NEAREST)),
        seen(of_verdict=verdict("as good", "base")),
        "points of chrF",
    ),
    "invents_more": (
        seen(of_verdict=verdict(inventions=0.9, apart=Interval(0.6, 0.3, 0.9, 0.1, 19, 19))),
        seen(of_verdict=verdict(inventions=0.9, apart=Interval(0.6, -0.1, 1.3, 0.3, 19, 19))),
        "0.9 facts an answer, 0.6 more",
    ),
    "invents_as_it_learns": (
        seen(replies((10, 2), (20, 5))),
        seen(replies((10, 2), (20, 4))),
        "2 facts from nowhere at step 10 and 5 at step 20",
    ),
    "breaks": (seen(of_verdict=verdict(broken=0.25)), seen(of_verdict=verdict(broken=0.1)), "25%"),
    "does_not_end": (seen(of_verdict=verdict(ends=0.7)), seen(of_verdict=verdict(ends=0.9)), "30%"),
    "other_language": (seen(of_verdict=verdict(language=0.5)), seen(of_verdict=verdict(language=0.95)), "50%"),
    "wrong_length": (seen(of_verdict=verdict(length=2.0)), seen(of_verdict=verdict(length=1.2)), "2.0 times"),
    "too_few_to_tell": (
        seen(of_verdict=verdict("no difference")),
        seen(of_verdict=verdict("as good")),
        "19 held-out tickets",
    ),
}
"""Rule -> figures that make it speak, figures that keep it silent, and what it must say of the first."""


def said_by(rule, figures):
    return [told for told in advice(figures) if told.rule == rule.replace("_", " ")]


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_a_rule_speaks_where_its_figures_say_so_and_else_keeps_silent(rule):
    fires, silent, words = CASES[rule]
    [told] = said_by(rule, fires)
    assert words in told.saw
    assert told.do.endswith(".")
    assert said_by(rule, silent) == []


def test_where_all_is_well_nothing_is_said():
    assert advice(WELL) == ()


def test_a_run_that_was_not_judged_and_has_no_curve_yet_is_borne():
    assert advice(RunFigures(Recipe(), History(None, (), (), (), (), None), None)) == ()


@pytest.mark.parametrize(
    ("heldout", "training", "do"),
    [
        ((2.0, 2.5, 2.6), (3.0, 2.0, 1.5), "Take smaller steps: a learning rate of 0.00004 instead of 0.0002."),
        ((2.0, 2.0, 2.0), (2.0, 2.0, 2.0), "Take larger steps: a learning rate of 0.001 instead of 0.0002."),
        ((2.0, 2.0, 2.0), (2.0, 1.5, 1.0), "What it learns of some tickets does not help with others: bring more"),
    ],
)
def test_who_has_learnt_nothing_is_told_by_the_curves_why(heldout, training, do):
    [told] = said_by("learnt_nothing", seen(history(heldout, training)))
    assert told.do.startswith(do)


@pytest.mark.parametrize(
    ("recipe", "do"),
    [
        ({}, "Train longer: 6 passes (epochs) instead of 3."),
        ({"max_steps": 30}, "Train longer: 60 steps (max_steps) instead of 30."),
        (
            {"max_steps": 30, "epochs": 1.5},
            "Train longer: 60 steps (max_steps) instead of 30, and 3 passes (epochs) instead of 1.5.",
        ),
        ({"max_steps": 900}, "Train longer: 6 passes (epochs) instead of 3."),
    ],
)
def test_longer_means_what_has_ended_the_run(recipe, do):
    [told] = said_by("ended_too_early", seen(history((4.0, 2.0, 1.5)), **recipe))
    assert told.do == do


@pytest.mark.parametrize(
    ("kept", "recipe", "do"),
    [
        (20, {}, "Take the checkpoint of step 10, or train one pass less (epochs, now 3)."),
        (10, {}, "That checkpoint is the one you have; next time train one pass less (epochs, now 3)."),
        (10, {"epochs": 1}, "That checkpoint is the one you have; next time train half as long (epochs, now 1)."),
        (20, {"max_steps": 30}, "Take the checkpoint of step 10, or train fewer steps (max_steps, now 30)."),
    ],
)
def test_who_has_the_best_checkpoint_is_not_told_to_take_it(kept, recipe, do):
    curve = replace(history((4.0, 1.5, 1.6), (1.6, 1.2, 0.9)), finished=Finished(kept, 84.0))
    [told] = said_by("learnt_by_heart", seen(curve, **recipe))
    assert told.do == do


def test_what_was_done_already_is_not_advised():
    figures = verdict("worse", "base+lookup", inventions=0.9, apart=Interval(0.6, 0.3, 0.9, 0.1, 19, 19))
    for told in advice(seen(replies((10, 2), (20, 9)), figures, lookup=True)):
        assert "look-up (lookup)" not in told.do
    assert any("look-up (lookup)" in told.do for told in advice(seen(of_verdict=figures)))


def test_where_the_base_goes_in_circles_as_well_the_rate_is_not_blamed():
    figures = verdict(broken=0.4)
    figures.figures["base"]["broken"] = Interval(0.5, 0.4, 0.6, 0.1, 19, 19)
    [told] = said_by("breaks", seen(of_verdict=figures))
    assert told.do.startswith("Take a larger base model") and "50% of the base model's" in told.saw


def test_who_has_chosen_by_inventions_is_not_told_to():
    assert said_by("invents_as_it_learns", seen(replies((10, 2), (20, 9)), best_by="both")) == []


def test_the_most_urgent_comes_first():
    told = advice(seen(history((2.0, 2.1, 2.1), learnt=10), verdict(ends=0.5)))
    assert [each.rule for each in told] == ["learnt nothing", "too few tickets", "does not end"]
    assert all(isinstance(each, Advice) for each in told)
