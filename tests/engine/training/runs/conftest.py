"""Runs that wait, that nobody works on, and that another program trains."""

import pytest

from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs.directory import RunDirectory
from engine.workspace import Workspace
from tests.engine.training.runs.owners import OWNS, in_state, program
from tests.tiny import write_data


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def run(tmp_path, data):
    return RunDirectory.create_at(tmp_path / "run", Recipe(), data, "one")


@pytest.fixture
def owner(run):
    """Another program that trains the run."""
    run.release()
    process = program(OWNS, run.path)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.fixture
def lost(tmp_path, data):
    """A studio whose queue does not know of a run that is 'running' by its own process."""
    studio = Studio(Workspace(tmp_path / "workspace"))
    made = RunDirectory.create(studio.workspace, Recipe(model=str(tmp_path / "no model")), data, "lost")
    in_state(made, "running").release()
    yield studio, made.id
    studio.close()
