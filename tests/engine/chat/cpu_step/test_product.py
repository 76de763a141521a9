"""The code of a product against float64."""

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from torch import nn

from engine.chat.adapted_linear import LoraWeights
from engine.chat.cpu_step.decoder_layers import Norm
from engine.chat.cpu_step.grouped_product import GroupedProduct, Scratch
from engine.chat.cpu_step.machine import lanes_here
from engine.chat.cpu_step.matrices import weights_of

WIDTH = 128
pytestmark = pytest.mark.skipif(lanes_here() is None, reason="no code can be made for this processor")


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def packed(outputs, *, bias=False, nested=True, kind="nf4"):
    layer = Linear4bit(
        WIDTH, outputs, bias=bias, quant_type=kind, compress_statistics=nested, compute_dtype=torch.float32
    )
    return layer.to("cpu").requires_grad_(False)


def plain(outputs, *, rounded):
    layer = nn.Linear(WIDTH, outputs, bias=False)
    layer.weight.data = random(outputs, WIDTH, seed=outputs)
    if rounded:
        layer.weight.data = layer.weight.data.bfloat16().float()
    return layer


def values(layer):
    if isinstance(layer, Linear4bit):
        return dequantize_4bit(layer.weight, layer.weight.quant_state).double()
    return layer.weight.detach().double()


def close(found, wanted):
    """Equal but for float32's rounding of sums: measured 1.3e-7 of the largest."""
    assert float((found.double() - wanted).abs().max()) < 1e-6 * float(wanted.abs().max())


@pytest.mark.parametrize("lanes", [lane for lane in (8, 16) if lane <= (lanes_here() or 0)])
@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize(
    "layers",
    [
        [packed(7, bias=True), packed(64), packed(1)],
        [packed(33, nested=False)],
        [packed(16, kind="fp4")],
        [plain(37, rounded=True)],
        [plain(37, rounded=False)],
    ],
    ids=["three packed", "single quantisation", "fp4", "bfloat16", "float32"],
)
def test_a_product_is_that_of_the_very_values(layers, rows, lanes):
    group = [weights_of(layer) for layer in layers]
    x, norm, before = random(rows, WIDTH), Norm(random(WIDTH, seed=1), 1e-5), None
    pairs = [
        LoraWeights(random(5, WIDTH, seed=2), random(layer.out_features, 5, seed=3), None, 0.5) for layer in layers
    ]
    assigned = [[pair if row % 2 == 0 else None for row in range(rows)] for pair in pairs]
    for adds in (False, True):
        product = GroupedProduct(group, rows, lanes, Scratch.of(rows, WIDTH), norm, adds=adds)
        product.assign(assigned)
        before = random(rows, product.out_features, seed=4)
        found = product.run(x, before.clone())
        normed = torch.nn.functional.rms_norm(x.double(), (WIDTH,), norm.weight.double(), norm.eps)
        wanted = torch.cat(
            [normed @ values(layer).t() + (0 if layer.bias is None else layer.bias) for layer in layers], 1
        )
        part = [0.5 * normed @ pair.down.double().t() @ pair.up.double().t() for pair in pairs]
        wanted[::2] += torch.cat(part, 1)[::2]
        close(found, wanted + before if adds else wanted)


def test_a_row_without_an_adapter_is_the_same_beside_one_with_it():
    group, x = [weights_of(packed(24))], random(2, WIDTH)
    product = GroupedProduct(group, 2, lanes_here(), Scratch.of(2, WIDTH))
    bare = product.run(x, torch.empty(2, 24)).clone()
    pair = LoraWeights(random(8, WIDTH), random(24, 8), None, 2.0)
    product.assign([[None, pair]])
    mixed = product.run(x, torch.empty(2, 24))
    assert torch.equal(mixed[0], bare[0])
    assert not torch.allclose(mixed[1], bare[1])


def test_threads_share_the_outputs():
    group, x = [weights_of(packed(25)), weights_of(packed(2))], random(1, WIDTH)
    results = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            product = GroupedProduct(group, 1, lanes_here(), Scratch.of(1, WIDTH))
            results.append(product.run(x, torch.full((1, 27), torch.nan)).clone())
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_numbers_are_kept_in_bfloat16_only_where_that_changes_none():
    assert weights_of(plain(16, rounded=True)).kind == "bfloat16"
    assert weights_of(plain(16, rounded=False)).kind == "float32"


def test_layers_of_other_types_and_widths_are_not_known():
    assert weights_of(plain(16, rounded=True).to(torch.bfloat16)) is None
    assert weights_of(nn.Linear(24, 16)) is None
    odd = Linear4bit(96, 16, bias=False, quant_type="nf4", compute_dtype=torch.float32).to("cpu")
    assert weights_of(odd) is None
