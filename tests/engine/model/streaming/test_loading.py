"""A checkpoint goes into an arena weight by weight, and is the model that it is anywhere else."""

import pytest
import torch

from engine.model.base import load_base
from engine.model.streaming import loading
from engine.model.unpacking import linear_4bit_layers
from engine.recipe import Recipe

IDS = torch.arange(20)[None]


def loaded(ref, folder):
    return load_base(Recipe(model=str(ref), memory="streamed"), folder, lambda *_: None)


@pytest.fixture(scope="module")
def packed_checkpoint(packed_base, tmp_path_factory):
    """A checkpoint that is in 4 bit already."""
    folder = tmp_path_factory.mktemp("packed") / "model"
    packed_base.model.save_pretrained(folder)
    packed_base.chat.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["16 bit", "4 bit"])
def test_a_streamed_base_is_loaded_bit_for_bit(kind, packed_base, packed_checkpoint, tmp_path):
    base = loaded(packed_base.ref if kind == "16 bit" else packed_checkpoint, tmp_path)
    assert base.is_streamed
    pieces = [range(piece.data_ptr(), piece.data_ptr() + piece.nbytes) for piece in base.arena.pieces]
    layers = zip(linear_4bit_layers(base.model), linear_4bit_layers(packed_base.model), strict=True)
    for number, (own, other) in enumerate(layers):
        assert own.weight.data_ptr() in pieces[number // 7]
        assert own.quant_state is own.weight.quant_state
        assert torch.equal(own.weight, other.weight)
    with torch.no_grad():
        assert torch.equal(base.copy()(IDS).logits, packed_base.model(IDS).logits)
    assert loading.AUTO_QUANTIZER_MAPPING[loading.METHOD] is loading.Bnb4BitHfQuantizer


def test_no_more_than_one_weight_is_there_in_16_bit(packed_base, tmp_path, monkeypatch):
    alive, real = [], loading._Packed.convert

    def convert(self, input_dict, full_layer_name=None, model=None, **options):
        there = [layer.weight for layer in linear_4bit_layers(model) if layer.weight.device.type != "meta"]
        alive.append((len(there), any(weight.is_floating_point() for weight in there)))
        return real(self, input_dict, full_layer_name=full_layer_name, model=model, **options)

    monkeypatch.setattr(loading._Packed, "convert", convert)
    loaded(packed_base.ref, tmp_path)
    assert alive == [(number, False) for number in range(35)]


def test_where_memory_is_short_the_arena_is_a_file(packed_base, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MEMORY_SHARE", 0.0)
    base = loaded(packed_base.ref, tmp_path)
    assert (tmp_path / loading.ARENA_FILE).stat().st_size > base.arena.bytes
    with torch.no_grad():
        assert torch.equal(base.copy()(IDS).logits, packed_base.model(IDS).logits)
