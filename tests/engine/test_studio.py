"""What the window asks of the engine's one object, without a model."""

import json
import shutil
import sys
import threading

import pytest

from engine.errors import RunError, StudioError
from engine.presets import presets
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs import ownership
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Stepped
from engine.workspace import Workspace
from tests.engine.chat.lora import make_lora


@pytest.fixture
def studio(tmp_path):
    return Studio(Workspace(tmp_path / "workspace"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A workspace with the sample shop, and the shop's id; copied, never used."""
    workspace = Workspace(tmp_path_factory.mktemp("prepared") / "workspace")
    return workspace.root, Studio(workspace).tickets.prepare_sample().wait(60)


@pytest.fixture
def shop(prepared, tmp_path):
    """A studio with the sample shop, whose queue takes no run any more; and the shop's id."""
    studio = Studio(Workspace(shutil.copytree(prepared[0], tmp_path / "shop")))
    studio.runs.queue.close()
    return studio, prepared[1]


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
    assert studio.playground.instruction([told]) == "Answer in two sentences."
    assert studio.playground.instruction([plain]) == ""
    assert studio.playground.instruction([]) == ""
    with pytest.raises(StudioError, match="not here any more"):
        studio.playground.instruction(["run:gone"])


def test_a_held_out_ticket_comes_from_the_chosen_runs_own_copy(studio, tmp_path):
    first = finished_run(studio, tmp_path, "first", train=["a"], heldout=["b", "c"])
    second = finished_run(studio, tmp_path, "second", train=["b"], heldout=["a"])
    assert studio.playground.heldout_ticket([first], "", 0).ticket == "b"
    assert studio.playground.heldout_ticket([first, second], "", 0).ticket == "c"
    with pytest.raises(StudioError, match="no data set"):
        studio.playground.heldout_ticket([], "", 0)


def test_a_recipe_is_tried_on_named_cards_with_and_without_tickets(shop):
    studio, dataset = shop
    recipe = Recipe(model="Qwen/Qwen3-8B", packing="off")
    assumed, known = studio.recipes.on_cards(recipe, None), studio.recipes.on_cards(recipe, dataset)
    assert [seen.card for seen in assumed] == [seen.card for seen in known]
    assert known[-1].gib <= assumed[-1].gib


def test_folders_that_somebody_deleted_are_empty_and_come_back(studio, tmp_path):
    shutil.rmtree(studio.workspace.root)
    assert (studio.runs.all(), studio.tickets.all(), [voice.id for voice in studio.playground.voices()]) == (
        [],
        [],
        ["base"],
    )
    studio.recipes.save("Mine", Recipe())
    deleted = studio.recipes.delete("Mine")
    shutil.rmtree(studio.workspace.recipes)
    studio.restore(deleted)
    assert "Mine" in studio.recipes.saved()
    finished_run(studio, tmp_path, "after")
    assert [run.status.name for run in studio.runs.all()] == ["after"]


def test_a_held_out_ticket_comes_from_the_data_set_where_no_voice_is_a_run(shop, tmp_path):
    studio, dataset = shop
    assert studio.playground.heldout_ticket(["base"], dataset, 0).messages
    learnt = finished_run(studio, tmp_path, "learnt", train=["a"], heldout=["b"])
    assert studio.playground.heldout_ticket(["base", learnt], dataset, 0).ticket == "b"
    assert studio.playground.heldout_ticket(["base", learnt], "", 0).ticket == "b"


def test_a_time_is_told_from_runs_of_the_same_model_alone(shop, tmp_path):
    studio, dataset = shop
    recipes = {model: Recipe(model=model) for model in ("somebody/model", "somebody/other")}
    run = studio.runs.get(finished_run(studio, tmp_path, "earlier", model="somebody/model").removeprefix("run:"))
    for step in (1, 2, 3):
        run.emit(Stepped(step, 0.1, 1.0, 1e-4, 1.0, 10.0, 1.0, float(step)))
    damaged = studio.runs.get(finished_run(studio, tmp_path, "damaged").removeprefix("run:"))
    (damaged.path / "recipe.json").write_text("{")
    seen = studio.recipes.estimates(recipes, dataset)
    assert seen["somebody/model"].seconds
    assert seen["somebody/other"].seconds is None


def test_the_command_line_names_the_model_once(studio):
    words = studio.recipes.command_line(Recipe(model="somebody/model", rank=8), None)
    assert words.count("somebody/model") == 1
    assert "--set rank=8" in words


def test_the_command_line_starts_from_the_preset_that_is_chosen(studio):
    words = studio.recipes.command_line(presets()["quick"].recipe, None, preset="quick")
    assert "--preset quick" in words
    assert "--set" not in words


def test_runs_get_the_next_free_name(shop):
    studio, dataset = shop
    for _ in range(3):
        with pytest.raises(RunError, match="being closed"):
            studio.runs.start(Recipe(), dataset)
    assert [run.status.name for run in studio.runs.all()] == ["Run 3", "Run 2", "Run 1"]
    assert {run.status.state for run in studio.runs.all()} == {"interrupted"}
    assert all(run.resumable for run in studio.runs.all())


def test_a_run_that_could_not_be_made_leaves_nothing_behind(studio, tmp_path, monkeypatch):
    class Tickets:
        """A data set that is damaged."""

        name = "tickets"

        @property
        def folder(self):
            (tmp_path / "tickets" / "train.jsonl").mkdir(parents=True)
            return tmp_path / "tickets"

    for asked in ("get", "info"):
        monkeypatch.setattr(studio.tickets, asked, lambda _: Tickets())
    with pytest.raises(StudioError, match="could not be used"):
        studio.runs.start(Recipe(), "tickets", "Mine")
    assert list(studio.workspace.runs.iterdir()) == []
    assert not [folder for _, folder in ownership._held if folder.parent == studio.workspace.runs]
    assert studio.runs.all() == []


def test_a_run_is_one_object_for_everybody_from_the_moment_that_it_is_there(shop):
    """Else its curve is read twice, and what one of them knows of it the other does not."""
    studio, dataset = shop
    seen, ended = {}, threading.Event()

    def look():
        while not ended.is_set():
            for folder in list(studio.workspace.runs.iterdir()):
                seen.setdefault(folder.name, set()).add(studio.runs.get(folder.name))

    looks = threading.Thread(target=look)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    looks.start()
    try:
        for number in range(20):
            with pytest.raises(RunError, match="being closed"):
                studio.runs.start(Recipe(), dataset, str(number))
    finally:
        ended.set()
        looks.join()
        sys.setswitchinterval(before)
    assert seen
    assert all(len(objects) == 1 for objects in seen.values())


def test_what_is_no_run_is_no_run(studio, tmp_path):
    ended = finished_run(studio, tmp_path, "ended").removeprefix("run:")
    (studio.workspace.runs / "notes.txt").touch()
    assert [run.id for run in studio.runs.all()] == [ended]
    studio.runs.get(ended).update(state="running")
    studio.runs.get(ended).update(state="finished")
    assert not studio.runs.info(ended).resumable


def test_a_run_answers_with_its_newest_checkpoint_until_it_has_ended(studio, tmp_path):
    run = studio.runs.get(finished_run(studio, tmp_path, "one").removeprefix("run:"))
    run.update(state="running")
    shutil.rmtree(run.adapter)
    assert [voice.id for voice in studio.playground.voices()] == ["base"]
    for step in (3, 12):
        run.checkpoint(step).mkdir(parents=True)
        for name in ("trainer_state.json", "adapter_model.safetensors"):
            (run.checkpoint(step) / name).write_text("{}")
    assert [(voice.id, voice.label) for voice in studio.playground.voices()[1:]] == [
        (f"run:{run.id}@12", "one, step 12")
    ]
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(b"")
    assert [(voice.id, voice.label) for voice in studio.playground.voices()[1:]] == [(f"run:{run.id}", "one")]


def imported(studio, name, **recipe):
    """An imported adapter's folder, with the recipe it was trained by."""
    folder = studio.workspace.adapters / name
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "starter"}))
    (folder / "adapter_model.safetensors").write_bytes(b"")
    (folder / "about.json").write_text(json.dumps({"name": name, "model": "starter"}))
    (folder / "recipe.json").write_text(json.dumps(Recipe(**recipe).to_dict()))
    return f"adapter:{name}"


def test_an_imported_adapter_brings_its_instruction_unless_a_run_does(studio, tmp_path):
    brought = imported(studio, "brought", system_prompt="Be brief.")
    run = finished_run(studio, tmp_path, "told", system_prompt="Answer in two sentences.")
    assert studio.playground.instruction(["base", brought]) == "Be brief."
    assert studio.playground.instruction(["base", brought, run]) == "Answer in two sentences."


def test_only_imported_adapters_are_renamed_and_deleted_as_such(studio, tmp_path):
    run, brought = finished_run(studio, tmp_path, "mine"), imported(studio, "brought")
    for voice in ("base", run):
        with pytest.raises(StudioError, match="Only imported adapters"):
            studio.adapters.delete(voice)
        with pytest.raises(StudioError, match="Only imported adapters"):
            studio.adapters.rename(voice, "other")
    studio.adapters.rename(brought, "renamed")
    assert studio.playground.voice(brought).label == "renamed"
    deleted = studio.adapters.delete(brought)
    with pytest.raises(StudioError, match="not here any more"):
        studio.adapters.delete(brought)
    studio.restore(deleted)
    assert studio.playground.voice(brought).label == "renamed"


def test_the_size_of_an_adapter_is_that_of_the_files_that_are_packed(studio, tmp_path):
    run = finished_run(studio, tmp_path, "one").removeprefix("run:")
    (studio.runs.get(run).adapter / "adapter_config.json").write_bytes(b"12345")
    (studio.runs.get(run).adapter / "notes.txt").write_bytes(b"not packed")
    assert studio.export.size(run) == 5


def test_an_adapter_finds_its_base_among_those_of_runs_though_one_of_them_is_damaged(studio, tmp_path, tiny_base):
    base = tmp_path / "models" / "mine"
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}")
    studio.runs.get(finished_run(studio, tmp_path, "good", model=str(base)).removeprefix("run:"))
    damaged = studio.runs.get(finished_run(studio, tmp_path, "damaged").removeprefix("run:"))
    (damaged.path / "recipe.json").write_text("{")
    folder = make_lora(tiny_base, tmp_path / "adapter", 1)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/elsewhere/mine"}))
    assert studio.playground.voice(studio.adapters.bring_in(folder)).model == str(base)
