import torch
from bitsandbytes.nn import Linear4bit

from engine.model.unpacking import linear_4bit_layers, unpack, unpacked_bytes


def packed(model):
    for layer in linear_4bit_layers(model):
        layer.__class__ = Linear4bit
        layer.__dict__.pop("unpacked", None)
    return model


def test_an_unpacked_copy_computes_with_the_very_values_of_the_4_bit_layer(tiny_base):
    ids = torch.arange(20)[None]
    model = packed(tiny_base.copy())
    before = model(ids).logits
    unpack(linear_4bit_layers(model))
    assert torch.allclose(model(ids).logits, before, atol=1e-4)
    layer = linear_4bit_layers(model)[0]
    assert isinstance(layer, Linear4bit)
    assert layer.unpacked.dtype == layer.compute_dtype


def test_unpacking_a_copy_leaves_the_base_packed(tiny_base):
    base = packed(tiny_base.copy())
    from engine.model.sharing import weight_sharing_copy

    copy = weight_sharing_copy(base)
    unpack(linear_4bit_layers(copy))
    assert not any(hasattr(layer, "unpacked") for layer in linear_4bit_layers(base))


def test_copies_are_in_the_type_that_products_are_computed_in(tiny_base):
    model = packed(tiny_base.copy())
    layers = linear_4bit_layers(model)
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    assert unpacked_bytes(layers) == 4 * weights
    for layer in layers:
        layer.compute_dtype = torch.bfloat16
    assert unpacked_bytes(layers) == 2 * weights
    unpack(layers)
    assert {layer.unpacked.dtype for layer in layers} == {torch.bfloat16}
