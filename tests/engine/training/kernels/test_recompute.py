import pytest
import torch
from torch import nn

from engine.model.decoder_layers import decoder_layers
from engine.training.kernels.layers import can_recompute, set_up
from engine.training.kernels.recompute import recomputed


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 8))


def run(layer, hidden, way):
    torch.manual_seed(7)
    layer.zero_grad()
    hidden = hidden.clone().requires_grad_()
    out = way(hidden)
    after = torch.rand(1)
    out.pow(2).sum().backward()
    return out.detach(), hidden.grad, [parameter.grad.clone() for parameter in layer.parameters()], after, torch.rand(1)


def test_gradients_and_random_numbers_are_those_of_a_layer_that_keeps_everything(layer):
    hidden = torch.randn(2, 5, 8)
    kept = run(layer, hidden, layer)
    again = run(layer, hidden, lambda x: recomputed(layer, x))
    for left, right in zip(kept, again, strict=True):
        if isinstance(left, list):
            assert all(torch.equal(one, other) for one, other in zip(left, right, strict=True))
        else:
            assert torch.equal(left, right)


def test_nothing_but_the_input_is_kept(layer):
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(tensor.shape) or tensor, lambda t: t):
        recomputed(layer, torch.randn(2, 5, 8, requires_grad=True))
    assert saved == [(2, 5, 8)]


def test_the_autocast_of_the_forward_holds_in_the_recomputation(layer):
    kinds = []

    def watched(x):
        out = layer[0](x)
        kinds.append(out.dtype)
        return out

    with torch.autocast("cpu", torch.bfloat16):
        out = recomputed(watched, torch.randn(2, 8, requires_grad=True))
    out.float().sum().backward()
    assert kinds == [torch.bfloat16, torch.bfloat16]


def test_decoder_layers_are_found_recomputed_in_training_and_left_alone_in_evaluation(tiny_base):
    model = tiny_base.copy()
    assert len(decoder_layers(model)) == 2
    assert can_recompute(model)
    calls = []
    original = type(decoder_layers(model)[0]).forward
    ids = torch.arange(12)[None]
    plain = model(ids).logits
    set_up(model, recompute=True, offload=False, compiled=False)
    model.enable_input_require_grads()
    for layer in decoder_layers(model):
        layer.mlp.register_forward_hook(lambda *_: calls.append(1))
    assert torch.equal(model.eval()(ids).logits, plain)
    calls.clear()
    loss = model.train()(ids).logits.sum()
    assert len(calls) == 2
    loss.backward()
    assert len(calls) == 4
    set_up(model, recompute=False, offload=False, compiled=False)
    assert decoder_layers(model)[0].forward.__func__ is original
