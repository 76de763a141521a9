import pytest

from engine.model.catalogue import catalogue
from engine.model.size import size_of

QUERIES_AND_KEYS = {
    "starter": (9 + 3) * 64,
    "Qwen/Qwen3-0.6B": (16 + 8) * 128,
    "mistralai/Mistral-7B-Instruct-v0.3": (32 + 8) * 128,
    "Qwen/Qwen3-32B": (64 + 8) * 128,
    "meta-llama/Llama-3.3-70B-Instruct": (64 + 8) * 128,
}
"""Heads of queries and of keys times their width, from the models' config.json."""


@pytest.mark.parametrize("model", QUERIES_AND_KEYS)
def test_the_catalogues_figures_agree_with_one_another(model):
    assert size_of(model).attention == pytest.approx(QUERIES_AND_KEYS[model], rel=0.02)


def test_every_model_of_the_catalogue_has_a_size():
    for entry in catalogue():
        size = size_of(entry.id)
        assert size.linear > 0
        assert size.linear + size.other == pytest.approx(1e9 * entry.billions, rel=1e-6)
        assert size.attention >= size.hidden


def test_a_local_folder_is_measured_by_its_headers(tiny_model, tiny_base):
    size = size_of(str(tiny_model))
    config = tiny_base.model.config
    assert (size.layers, size.hidden, size.inner) == (2, 64, 128)
    assert size.other == 2 * config.vocab_size * 64
    packed = 2 * (64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 128)
    assert size.linear == packed + 5 * 64  # five norms
    assert size.attention == pytest.approx(64 + 32, rel=0.05)


@pytest.mark.parametrize(
    ("config", "weights"),
    [
        ("{}", b""),
        ("{", b""),
        ('{"hidden_size": 4, "vocab_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}', b"\xff" * 40),
        ('{"hidden_size": 4, "vocab_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}', b"abc"),
    ],
)
def test_a_damaged_folder_has_no_known_size(tmp_path, config, weights):
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert size_of(str(tmp_path)) is None


def test_what_is_not_here_has_no_known_size(tmp_path):
    assert size_of("somebody/something") is None
    assert size_of(str(tmp_path)) is None
