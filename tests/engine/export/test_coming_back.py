"""What was taken home comes back in: with its papers, as a source of every format, and as a base model."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load_file

from engine.base_holder import BaseHolder
from engine.errors import ModelError
from engine.export.format import Choices
from engine.export.importing import adapter_recipe, import_adapter
from engine.export.making import make
from engine.export.passport import read_passport
from engine.export.registry import format_of
from engine.export.source import ExportSource
from tests.engine.export.conftest import TICKET, export


@pytest.fixture
def exported(run, tmp_path) -> Path:
    folder = tmp_path / "exported"
    folder.mkdir()
    return export(run, folder)


@pytest.fixture
def source(workspace, exported, tiny_base):
    """It has come back in; its base model stays loaded for a test."""
    bases = BaseHolder(workspace.cache)
    folder = import_adapter(workspace, exported, "Back", tiny_base.ref)
    yield ExportSource("Back", folder, adapter_recipe(folder, tiny_base.ref), bases, workspace.cache)
    bases.close()


def made(source: ExportSource, out: Path, format_: str, **choices) -> Path:
    out.mkdir()
    return make(source, format_of(format_), out, Choices(**choices), lambda *_: None)


def test_the_passport_comes_along_and_the_next_one_names_it(source, exported, tmp_path):
    first = json.loads((exported / "passport.json").read_text())
    assert read_passport(source.adapter) == first
    again = made(source, tmp_path / "again", "adapter")
    told = read_passport(again)
    assert told["imported"]["from"] == "exported"
    assert told["imported"]["passport"] == first
    assert told["adapter_sha256"] == first["adapter_sha256"]
    assert told["base"]["weights_mark"] == first["base"]["weights_mark"]
    assert told["environment"] == first["environment"]


def test_its_card_says_where_it_comes_from_and_no_word_of_a_ticket(source, tmp_path):
    again = made(source, tmp_path / "again", "adapter")
    card = (again / "README.md").read_text()
    assert "# Back" in card
    assert "| Brought in from | exported |" in card
    assert "| Loss on held-out tickets, with the adapter | 1.500 |" in card
    assert "python usage.py" in card
    assert (again / "usage.py").is_file()
    assert not any(TICKET.encode() in file.read_bytes() for file in again.iterdir())


@pytest.mark.parametrize(
    ("format_", "choices"),
    [("merged", {}), ("gguf", {"quantisation": "f16"}), ("gguf-adapter", {}), ("ollama", {"quantisation": "q8_0"})],
)
def test_it_goes_on_in_every_format_with_the_weights_that_the_run_would_have_given(
    format_, choices, source, run, tmp_path
):
    import gguf

    (tmp_path / "own").mkdir()
    own = export(run, tmp_path / "own", format_, **choices)
    again = made(source, tmp_path / "again", format_, **choices)
    if format_ == "merged":
        ours, theirs = load_file(own / "model.safetensors"), load_file(again / "model.safetensors")
        assert ours.keys() == theirs.keys()
        assert all(ours[name].equal(theirs[name]) for name in ours)
    else:
        ours, theirs = (gguf.GGUFReader(next(folder.glob("*.gguf"))).tensors for folder in (own, again))
        assert [tensor.name for tensor in ours] == [tensor.name for tensor in theirs]
        assert all((a.data == b.data).all() for a, b in zip(ours, theirs, strict=True))
    assert "Brought in from" in (again / "README.md").read_text()


def test_a_bare_peft_folder_goes_on_with_the_tokenizer_of_its_base(workspace, run, tiny_base, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(run.adapter / name, bare / name)
    folder = import_adapter(workspace, bare, "Bare", tiny_base.ref)
    bases = BaseHolder(workspace.cache)
    again = made(
        ExportSource("Bare", folder, adapter_recipe(folder, tiny_base.ref), bases, workspace.cache),
        tmp_path / "again",
        "adapter",
    )
    bases.close()
    assert (again / "tokenizer.json").read_bytes() == (Path(tiny_base.ref) / "tokenizer.json").read_bytes()
    assert "It came without a passport" in (again / "README.md").read_text()


def test_a_wrong_base_is_named_by_the_passport_before_anything_is_loaded(workspace, exported, other_tiny_model):
    (exported / "base_weights.json").unlink()
    with pytest.raises(ModelError, match="was trained over other weights than this base model has"):
        import_adapter(workspace, exported, "Back", str(other_tiny_model))
    assert list(workspace.adapters.iterdir()) == []


def test_a_passport_that_contradicts_what_lies_beside_it_is_refused(workspace, exported, tiny_base):
    file = exported / "passport.json"
    told = json.loads(file.read_text())
    for wrong, said in (
        ({"adapter_sha256": "0" * 64}, "are not those that its passport names"),
        ({"base": {"weights_mark": "0" * 32}}, "names other weights of the base model"),
    ):
        file.write_text(json.dumps(told | wrong))
        with pytest.raises(ModelError, match=said):
            import_adapter(workspace, exported, "", tiny_base.ref)
    for damaged in ("", "[1]", "[" * 100_000):
        file.write_text(damaged)
        with pytest.raises(ModelError, match=r"passport\.json in exported is damaged"):
            import_adapter(workspace, exported, "", tiny_base.ref)
    assert list(workspace.adapters.iterdir()) == []


def test_a_damaged_certificate_is_refused(workspace, exported, tiny_base, tmp_path):
    (exported / "parity.json").write_text('{"version": 1}')
    packed = tmp_path / "back.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in exported.iterdir():
            archive.write(file, file.name)
    with pytest.raises(ModelError, match=r"parity\.json in back\.zip is damaged"):
        import_adapter(workspace, packed, "", tiny_base.ref)
    assert list(workspace.adapters.iterdir()) == []
