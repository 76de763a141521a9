"""Every file of a workspace, damaged in nine ways: every list still comes, and what cannot be read is told in words."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.chat.records import Voice
from engine.errors import StudioError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.tickets.dataset.edits import Edits
from engine.tickets.options import PrepareOptions
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, Started, Stepped
from engine.workspace import Workspace
from tests.tiny import write_data

BINARY = bytes(range(256)) * 4
WAYS: dict[str, Callable[[bytes], bytes | None]] = {
    "an empty list": lambda was: b"[]",
    "null": lambda was: b"null",
    "an empty object": lambda was: b"{}",
    "an empty text": lambda was: b'""',
    "a number": lambda was: b"7",
    "cut off in the middle": lambda was: was[: len(was) // 2],
    "binary": lambda was: BINARY,
    "deleted": lambda was: None,
    "a folder": lambda was: None,
}
LORA = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]}


def write_adapter(folder: Path, base: str = "starter") -> Path:
    """An adapter's files as the lists look at them; nobody loads them here."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({**LORA, "base_model_name_or_path": base}))
    (folder / "adapter_model.safetensors").write_bytes(BINARY)
    return folder


def write_run(workspace: Workspace, tokenizer: Path) -> RunDirectory:
    """A finished run, with one checkpoint."""
    run = RunDirectory.create(workspace, Recipe(model="starter"), write_data(workspace.root / "given"), "Run 1")
    shutil.rmtree(workspace.root / "given")
    for event in (Started(1, 2, 3, 0, 4, 5, "Processor"), Stepped(1, 0.5, 2.0, 1e-4, 0.1, 9.0, 1.0, 2.0)):
        run.emit(event)
    run.emit(Evaluated(1, 1.5))
    write_adapter(run.adapter)
    for file in tokenizer.glob("*token*"):
        shutil.copyfile(file, run.adapter / file.name)
    checkpoint = write_adapter(run.checkpoint(1))
    (checkpoint / "trainer_state.json").write_text('{"global_step": 1}')
    (run.path / "environment.json").write_text('{"device": "Processor"}')
    run.update(state="running")
    run.update(state="finished")
    return run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A workspace with one of everything."""
    root = tmp_path_factory.mktemp("damage") / "workspace"
    studio = Studio(Workspace(root))
    dataset = studio.tickets.prepare_sample().wait(60)
    rows, _ = studio.tickets.get(dataset).page(0, 2)
    studio.tickets.edit(dataset, Edits().drop(rows[0]).rewrite(rows[1], 1, "In other words."))
    studio.recipes.save("Mine", Recipe())
    write_run(studio.workspace, tiny_model)
    folder = write_adapter(studio.workspace.adapters / "20260101-120000-theirs")
    (folder / "about.json").write_text('{"name": "Theirs", "model": "starter", "imported_at": 1}')
    (folder / "recipe.json").write_text(json.dumps(Recipe().to_dict()))
    studio.close()
    return root


def files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and "trash" not in path.parts)


@contextmanager
def damaged(file: Path, way: str) -> Iterator[None]:
    """Damage a file, and make it whole again."""
    was, mode = file.read_bytes(), file.stat().st_mode
    file.unlink()
    content = WAYS[way](was)
    if content is not None:
        file.write_bytes(content)
    elif way == "a folder":
        file.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(was)
        file.chmod(mode)


def in_words(call: Callable[[], Any]) -> None:
    """Call; a sentence is fine, any other exception is not."""
    try:
        call()
    except StudioError as error:
        assert error.message.endswith("."), error.message


def look_everywhere(studio: Studio, dataset: str, run: str, adapter: str, *, export: bool) -> None:
    """Ask what the tabs ask."""
    tickets, recipe, voices = studio.tickets, Recipe(), [f"run:{run}", f"adapter:{adapter}"]

    def data() -> Any:
        return tickets.get(dataset)

    for call in (
        lambda: data().page(0, 20),
        lambda: data().page(0, 20, "parcel"),
        lambda: data().page(0, 20, "", "heldout"),
        lambda: data().left_out(0, 20),
        lambda: data().left_out(0, 20, "no agent answer"),
        lambda: data().masked_terms(0, 20),
        lambda: [data().masked_places(term.id, 20) for term in data().masked_terms(0, 1)[0]],
        lambda: data().dropped_by_hand(0, 20),
        lambda: data().rewritten(),
        lambda: data().agents(),
        lambda: data().agents_of("0"),
        lambda: data().find("1"),
        lambda: data().conversations("train"),
        lambda: tickets.info(dataset),
        lambda: tickets.edits(dataset),
        lambda: tickets.edit(dataset, tickets.edits(dataset)),
        lambda: tickets.origin(dataset).choices(),
        lambda: tickets.want(dataset, "allow", "Kestrel"),
        lambda: studio.recipes.estimates({"a": recipe}, dataset),
        lambda: studio.recipes.on_cards(recipe, dataset),
        lambda: studio.runs.info(run),
        lambda: studio.playground.instruction([voices[0]]),
        lambda: studio.playground.instruction([voices[1]]),
        lambda: studio.playground.heldout_ticket(voices[:1], dataset, 0),
        lambda: studio.playground.heldout_ticket(voices[1:], dataset, 0),
        lambda: studio.runs.rename(run, "Run 1"),
        lambda: tickets.rename(dataset, "Sample shop"),
        lambda: studio.adapters.rename(voices[1], "Theirs"),
        lambda: studio.restore(tickets.delete(dataset)),
        lambda: studio.restore(studio.runs.delete(run)),
        lambda: studio.restore(studio.adapters.delete(voices[1])),
        lambda: studio.restore(studio.recipes.delete("Mine")),
    ):
        in_words(call)
    if export:
        in_words(lambda: studio.export.card(run))
        in_words(lambda: studio.export.size(run))


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_costs_itself_and_is_told_in_words(root, tmp_path, way):
    copy = tmp_path / "workspace"
    shutil.copytree(root, copy)
    workspace = Workspace(copy)
    dataset, run, adapter = (
        next(folder.iterdir()).name for folder in (workspace.datasets, workspace.runs, workspace.adapters)
    )
    every = {f"datasets/{dataset}", f"runs/{run}", f"adapters/{adapter}", "recipes/mine.json"}
    for file in files_of(copy):
        name = file.relative_to(copy).as_posix()
        with damaged(file, way):
            studio = Studio(workspace)
            listed = [f"datasets/{seen.id}" for seen in studio.tickets.all()]
            listed += [f"runs/{seen.id}" for seen in studio.runs.all()]
            listed += [
                f"adapters/{voice.id.partition(':')[2]}"
                for voice in studio.playground.voices()
                if "adapter" in voice.id
            ]
            listed += ["recipes/mine.json"] if "Mine" in studio.recipes.saved() else []
            told = {seen.id: seen.why for seen in studio.damaged()}
            gone = {name} if way == "deleted" else set()
            assert set(listed) | told.keys() | gone == every | gone, name
            assert not set(listed) & told.keys() and all(told.values()), name
            for identifier in told:
                deleted = studio.delete_damaged(identifier)
                assert identifier not in {seen.id for seen in studio.damaged()}
                studio.restore(deleted)
            look_everywhere(studio, dataset, run, adapter, export=name.startswith("runs"))
            studio.close()
        # What was mended by renaming is renamed again where the file was written anew.
        shutil.rmtree(copy)
        shutil.copytree(root, copy)


def test_a_data_set_without_its_name_can_be_renamed_and_learnt_from(root, tmp_path):
    shutil.copytree(root, tmp_path / "workspace")
    studio = Studio(Workspace(tmp_path / "workspace"))
    folder = next(studio.workspace.datasets.iterdir())
    (folder / "name.json").write_text("[]")
    assert [seen.name for seen in studio.tickets.all()] == [folder.name]
    studio.tickets.rename(folder.name, "Ours")
    assert [seen.name for seen in studio.tickets.all()] == ["Ours"]


def test_an_adapter_that_was_copied_in_by_hand_is_taken_in(tmp_path):
    studio = Studio(Workspace(tmp_path / "workspace"))
    folder = write_adapter(studio.workspace.adapters / "from a colleague", "Qwen/Qwen3-8B")
    assert studio.playground.voices()[1:] == [
        Voice("adapter:from a colleague", "from a colleague", "Qwen/Qwen3-8B", folder),
    ]
    assert studio.damaged() == []
    studio.adapters.rename("adapter:from a colleague", "Billing")
    assert [(voice.label, voice.model) for voice in studio.playground.voices()[1:]] == [("Billing", "Qwen/Qwen3-8B")]


def test_the_base_of_an_adapter_copied_out_of_a_run_of_the_starter_model_is_the_starter_model(tmp_path):
    studio = Studio(Workspace(tmp_path / "workspace"))
    write_adapter(studio.workspace.adapters / "mine", str(studio.workspace.cache / "starter-smollm2-135m"))
    assert [voice.model for voice in studio.playground.voices()[1:]] == ["starter"]


def test_what_is_no_adapter_is_named_with_the_reason_and_hidden_files_are_nothing(tmp_path):
    studio = Studio(Workspace(tmp_path / "workspace"))
    adapters = studio.workspace.adapters
    (adapters / "adapter.zip").write_bytes(b"PK")
    (adapters / "notes").mkdir()
    write_adapter(adapters / "nobody's", "")
    for clutter in (".DS_Store", "Thumbs.db"):
        (adapters / clutter).write_bytes(b"")
    assert {seen.id: seen.why for seen in studio.damaged()} == {
        "adapters/adapter.zip": "adapter.zip is no folder of an adapter.",
        "adapters/notes": "notes holds no adapter (adapter_config.json is missing).",
        "adapters/nobody's": "nobody's does not say which base model it belongs to.",
    }
    with pytest.raises(StudioError, match="not here any more"):
        studio.delete_damaged("adapters/../runs")
    restored = studio.delete_damaged("adapters/notes")
    studio.restore(restored)
    assert (adapters / "notes").is_dir()


def test_what_is_damaged_can_still_be_prepared_again(root, tmp_path):
    shutil.copytree(root, tmp_path / "workspace")
    studio = Studio(Workspace(tmp_path / "workspace"))
    folder = next(studio.workspace.datasets.iterdir())
    (folder / "report.json").write_bytes(b"{")
    assert studio.tickets.all() == []
    studio.tickets.prepare_again(folder.name, PrepareOptions()).wait(60)
    assert [seen.id for seen in studio.tickets.all()] == [folder.name]
