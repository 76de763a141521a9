import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import ModelError
from engine.model import adapter_files
from engine.model.adapter_config import read_config
from engine.model.adapter_files import read_adapter, read_tensors
from tests.engine.chat.lora import make_lora


@pytest.fixture(scope="session")
def sound(tiny_base, tmp_path_factory) -> Path:
    return make_lora(tiny_base, tmp_path_factory.mktemp("sound") / "sound", seed=1)


@pytest.fixture
def folder(sound, tmp_path) -> Path:
    return shutil.copytree(sound, tmp_path / "adapter")


def change(folder: Path, **values) -> Path:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
    return folder


def as_bin(folder: Path, content) -> Path:
    (folder / "adapter_model.safetensors").unlink()
    torch.save(content, folder / "adapter_model.bin")
    return folder


def test_adapter_of_peft_is_read_whole(folder):
    adapter = read_adapter(folder)
    assert len(adapter.layers) == 14
    assert adapter.layers["model.layers.1.mlp.down_proj"].down.shape == (8, 128)
    assert adapter.layers["model.layers.1.mlp.down_proj"].up.shape == (64, 8)
    assert adapter.base_biases == {}
    assert adapter.config.scale("model.layers.0.self_attn.q_proj", 8) == 2.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"peft_type": "PROMPT_TUNING"}, "PROMPT_TUNING adapter, not a LoRA"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"peft_type": None}, "not a LoRA"),
        ({"task_type": "SEQ_CLS"}, "SEQ_CLS"),
        ({"modules_to_save": ["embed_tokens"]}, "whole replaced layers"),
        ({"trainable_token_indices": [1]}, "trained tokens"),
        ({"target_parameters": ["experts.up"]}, "expert weights"),
        ({"layer_replication": [[0, 1]]}, "layer replication"),
        ({"init_lora_weights": "olora"}, "altered base model"),
        ({"init_lora_weights": "pissa_niter_4"}, "altered base model"),
        ({"init_lora_weights": ["a"]}, "altered base model"),
        ({"sparse_magic": True}, "'sparse_magic', which this version does not know"),
        ({"r": 0}, "a rank of 0, where 1 to 4,096 can be"),
        ({"r": -8}, "a rank of -8"),
        ({"r": 10**9}, "a rank of 1000000000"),
        ({"r": True}, "a rank of True"),
        ({"rank_pattern": {"q_proj": 10**9}}, "a rank of 1000000000"),
        ({"r": "sixteen"}, "damaged"),
        ({"lora_alpha": "NaN"}, "damaged"),
        ({"lora_alpha": None}, "damaged"),
        ({"lora_alpha": 0}, "alpha of 0, which switches it off"),
        ({"alpha_pattern": {"(a+)+$": 3}}, "damaged"),
        ({"alpha_pattern": {"a.*b.*c.*d": 3}}, "damaged"),
        ({"alpha_pattern": ["q_proj"]}, "damaged"),
        ({"alpha_pattern": {"q_proj\\": 3}}, "damaged"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_configuration_that_cannot_answer_here_is_refused_in_words(folder, values, said):
    with pytest.raises(ModelError, match=said.replace("(", r"\(")):
        read_config(change(folder, **values))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"r": 1e999}'], ids=lambda text: text[:12])
def test_damaged_configuration_is_refused_in_words(folder, text):
    (folder / "adapter_config.json").write_text(text)
    with pytest.raises(ModelError):
        read_config(folder)


def test_huge_configuration_is_not_read(folder):
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8, "target_modules": ["x" * 2_000_000]}))
    with pytest.raises(ModelError, match=r"2 MB; at most 1 MB"):
        read_config(folder)


def test_missing_parts_are_named(folder):
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors is missing"):
        read_adapter(folder)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(ModelError, match=r"adapter_config\.json is missing"):
        read_adapter(folder)


@pytest.mark.parametrize("keep", [0, 5, 2000])
def test_torn_weights_are_refused_in_words(folder, keep):
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelError, match="damaged"):
        read_adapter(folder)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, bad):
    weights = load_file(folder / "adapter_model.safetensors")
    next(iter(weights.values()))[0, 0] = bad
    save_file(weights, folder / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="no numbers"):
        read_adapter(folder)


def test_strange_and_incomplete_weights_are_refused(folder):
    weights = load_file(folder / "adapter_model.safetensors")
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    for altered in (
        weights | {"base_model.model.lm_head.weight": torch.ones(3, 3)},
        {name: tensor for name, tensor in weights.items() if name != key},
        weights | {key: torch.ones(5, 64)},
        weights | {key: torch.ones(8)},
        {},
    ):
        save_file(altered, folder / "adapter_model.safetensors")
        with pytest.raises(ModelError):
            read_adapter(folder)


@pytest.mark.parametrize(
    ("rank", "said"),
    [(16, "are of rank 16, and adapter_config.json says 8"), (5000, r"are of rank 5,000; it can be 1 to 4,096")],
)
def test_weights_of_another_rank_than_the_configuration_says_are_refused(folder, rank, said):
    weights, layer = load_file(folder / "adapter_model.safetensors"), "base_model.model.model.layers.0.self_attn.q_proj"
    ours = {f"{layer}.lora_A.weight": torch.zeros(rank, 64), f"{layer}.lora_B.weight": torch.zeros(64, rank)}
    save_file(weights | ours, folder / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=said):
        read_adapter(folder)


def test_a_layer_may_have_a_rank_of_its_own(tiny_base, tmp_path):
    made = make_lora(tiny_base, tmp_path / "own", seed=1, rank_pattern={r"layers\.1\.mlp\.up_proj": 2})
    layers = read_adapter(made).layers
    assert [layers[f"model.layers.{n}.mlp.up_proj"].down.shape[0] for n in (0, 1)] == [8, 2]


def test_bin_with_nothing_but_weights_is_read(folder):
    weights = load_file(folder / "adapter_model.safetensors")
    read = read_tensors(as_bin(folder, weights))
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)


class Mischief:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (os.mkdir, (str(self.marker),))


@pytest.mark.parametrize("old_format", [False, True])
def test_bin_that_runs_code_is_refused_and_runs_nothing(folder, tmp_path, old_format):
    marker = tmp_path / "it ran"
    as_bin(folder, {})
    content = {"base_model.model.x.lora_A.weight": Mischief(marker)}
    if old_format:
        (folder / "adapter_model.bin").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, folder / "adapter_model.bin")
    with pytest.raises(ModelError, match="could run code"):
        read_adapter(folder)
    assert not marker.exists()


def test_bin_that_claims_a_huge_shape_over_one_number_is_refused(folder):
    as_bin(folder, {"base_model.model.x.lora_A.weight": torch.zeros(1).expand(10**12)})
    with pytest.raises(ModelError, match="no adapter weights"):
        read_adapter(folder)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {1: torch.ones(1)}, {"a": torch.ones(2, 2).to_sparse()}])
def test_bin_of_something_else_is_refused(folder, content):
    with pytest.raises(ModelError):
        read_adapter(as_bin(folder, content))


def test_weights_beyond_the_limit_are_not_read(folder, monkeypatch):
    monkeypatch.setattr(adapter_files, "MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(ModelError, match="at most"):
        read_adapter(folder)
    with pytest.raises(ModelError, match="at most"):
        read_adapter(as_bin(folder, {"a": torch.ones(1000)}))
