import json

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import ModelError
from engine.model.adapter_files import check_mark, write_mark
from engine.model.fingerprint import INDEX, weights_mark


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint's weights in one file; returns what writes other ones."""

    def written(name, tensors):
        folder = tmp_path / name
        folder.mkdir()
        save_file(tensors, folder / "model.safetensors")
        return folder

    return written


def tensors(seed: int = 0):
    torch.manual_seed(seed)
    return {"a.weight": torch.randn(8, 6).bfloat16(), "b.weight": torch.randn(40, 50), "c.bias": torch.randn(7)}


def test_other_weights_of_one_shape_have_another_mark(checkpoint):
    mark = weights_mark(str(checkpoint("one", tensors())))
    assert mark
    assert weights_mark(str(checkpoint("same", tensors()))) == mark
    assert weights_mark(str(checkpoint("other", tensors(1)))) != mark
    for name in tensors():
        touched = tensors()
        touched[name] = touched[name] + 0.01
        assert weights_mark(str(checkpoint(f"tuned {name}", touched))) != mark


def test_the_files_that_weights_lie_in_and_their_wider_type_do_not_matter(checkpoint, tmp_path):
    mark = weights_mark(str(checkpoint("one", tensors())))
    wider = {name: tensor.float() for name, tensor in tensors().items()}
    assert weights_mark(str(checkpoint("wider", wider))) == mark
    parts = tmp_path / "parts"
    parts.mkdir()
    table = {}
    for number, (name, tensor) in enumerate(tensors().items()):
        save_file({name: tensor}, parts / f"part-{number}.safetensors")
        table[name] = f"part-{number}.safetensors"
    (parts / INDEX).write_text(json.dumps({"weight_map": table}))
    assert weights_mark(str(parts)) == mark


def test_where_there_is_nothing_to_mark_nothing_is_compared(tmp_path):
    assert weights_mark(str(tmp_path)) == ""
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    assert weights_mark(str(tmp_path)) == ""
    write_mark(tmp_path, "")
    check_mark(tmp_path, "abc")
    write_mark(tmp_path, "abc")
    check_mark(tmp_path, "")
    check_mark(tmp_path, "abc")
    with pytest.raises(ModelError, match="other weights"):
        check_mark(tmp_path, "abd")


def test_a_loaded_base_bears_the_mark_of_its_files(tiny_base, tiny_model):
    assert tiny_base.mark == weights_mark(str(tiny_model)) != ""
