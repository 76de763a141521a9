"""What the window asks of the engine's one object, without a model."""

import json
import shutil

import pytest

from engine.errors import StudioError
from engine.studio import Studio
from engine.training.recipe import Recipe
from engine.training.run import RunDirectory
from engine.workspace import Workspace


@pytest.fixture
def studio(tmp_path):
    return Studio(Workspace(tmp_path / "workspace"))


def finished_run(studio, tmp_path, name, train=(), heldout=(), **changes):
    """A run's folder with an adapter in it, and the tickets it has learnt."""
    data = tmp_path / f"data of {name}"
    data.mkdir()
    for side, questions in (("train", train), ("heldout", heldout)):
        rows = [
            {"ticket": text, "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]}
            for text in questions
        ]
        (data / f"{side}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = RunDirectory.create(studio.workspace, Recipe(**changes), data, name)
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(b"")
    return f"run:{run.id}"


def test_the_standing_instruction_is_that_of_the_chosen_run(studio, tmp_path):
    plain = finished_run(studio, tmp_path, "plain")
    told = finished_run(studio, tmp_path, "told", system_prompt="Answer in two sentences.")
    assert studio.instruction([told]) == "Answer in two sentences."
    assert studio.instruction([plain]) == ""
    assert studio.instruction([]) == ""
    with pytest.raises(StudioError, match="not here any more"):
        studio.instruction(["run:gone"])


def test_a_held_out_ticket_comes_from_the_chosen_runs_own_copy(studio, tmp_path):
    first = finished_run(studio, tmp_path, "first", train=["a"], heldout=["b", "c"])
    second = finished_run(studio, tmp_path, "second", train=["b"], heldout=["a"])
    assert studio.heldout_ticket([first], "", 0).ticket == "b"
    assert studio.heldout_ticket([first, second], "", 0).ticket == "c"
    with pytest.raises(StudioError, match="no data set"):
        studio.heldout_ticket([], "", 0)


def test_a_recipe_is_tried_on_named_cards_with_and_without_tickets(studio):
    dataset = studio.tickets.prepare_sample().wait(60)
    recipe = Recipe(model="Qwen/Qwen3-8B", packing="off")
    assumed, known = studio.on_cards(recipe, None), studio.on_cards(recipe, dataset)
    assert [seen.card for seen in assumed] == [seen.card for seen in known]
    assert known[-1].gib <= assumed[-1].gib


def test_folders_that_somebody_deleted_are_empty_and_come_back(studio, tmp_path):
    shutil.rmtree(studio.workspace.root)
    assert (studio.runs(), studio.tickets.all(), [voice.id for voice in studio.voices()]) == ([], [], ["base"])
    studio.save_recipe("Mine", Recipe())
    deleted = studio.delete_recipe("Mine")
    shutil.rmtree(studio.workspace.recipes)
    studio.restore(deleted)
    assert "Mine" in studio.recipes()
    finished_run(studio, tmp_path, "after")
    assert [run.status.name for run in studio.runs()] == ["after"]
