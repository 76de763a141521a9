"""A run that is stopped and resumed again and again has, step by step, the losses of one that was left alone."""

import math

import pytest

from engine.training.runs.events import Evaluated
from engine.training.trainer import TrainingData
from tests.engine.training.short_runs import DATA, STUBBORN, losses, recipe, train


def stop_at(step, begun, batch_size):
    """A should_stop for a run that goes on from step ``begun``; it is asked after each step and in each check."""
    calls = iter(range(1, 1000))
    checks = sum(1 for seen in range(begun, step) if seen % 4 == 0 and (seen > begun or seen == 0))
    batches = math.ceil(len(DATA.heldout) / batch_size)
    return lambda: next(calls) >= step - begun + checks * batches


@pytest.mark.parametrize(
    "changes",
    [
        {"dropout": 0.1, "group_by_length": True, "memory": "saving"},
        {"dropout": 0.1, "group_by_length": False, "batch_size": 3, "accumulation": 1},
        {"dropout": 0.1, "packing": "on", "batch_size": 1, "accumulation": 2},
    ],
    ids=["by length", "an odd batch", "packed"],
)
def test_any_number_of_stops_changes_no_loss(changes, tiny_model, tiny_base, tmp_path):
    """Stopped after the first step, at the end of an epoch (of 5 steps), and in the middle of one, before a check."""
    made = recipe(tiny_model, max_steps=11, **changes)
    _, whole = train(made, tiny_base, tmp_path / "whole")
    seen, held, step = [], [], 0
    for until in (1, 5, 8, 11):
        options = {"should_stop": stop_at(until, step, made.batch_size)} if until < 11 else {}
        outcome, events = train(made, tiny_base, tmp_path / "cut", resume_step=step, **options)
        assert outcome.step == until, "the stop came at another step than meant"
        assert outcome.stopped is (until < 11)
        step = outcome.step
        seen += losses(events)
        held += [event for event in events if isinstance(event, Evaluated)]
    assert seen == losses(whole)
    assert held == [event for event in whole if isinstance(event, Evaluated)]


def test_a_run_cut_off_after_its_last_step_takes_no_further_one(tiny_model, tiny_base, tmp_path):
    """The program was killed between the last checkpoint and the end; 7 steps end in the middle of an epoch."""
    made = recipe(tiny_model, max_steps=7)
    whole, _ = train(made, tiny_base, tmp_path / "run", DATA)
    again, events = train(made, tiny_base, tmp_path / "run", resume_step=7)
    assert (again.step, again.kept, again.stopped) == (7, whole.kept, False)
    assert losses(events) == []
    assert not any(isinstance(event, Evaluated) for event in events)


def test_what_is_best_is_kept_however_rarely_the_recipe_saves(tiny_model, tiny_base, tmp_path):
    made = recipe(tiny_model, max_steps=8, eval_steps=2, save_steps=100, learning_rate=3e-2, keep_checkpoints=1)
    data = TrainingData(DATA.train[:3], STUBBORN)
    outcome, events = train(made, tiny_base, tmp_path / "run", data)
    held = {event.step: event.loss for event in events if isinstance(event, Evaluated) and event.step}
    assert outcome.kept == min(held, key=held.__getitem__) < 8
