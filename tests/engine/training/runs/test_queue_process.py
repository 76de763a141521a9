"""The queue and the run folder, with real training on a tiny model."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from engine.base_holder import BaseHolder
from engine.chat.adapters import bank_of
from engine.errors import RunError
from engine.recipe import Recipe
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Finished, LogNote, Started
from engine.training.runs.queue import TrainingQueue
from tests.forked import Forked
from tests.tiny import write_data

ROOT = Path(__file__).parents[4]
DEADLINE = 180.0


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture(scope="module")
def bases(tiny_base, tmp_path_factory):
    """The holder of all queues here."""
    made = BaseHolder(tmp_path_factory.mktemp("cache"))
    yield made
    made.close()


@pytest.fixture
def queue(bases):
    made = TrainingQueue(bases)
    yield made
    made.close()


def new_run(tmp_path, data, tiny_model, name="one", **changes):
    values = {"max_steps": 6, "epochs": 50.0, "batch_size": 2, "accumulation": 1, "max_length": 64, "eval_steps": 3}
    recipe = Recipe(**{"model": str(tiny_model), **values, **changes})
    return RunDirectory.create_at(tmp_path / name, recipe, data, name)


def until(condition, what):
    """Poll with a deadline."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


def test_a_run_takes_the_memory_that_answers_keep_for_the_next(queue, bases, tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model, max_steps=1)
    with bases.use(run.recipe) as base:
        bank_of(base).recordings._free.append("a recording")
    queue.add(run)
    assert queue.wait(run.id, DEADLINE)
    with bases.use(run.recipe) as again:
        assert again is base
        assert not bank_of(again).recordings._free


def test_a_run_goes_from_queued_to_finished_and_its_folder_tells_the_whole_story(queue, tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model)
    assert run.status.state == "queued"
    queue.add(run)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "finished"
    assert queue.current() is None
    history = RunDirectory(run.path).history.read()
    assert [seen.step for seen in history.steps] == [1, 2, 3, 4, 5, 6]
    assert history.finished is not None
    wanted = {
        "recipe.json",
        "data",
        "events.jsonl",
        "status.json",
        "environment.json",
        "checkpoints",
        "adapter",
        "curve.cache",
    }
    assert {entry.name for entry in run.path.iterdir()} == wanted | {".owner", ".status.lock"}


class ToldRun(RunDirectory):
    """Remembers in which state each event was emitted."""

    def __init__(self, path):
        super().__init__(path)
        self.told = []

    def emit(self, event):
        self.told.append((type(event), self.status.state))
        super().emit(event)


def test_a_run_is_preparing_until_it_has_started(queue, tmp_path, data, tiny_model):
    run = ToldRun(new_run(tmp_path, data, tiny_model, max_steps=2).path)
    queue.add(run)
    assert queue.wait(run.id, DEADLINE)
    kinds = [kind for kind, _ in run.told]
    begun = kinds.index(Started) + 1
    assert kinds[:begun].count(LogNote) > 1
    assert {state for _, state in run.told[:begun]} == {"preparing"}
    assert {state for _, state in run.told[begun:]} == {"running"}


def test_runs_wait_for_their_turn_and_can_leave_the_queue(queue, tmp_path, data, tiny_model):
    first, second, third = (new_run(tmp_path, data, tiny_model, name, max_steps=500) for name in ("a", "b", "c"))
    for run in (first, second, third):
        queue.add(run)
    assert queue.waiting() == ("b", "c")
    with pytest.raises(RunError, match="in progress already"):
        queue.add(second)
    queue.stop("b")
    assert second.status.state == "cancelled"
    queue.stop("a")
    assert queue.wait("a", DEADLINE)
    until(lambda: (seen := queue.current()) and seen.run == "c" and seen.step > 0, "the third run trains")
    queue.stop("c")
    assert queue.wait("c", DEADLINE)
    assert third.status.state == "cancelled"


def test_pause_holds_at_a_step_and_resume_goes_on(queue, tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model, max_steps=400, eval_steps=400)
    queue.add(run)
    until(lambda: len(run.history.read().steps) > 2, "three steps")
    queue.pause(run.id)
    until(lambda: queue.current().state == "paused", "the pause")
    assert run.status.state == "paused"
    held = len(run.history.read().steps)
    with pytest.raises(AssertionError):
        _grows(run, held, 0.5)
    queue.unpause(run.id)
    _grows(run, held, DEADLINE)
    queue.stop(run.id)
    assert queue.wait(run.id, DEADLINE)


def _grows(run, held, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(run.history.read().steps) > held:
            return
        time.sleep(0.01)
    raise AssertionError("no new step")


def test_stop_keeps_the_last_checkpoint_and_resume_finishes_the_run(queue, tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model, max_steps=60, eval_steps=50)
    queue.add(run)
    until(lambda: len(run.history.read().steps) > 3, "a few steps")
    queue.stop(run.id)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"
    [step] = run.checkpoint_steps()
    assert step >= 3
    assert run.has_adapter()
    queue.add(run)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "finished"
    assert [seen.step for seen in run.history.read().steps] == list(range(1, 61))
    assert [note.text for _, note in run.history.read().notes if note.level != "info"] == []


class HeldAtItsEnd(RunDirectory):
    """A run that waits between its last event and the writing of its end."""

    def __init__(self, path):
        super().__init__(path)
        self.at_the_end, self.go_on = threading.Event(), threading.Event()

    def emit(self, event):
        super().emit(event)
        if isinstance(event, Finished):
            self.at_the_end.set()
            assert self.go_on.wait(DEADLINE)


def test_stop_after_the_last_step_leaves_the_run_finished(queue, tmp_path, data, tiny_model):
    run = HeldAtItsEnd(new_run(tmp_path, data, tiny_model, max_steps=2, eval_steps=2).path)
    queue.add(run)
    assert run.at_the_end.wait(DEADLINE)
    queue.stop(run.id)
    assert run.status.state == "stopping"
    with pytest.raises(RunError, match="being stopped"):
        queue.unpause(run.id)
    run.update(name="renamed")
    run.go_on.set()
    assert queue.wait(run.id, DEADLINE)
    assert (run.status.state, run.status.name) == ("finished", "renamed")
    with pytest.raises(RunError, match="not in progress any more"):
        queue.stop(run.id)
    with pytest.raises(RunError, match="nothing to resume"):
        queue.add(run)
    assert RunDirectory(run.path).status.state == "finished"


def test_closing_the_program_leaves_interrupted_runs_that_go_on_later(tmp_path, data, tiny_model, bases):
    queue = TrainingQueue(bases)
    first, second = (new_run(tmp_path, data, tiny_model, name, max_steps=60, eval_steps=50) for name in ("a", "b"))
    queue.add(first)
    queue.add(second)
    until(lambda: len(first.history.read().steps) > 3, "a few steps")
    queue.close(DEADLINE)
    assert [run.status.state for run in (first, second)] == ["interrupted", "interrupted"]
    assert "closed" in first.status.message
    assert first.checkpoint_steps()
    again = TrainingQueue(bases)
    again.add(first)
    assert again.wait(first.id, DEADLINE)
    assert first.status.state == "finished"


def test_a_failure_is_told_in_the_status_and_in_the_log(queue, tmp_path, data):
    run = new_run(tmp_path, data, tmp_path / "gone")
    queue.add(run)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "failed"
    assert run.status.message.startswith(f"There is no model folder '{tmp_path / 'gone'}'")
    assert run.history.read().notes[-1][1].level == "error"


def test_a_damaged_status_file_is_rebuilt(tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model)
    for content in ("{", "[]", '{"name": "x"}', ""):
        run.status_file.write_text(content)
        assert run.status.state == "interrupted"
        assert "rebuilt" in run.status.message


def test_a_checkpoint_without_its_trainer_state_does_not_count(tmp_path, data, tiny_model):
    run = new_run(tmp_path, data, tiny_model)
    for step, files in ((5, ("trainer_state.json", "adapter_model.safetensors")), (9, ("adapter_model.safetensors",))):
        run.checkpoint(step).mkdir(parents=True)
        for name in files:
            (run.checkpoint(step) / name).write_text("{}")
    assert run.checkpoint_steps() == [5]


def test_a_run_is_never_written_over(tmp_path, data, tiny_model):
    new_run(tmp_path, data, tiny_model)
    with pytest.raises(RunError, match="already holds a run"):
        new_run(tmp_path, data, tiny_model)


def test_a_run_killed_in_the_middle_is_interrupted_and_resumes_with_the_same_losses(queue, tmp_path, data, tiny_model):
    whole = new_run(tmp_path, data, tiny_model, "whole", max_steps=40, eval_steps=10)
    queue.add(whole)
    assert queue.wait(whole.id, DEADLINE)
    command = ["-m", "engine", "train", "--data", data, "--run", tmp_path / "killed"]
    command += ["--workspace", tmp_path / "ws", "--model", tiny_model]
    for name, value in whole.recipe.changed_from(Recipe()).items():
        if name != "model":
            command += ["--set", f"{name}={value}"]
    process = Forked(command, tmp_path / "said", tmp_path / "said", os.environ)
    killed = RunDirectory(tmp_path / "killed")
    until(lambda: killed.status_file.exists() and killed.checkpoint_steps(), "the first checkpoint")
    assert killed.status.state in {"running", "finished"}
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert killed.status.state == "interrupted"
    queue.add(killed)
    assert queue.wait(killed.id, DEADLINE)
    assert killed.status.state == "finished"
    losses = [[seen.loss for seen in run.history.read().steps] for run in (whole, killed)]
    assert losses[0] == losses[1]
