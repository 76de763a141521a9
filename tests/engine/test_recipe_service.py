"""Models that are typed are checked when they are given, and when a run of one is started."""

import pytest

from engine.errors import ModelError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.workspace import Workspace
from tests.tiny import write_data


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path))
    yield made
    made.close()


def test_a_model_is_checked_when_it_is_given(studio, tiny_model):
    assert studio.recipes.checked_model(f" {tiny_model} ") == str(tiny_model)
    assert studio.recipes.checked_model("Qwen/Qwen3-4B") == "Qwen/Qwen3-4B", "of the catalogue: nobody is asked"
    with pytest.raises(ModelError, match="no model hub id either"):
        studio.recipes.checked_model("nonsense model")
    with pytest.raises(ModelError, match="the model hub cannot be reached"):
        studio.recipes.checked_model("nobody/has-this")


def test_a_run_of_what_can_be_no_model_is_not_begun(studio):
    write_data(studio.workspace.datasets / "shop")
    with pytest.raises(ModelError, match="no model hub id either"):
        studio.runs.start(Recipe(model="nonsense model"), "shop")
    assert studio.runs.all() == []


def test_a_run_of_a_model_that_cannot_be_fetched_is_not_queued(studio):
    write_data(studio.workspace.datasets / "shop")
    with pytest.raises(ModelError, match="Qwen/Qwen3-4B is not on this computer, and the model hub cannot be reached"):
        studio.runs.start(Recipe(model="Qwen/Qwen3-4B"), "shop")
    assert studio.runs.all() == []
