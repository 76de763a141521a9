"""A wrong base is named when an adapter comes in, by what is wrong with it, before any model is loaded."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from engine.errors import ModelError
from engine.export.importing import import_adapter
from tests.engine.export.conftest import export
from tests.tiny import CHATML, make_model


@pytest.fixture
def adapter(run, tmp_path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return export(run, folder)


def changed(file: Path, change) -> None:
    save_file({change(name): tensor for name, tensor in load_file(file).items()}, file, {"format": "pt"})


def test_an_adapter_comes_in_over_its_own_base(workspace, adapter, tiny_model):
    assert import_adapter(workspace, adapter, base=str(tiny_model)).is_dir()


def test_another_base_of_the_same_shape_is_named_by_its_weights(workspace, adapter, other_tiny_model):
    with pytest.raises(ModelError, match="trained over other weights"):
        import_adapter(workspace, adapter, base=str(other_tiny_model))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("width", "does not fit 'base': its model.layers.0.* wide, the base's"),
        ("layers", "does not fit 'base', which has no layer model.layers.7"),
        ("vocabulary", "another vocabulary than 'base' has: 1 tokens are others, such as '<pad>'"),
        ("template", "another chat template than 'base' has"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_left(what, said, workspace, adapter, tiny_model, tmp_path):
    (adapter / "base_weights.json").unlink()
    (adapter / "passport.json").unlink(missing_ok=True)  # which tells before that the weights are others
    base = tmp_path / "base"
    weights = adapter / "adapter_model.safetensors"
    if what == "template":
        make_model(base, CHATML.replace("assistant", "agent"))
    else:
        shutil.copytree(tiny_model, base)
    if what == "width":
        tensors = load_file(weights)
        save_file(
            {name: tensor[:, :32].contiguous() if "lora_A" in name else tensor for name, tensor in tensors.items()},
            weights,
        )
    elif what == "layers":
        changed(weights, lambda name: name.replace("layers.1.", "layers.7."))
    elif what == "vocabulary":
        file = adapter / "tokenizer.json"
        values = json.loads(file.read_text())
        for token in values["added_tokens"]:
            token["id"] += 1000 * (token["content"] == "<pad>")
        values["model"]["vocab"]["<pad>"] += 1000
        file.write_text(json.dumps(values))
    with pytest.raises(ModelError, match=said):
        import_adapter(workspace, adapter, base=str(base))
    assert not list(workspace.adapters.iterdir())


def test_a_whole_model_is_told_from_an_adapter(workspace, tiny_model):
    with pytest.raises(ModelError, match="is a whole model, not an adapter"):
        import_adapter(workspace, tiny_model)
