import errno
import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load_file

from engine.chat.playground import Sampling, answer
from engine.errors import ModelError, ResourceError, RunError, StudioError
from engine.export import packing
from engine.export.card import usage
from engine.export.importing import import_adapter
from engine.model.base import load_base
from engine.recipe import Recipe
from engine.studio import Voice
from engine.task import Task
from tests.engine.export.conftest import export, finished_run, to_checkpoints
from tests.tiny import CHATML, make_model

QUESTION = "where is my parcel please"


def test_zip_holds_exactly_what_an_adapter_needs(run, tmp_path):
    (run.adapter / "training_args.bin").write_bytes(b"not for export")
    out = export(run, tmp_path / "deep" / "out.zip")
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "base_weights.json",
            "chat_template.jinja",
            "passport.json",
            "recipe.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "usage.py",
        ]
        archive.extractall(tmp_path / "unpacked")
    weights = (tmp_path / "unpacked" / "adapter_model.safetensors").read_bytes()
    assert weights == (run.adapter / "adapter_model.safetensors").read_bytes()
    assert len(load_file(tmp_path / "unpacked" / "adapter_model.safetensors")) == 28
    config = json.loads((tmp_path / "unpacked" / "adapter_config.json").read_text())
    name = Path(run.recipe.model).name
    assert config["base_model_name_or_path"] == name
    assert json.loads((tmp_path / "unpacked" / "recipe.json").read_text()) == run.recipe.to_dict() | {"model": name}


def test_a_run_in_the_middle_gives_its_newest_checkpoint(run, workspace, tmp_path):
    to_checkpoints(run, 6, 12)
    (run.checkpoint(6) / "adapter_model.safetensors").write_bytes(b"older")
    out = export(run, tmp_path / "out.zip")
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "chat_template.jinja",
            "passport.json",
            "recipe.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "usage.py",
        ]
        newest = (run.checkpoint(12) / "adapter_model.safetensors").read_bytes()
        assert archive.read("adapter_model.safetensors") == newest
        assert "checkpoint of step 12" in archive.read("README.md").decode()
    import_adapter(workspace, out, "Taken early", known=[run.recipe.model])


def test_a_checkpoint_that_a_newer_one_has_replaced_meanwhile_makes_way_for_it(run, tmp_path):
    to_checkpoints(run, 6)

    def train_on(stage, _):
        if run.checkpoint(6).exists():
            run.checkpoint(6).rename(run.checkpoint(12))

    out = export(run, tmp_path / "out.zip", report=train_on)
    with zipfile.ZipFile(out) as archive:
        assert "checkpoint of step 12" in archive.read("README.md").decode()


def test_nothing_in_the_zip_says_where_the_base_lay(workspace, dataset, tmp_path, tiny_model):
    """A path has the name of its owner's home folder in it."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "home-of-jane" / "models" / "mine"))
    base = load_base(Recipe(model=str(folder)), tmp_path, lambda *_: None)
    out = export(finished_run(workspace, dataset, base), tmp_path / "out.zip")
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            assert b"jane" not in archive.read(name), name
            assert str(tmp_path).encode() not in archive.read(name), name


def test_progress_is_told_up_to_the_end(run, tmp_path):
    told: list[tuple[str, float | None]] = []
    export(run, tmp_path / "out.zip", report=lambda stage, done: told.append((stage, done)))
    assert told[0] == ("Writing the card", None)
    assert ("Packing it into one file", 1.0) in told
    assert told[-1] == ("Putting it in its place", 1.0)


def test_run_without_an_adapter_is_refused_and_writes_nothing(run, tmp_path):
    (run.adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(RunError, match="no adapter yet"):
        export(run, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_full_disk_leaves_the_older_export_and_no_half_file(run, tmp_path, monkeypatch):
    out = tmp_path / "exports" / "out.zip"
    out.parent.mkdir()
    out.write_bytes(b"the older one")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packing, "_add", full)
    with pytest.raises(ResourceError, match="full"):
        export(run, out)
    assert [file.name for file in out.parent.iterdir()] == ["out.zip"]
    assert out.read_bytes() == b"the older one"


def test_cancel_ends_the_packing_in_the_middle_and_leaves_no_half_file(run, tmp_path):
    out = tmp_path / "exports" / "out.zip"
    packing, go = threading.Event(), threading.Event()

    def action(task):
        def report(stage, fraction):
            if stage == "Packing it into one file":
                packing.set()
                assert go.wait(30)
            task.report(stage, fraction)

        return export(run, out, report=report)

    task = Task("Packing the adapter", action)
    assert packing.wait(30)
    assert len(list(out.parent.iterdir())) == 1
    task.cancel()
    go.set()
    with pytest.raises(StudioError, match="cancelled"):
        task.wait(30)
    assert list(out.parent.iterdir()) == []


def snippet(readme: str) -> str:
    found = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert found
    return found[1]


ONE_AFTER_THE_OTHER = """
import runpy, sys
for script, question, base in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3], strict=True):
    sys.argv = [script, question, base]
    runpy.run_path(script)
"""


def test_snippets_of_the_cards_say_what_the_playground_says(workspace, dataset, tmp_path, tiny_model):
    """The code of the README in a new process, with nothing of this program on its path."""
    told = Path(shutil.copytree(tiny_model, tmp_path / "with a template")), {"system_prompt": "hello dear customer"}
    without = tmp_path / "without one", dict[str, str]()
    make_model(without[0], template=None)
    cases, words = [], list[str]()
    for number, (folder, settings) in enumerate((told, without)):
        _penalise_repetition(folder)
        base = load_base(Recipe(model=str(folder)), tmp_path, lambda *_: None)
        assert base.chat.default_template != (folder == told[0])
        run = finished_run(workspace, dataset, base, **settings)
        with zipfile.ZipFile(export(run, tmp_path / f"{number}.zip")) as archive:
            archive.extractall(tmp_path / f"unpacked {number}")
        readme = (tmp_path / f"unpacked {number}" / "README.md").read_text()
        assert snippet(readme) == (tmp_path / f"unpacked {number}" / "usage.py").read_text()
        script = tmp_path / f"unpacked {number}" / "from_readme.py"
        ends = 'print("", answer[0, prompt["input_ids"].shape[1] :].tolist(), "=====", sep="\\n")'
        script.write_text(f"{snippet(readme)}\n{ends}\n")
        words += [str(script), QUESTION, base.ref]
        cases.append((base, run, settings))

    command = [sys.executable, "-I", "-c", ONE_AFTER_THE_OTHER, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    *printed, end = done.stdout.split("=====\n")
    assert not end
    for (base, run, settings), answered in zip(cases, printed, strict=True):
        conversation = [{"role": "user", "content": QUESTION}]
        if settings:
            conversation.insert(0, {"role": "system", "content": settings["system_prompt"]})
        *_, frame = answer(
            base, [Voice("run:a", "a", base.ref, run.adapter)], [conversation], Sampling(0.0, max_new_tokens=256)
        )
        said = frame.answers[0]
        *lines, _, tokens = answered.rstrip("\n").split("\n")
        ids = [token for token in json.loads(tokens) if token not in base.chat.stop_ids]
        assert "\n".join(lines) == said.text
        assert len(ids) == said.tokens > 0
        assert base.chat.tokenizer.decode(ids, skip_special_tokens=True) == said.text


def _penalise_repetition(model: Path) -> None:
    """As some models' generation_config.json does: neither the playground nor the script may follow it."""
    file = model / "generation_config.json"
    values = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(values | {"repetition_penalty": 1.8}))


def test_an_exported_adapter_is_not_asked_over_other_weights_of_the_same_shape(
    workspace, dataset, tmp_path, tiny_model
):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    recipe = Recipe(model=str(folder))
    base = load_base(recipe, tmp_path, lambda *_: None)
    zipped = export(finished_run(workspace, dataset, base), tmp_path / "out.zip")
    imported = import_adapter(workspace, zipped, base=str(folder))
    voice, asked = Voice("a", "A", str(folder), imported), [{"role": "user", "content": QUESTION}]
    greedy = Sampling(temperature=0.0, max_new_tokens=2)
    assert list(answer(base, [voice], [asked], greedy))
    shutil.rmtree(folder)
    make_model(folder, seed=9)
    other = load_base(recipe, tmp_path, lambda *_: None)
    with pytest.raises(ModelError, match="trained over other weights"):
        list(answer(other, [voice], [asked], greedy))


def test_the_script_asks_as_the_adapter_was_asked_while_it_learnt(workspace, dataset, tmp_path):
    thinking = CHATML.replace("assistant\n' }}", "assistant\n<think>\n' }}")
    base = load_base(Recipe(model=str(make_model(tmp_path / "base", thinking))), tmp_path, lambda *_: None)
    script = usage(finished_run(workspace, dataset, base))
    assert f"text += {base.chat.opening!r}" in script
    compile(script, "usage.py", "exec")
