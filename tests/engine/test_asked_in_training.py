"""A run is asked while it trains: it answers with its weights of that moment, and learns as if nobody had asked."""

from concurrent.futures import Future

import pytest

from engine.chat.adapters import bank_of
from engine.errors import RunError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs.directory import RunDirectory
from engine.training.runs.job import Job
from engine.workspace import Workspace
from tests.engine.test_two_bases import DEADLINE, SHORT
from tests.engine.training.runs.test_queue_process import until
from tests.tiny import write_data

QUESTION = [{"role": "user", "content": "where is my parcel"}]


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def start(studio, tiny_model, tmp_path):
    """Queue a run; return its folder."""
    data = write_data(tmp_path / "data")

    def starting(name, **changes):
        values = {"batch_size": 2, "accumulation": 1, "max_length": 64, "learning_rate": 0.01, "dropout": 0.1}
        recipe = Recipe(model=str(tiny_model), epochs=99.0, patience=0, **{**values, **changes})
        run = studio.runs.get(RunDirectory.create(studio.workspace, recipe, data, name).id)
        studio.runs.queue.add(run)
        return run

    return starting


def ask(studio, *voices):
    """The answers of all voices, and the stages on the way."""
    frames = list(studio.playground.ask(voices, [QUESTION] * len(voices), SHORT))
    return frames[-1].answers, [frame.stage for frame in frames]


def has_begun(studio, run):
    until(lambda: run.history.read().steps and studio.runs.can_be_asked(run.id), "the first step")


def test_the_weights_that_answer_are_those_of_the_checkpoint_of_the_step_that_is_told(studio, start):
    run = start("asked", max_steps=400, save_steps=1, eval_steps=400, keep_checkpoints=1000)
    has_begun(studio, run)
    assert f"run:{run.id}@now" in [voice.id for voice in studio.playground.voices()]
    (base, tuned), stages = ask(studio, "base", f"run:{run.id}@now")
    assert any("Waiting for the step under way of 'asked'" in stage for stage in stages)
    studio.runs.stop(run.id)
    assert studio.runs.queue.wait(run.id, DEADLINE)
    step, mark = tuned.weights.removeprefix("step ").split(", ")
    with studio.bases.use(run.recipe) as held:
        bank = bank_of(held)
        assert bank.mark(bank.load(run.checkpoint(int(step)))) == mark
        other = next(made for made in run.checkpoint_steps() if made != int(step))
        assert bank.mark(bank.load(run.checkpoint(other))) != mark
        assert base.weights == held.mark[:8]
    assert f"run:{run.id}@now" not in [voice.id for voice in studio.playground.voices()]
    assert studio.playground.instruction([f"run:{run.id}@now"]) == "", "a page may still name it so"
    assert studio.playground.heldout_tickets([f"run:{run.id}@now"], "")


def test_a_run_that_is_asked_again_and_again_has_the_losses_of_one_that_is_not(studio, start):
    alone = start("alone", max_steps=30, eval_steps=10)
    assert studio.runs.queue.wait(alone.id, DEADLINE)
    asked, answered = start("asked", max_steps=30, eval_steps=10), 0
    while not studio.runs.queue.wait(asked.id, 0.01):
        if studio.runs.can_be_asked(asked.id):
            try:
                ask(studio, "base", f"run:{asked.id}@now")
                answered += 1
            except RunError as error:
                assert "not" in error.message  # it has ended in this moment
    assert answered > 0
    histories = [run.history.read() for run in (alone, asked)]
    assert len({tuple(step.loss for step in history.steps) for history in histories}) == 1
    assert len({tuple(check.loss for check in history.evaluations) for history in histories}) == 1


def test_a_paused_run_answers_at_once_and_stays_paused(studio, start):
    run = start("held", max_steps=400, eval_steps=400)
    has_begun(studio, run)
    studio.runs.pause(run.id)
    until(lambda: studio.runs.queue.current().state == "paused", "the pause")
    first, _ = ask(studio, f"run:{run.id}@now")
    again, _ = ask(studio, f"run:{run.id}@now")
    assert first[0].weights == again[0].weights
    assert (first[0].text, first[0].tokens) == (again[0].text, again[0].tokens)
    until(lambda: studio.runs.queue.current().state == "paused", "the pause goes on")


def test_whoever_stops_waiting_for_the_step_is_let_go(studio, start, monkeypatch):
    run = start("held", max_steps=400, eval_steps=400)
    has_begun(studio, run)
    monkeypatch.setattr(studio.runs, "snapshot", lambda run: Future())  # a step that takes for ever
    for frame in studio.playground.ask([f"run:{run.id}@now"], [QUESTION], SHORT, "me"):
        last = frame
        studio.playground.stop("me")
    assert last.answers[0].stopped_by == "cancelled"


def test_a_run_that_does_not_train_here_is_refused_in_words(studio, start):
    run = start("done", max_steps=2, eval_steps=2)
    assert studio.runs.queue.wait(run.id, DEADLINE)
    assert not studio.runs.can_be_asked(run.id)
    with pytest.raises(RunError, match="not in progress"):
        studio.runs.snapshot(run.id)


def test_who_waits_when_the_run_ends_is_told(studio, start, monkeypatch):
    run = start("ends", max_steps=400, eval_steps=400)
    monkeypatch.setattr(Job, "_hand_out", lambda job: None)  # none of its steps ends any more
    has_begun(studio, run)
    weights = studio.runs.snapshot(run.id)
    studio.runs.stop(run.id)
    with pytest.raises(RunError, match="not training in this program"):
        weights.result(DEADLINE)
