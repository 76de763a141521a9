"""Starts: a name of their own for each, and one run a press, however many ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.base_holder import BaseHolder
from engine.errors import ResourceError, RunError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs import directory as runs
from engine.training.runs.catalogue import Runs
from engine.training.runs.queue import TrainingQueue
from engine.workspace import Workspace

DEADLINE = 60.0
TOGETHER = 4


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def dataset(studio):
    return studio.tickets.prepare_sample().wait(DEADLINE)


@pytest.fixture
def recipe(tmp_path):
    """One whose runs end by themselves: its model has the files of one, and nothing in them."""
    folder = tmp_path / "no model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    return Recipe(model=str(folder))


def at_once(action):
    """Call it from several threads in the same moment."""
    barrier = threading.Barrier(TOGETHER)

    def call(number):
        barrier.wait(DEADLINE)
        return action(number)

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(call, range(TOGETHER)))


def test_starts_in_the_same_moment_have_names_of_their_own(studio, dataset, recipe):
    made = at_once(lambda _: studio.runs.start(recipe, dataset))
    assert len(set(made)) == TOGETHER
    assert sorted(info.status.name for info in studio.runs.all()) == ["Run 1", "Run 2", "Run 3", "Run 4"]


def test_a_name_that_is_taken_gets_a_number(studio, dataset, recipe):
    at_once(lambda _: studio.runs.start(recipe, dataset, "spring"))
    assert sorted(info.status.name for info in studio.runs.all()) == [
        "spring",
        "spring (2)",
        "spring (3)",
        "spring (4)",
    ]


def test_one_press_begins_one_run_however_often_it_is_told(studio, dataset, recipe):
    made = at_once(lambda _: studio.runs.start(recipe, dataset, press="a"))
    assert len(set(made)) == 1
    assert studio.runs.start(recipe, dataset, press="a") == made[0]
    assert [info.status.name for info in studio.runs.all()] == ["Run 1"]
    assert studio.runs.start(recipe, dataset, press="b") != made[0]
    assert studio.runs.start(recipe, dataset) != studio.runs.start(recipe, dataset)


class Crossed(TrainingQueue):
    """A queue in which somebody presses Resume on a new run in the moment before its start has queued it."""

    def add(self, run):
        if not self.knows(run.id):
            super().add(run)
        super().add(run)


def test_a_run_that_is_resumed_before_its_start_has_queued_it_goes_on(studio, dataset, recipe):
    queue = Crossed(BaseHolder(studio.workspace.cache), studio.workspace.cache)
    there = Runs(studio.workspace, queue)
    run = there.begin(recipe, studio.tickets.get(dataset).folder, "shop")
    assert queue.wait(run, DEADLINE)
    assert there.get(run).status.state == "failed"
    assert "no model" in there.get(run).status.message


def test_a_start_that_finds_no_room_leaves_nothing_and_can_be_pressed_again(studio, dataset, recipe, monkeypatch):

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.training.runs.directory.shutil.copyfile", full)
        with pytest.raises(ResourceError, match="full"):
            studio.runs.start(recipe, dataset, press="a")
    assert studio.runs.all() == []
    assert list(studio.workspace.runs.iterdir()) == []
    studio.runs.start(recipe, dataset, press="a")
    assert [info.status.name for info in studio.runs.all()] == ["Run 1"]


def test_a_run_that_is_begun_while_the_program_closes_waits_for_the_next_start(studio, dataset, recipe):
    studio.runs.queue.close()
    with pytest.raises(RunError, match="being closed"):
        studio.runs.start(recipe, dataset)
    [info] = studio.runs.all()
    assert info.resumable
    assert "being closed" in info.status.message


def test_why_a_run_was_not_begun_is_told_though_that_cannot_be_written(studio, dataset, recipe, monkeypatch):
    studio.runs.queue.close()
    real = runs.write_json

    def full_at_the_end(file, values):
        if values.get("state") == "interrupted":
            raise ResourceError("The disk is full.", "Free some space.")
        real(file, values)

    monkeypatch.setattr(runs, "write_json", full_at_the_end)
    with pytest.raises(RunError, match="being closed"):
        studio.runs.start(recipe, dataset)


def test_a_run_that_comes_back_from_the_trash_is_in_the_list_at_once(studio, dataset, recipe):
    run = studio.runs.start(recipe, dataset)
    assert studio.runs.queue.wait(run, DEADLINE)
    for _ in range(5):
        deleted = studio.runs.delete(run)
        assert studio.runs.all() == []
        studio.restore(deleted)
        assert [info.id for info in studio.runs.all()] == [run]
