"""A whole model comes in as a base: ours and others', and what is wrong with it is said before it is loaded."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.chat.records import Sampling
from engine.errors import Cancelled, ModelError
from engine.export.importing import import_adapter
from engine.export.importing_model import import_model, is_whole_model
from engine.recipe import Recipe
from engine.studio import Studio
from tests.engine.export.conftest import export
from tests.tiny import make_model


@pytest.fixture
def model(tiny_model, tmp_path) -> Path:
    """One of one's own."""
    return Path(shutil.copytree(tiny_model, tmp_path / "shop-merged"))


def nothing(*_):
    """Report to nobody."""


def edit(folder: Path, **values):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def edit_weights(folder: Path, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def zipped(folder: Path, out: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, prefix + file.name)
    return out


def test_a_merged_folder_of_ours_is_a_base_to_train_over_and_to_ask(workspace, run, tmp_path):
    (tmp_path / "merged").mkdir()
    merged = export(run, tmp_path / "merged", "merged")
    assert is_whole_model(merged)
    studio = Studio(workspace)
    try:
        brought = studio.importing.bring_in(str(merged), "Shop").wait(60)
        assert brought.is_model
        voice = studio.playground.voice(brought.voice)
        assert (voice.label, voice.model, voice.path) == ("Shop", str(merged), None)
        assert studio.recipes.own_models() == {str(merged): "Shop"}
        assert studio.recipes.checked_model(str(merged)) == str(merged)
        ask = [[{"role": "user", "content": "where is my parcel"}]]
        *_, frame = studio.playground.ask([brought.voice], ask, Sampling(0.0, max_new_tokens=6))
        assert frame.answers[0].tokens > 0
        with studio.bases.use(Recipe(model=str(merged))) as base:
            assert base.ref == str(merged)
        studio.adapters.rename(brought.voice, "Our shop")
        assert studio.playground.voice(brought.voice).label == "Our shop"
        studio.restore(studio.adapters.delete(brought.voice))
        studio.adapters.delete(brought.voice)
        assert studio.recipes.own_models() == {}
    finally:
        studio.close()
    assert (merged / "model.safetensors").is_file(), "a folder stays where it was"


def test_a_model_in_a_zip_is_unpacked_and_none_of_its_scripts(workspace, model, tmp_path):
    (model / "modeling_shop.py").write_text("raise SystemExit")
    packed = zipped(model, tmp_path / "shop.zip", "shop/")
    assert is_whole_model(packed)
    entry = import_model(workspace, packed, "", nothing)
    files = {file.name for file in (entry / "checkpoint").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= files
    assert "modeling_shop.py" not in files
    assert json.loads((entry / "about.json").read_text())["name"] == "shop"


def test_a_zip_that_is_called_off_leaves_nothing(workspace, model, tmp_path):
    def call_off(stage, _):
        if stage.startswith("Unpacking model.safetensors"):
            raise Cancelled

    with pytest.raises(Cancelled):
        import_model(workspace, zipped(model, tmp_path / "shop.zip"), "", call_off)
    assert list(workspace.models.iterdir()) == []


def cut_off(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def a_pickle(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps({"a": [1]}))


def only_pickles(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def elsewhere(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../etc/passwd"}}')


def a_missing_shard(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00002-of-00002.safetensors"}}')


def a_layer_less(folder):
    edit_weights(folder, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))


def another_shape(folder):
    edit_weights(folder, lambda tensors: tensors.update({"model.norm.weight": torch.zeros(3, dtype=torch.float32)}))


def without_template_words(folder):
    file = folder / "chat_template.jinja"
    file.write_text("{{ raise_exception('no') }}")


def of_another_vocabulary(folder):
    other = folder.parent / "other"
    make_model(other)
    edit(folder, vocab_size=100)
    edit_weights(
        folder,
        lambda tensors: tensors.update(
            {name: tensors[name][:100].clone() for name in ("model.embed_tokens.weight", "lm_head.weight")}
        ),
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_off, r"model\.safetensors in shop-merged was cut off"),
        (a_pickle, "is no safetensors file under that name"),
        (only_pickles, r"its weights are pickles \(\.bin\), which could run code"),
        (elsewhere, "names a file that lies elsewhere"),
        (a_missing_shard, r"model-00002-of-00002\.safetensors is missing"),
        (a_layer_less, r"lacks model\.layers\.1\.mlp\.up_proj\.weight"),
        (another_shape, r"model\.norm\.weight is 3, and should be 64"),
        (of_another_vocabulary, "The tokenizer in shop-merged belongs to another model"),
        (without_template_words, "chat template"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer in shop-merged is missing or damaged"),
        (lambda folder: edit(folder, num_hidden_layers=10**9), r"says num_hidden_layers 1000000000; models have"),
        (lambda folder: edit(folder, hidden_size=-1), "says hidden_size -1"),
        (lambda folder: edit(folder, model_type="warp"), "could not be loaded"),
        (lambda folder: edit(folder, quantization_config={"quant_method": "gptq"}), r"quantised already \(GPTQ\)"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"config\.json in shop-merged is damaged"),
    ],
)
def test_what_is_wrong_with_a_model_is_said_before_it_is_loaded(spoil, said, workspace, model):
    spoil(model)
    with pytest.raises(ModelError, match=said) as told:
        import_model(workspace, model, "", nothing)
    assert "Traceback" not in str(told.value)
    assert list(workspace.models.iterdir()) == []


def test_a_model_that_was_changed_after_its_passport_was_written_is_refused(workspace, run, tmp_path):
    (tmp_path / "merged").mkdir()
    merged = export(run, tmp_path / "merged", "merged")
    edit(merged, rope_theta=5.0)
    with pytest.raises(ModelError, match=r"not as its passport says: config\.json was changed"):
        import_model(workspace, merged, "", nothing)


def test_a_model_is_no_adapter(workspace, model):
    with pytest.raises(ModelError, match="is a whole model, not an adapter"):
        import_adapter(workspace, model)
