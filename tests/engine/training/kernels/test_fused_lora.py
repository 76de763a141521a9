"""The LoRA layer in one operation against peft's own."""

import copy

import pytest
import torch

from engine.recipe import Recipe
from engine.training.kernels.fused_lora import _FusedLoraProduct, fuse_lora_layers
from engine.training.lora_config import lora_config


def adapted(base, **changes):
    """A PeftModel over a copy of the base, with weights that matter."""
    from peft import get_peft_model

    torch.manual_seed(3)
    model = get_peft_model(base.copy(), lora_config(Recipe(rank=4, dropout=0.0, **changes)))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model.train()


def packed_again(model):
    """Let the layers compute from their 4-bit values, as they do where memory does not allow copies."""
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.__class__ = Linear4bit
            module.__dict__.pop("unpacked", None)
    return model


def gradients(model, ids):
    model(input_ids=ids, labels=ids).loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("prepare", [lambda model: model, packed_again], ids=["unpacked", "4 bit"])
def test_loss_and_gradients_are_pefts(tiny_base, prepare):
    ids = torch.arange(40).view(2, 20)
    theirs = prepare(adapted(tiny_base))
    ours = prepare(adapted(tiny_base))
    assert fuse_lora_layers(ours) == 14
    assert torch.allclose(ours(input_ids=ids).logits, theirs(input_ids=ids).logits, atol=1e-4)
    wanted, found = gradients(theirs, ids), gradients(ours, ids)
    assert wanted.keys() == found.keys()
    for name, gradient in wanted.items():
        assert gradient.abs().max() > 0
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-5), name


def test_every_weight_gets_its_gradient_when_the_layers_are_compiled(tiny_base):
    """Under torch.compile an input that comes out of another such layer is said to need no gradient, and does."""
    ids = torch.arange(40).view(2, 20)
    plain, compiled = adapted(tiny_base), adapted(tiny_base)
    fuse_lora_layers(plain)
    fuse_lora_layers(compiled)
    for layer in compiled.base_model.model.model.layers:
        layer.forward = torch.compile(layer.forward, backend="aot_eager", dynamic=False)
    wanted, found = gradients(plain, ids), gradients(compiled, ids)
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-5), name


@pytest.mark.parametrize("backend", [None, "aot_eager"], ids=["plain", "compiled"])
def test_dropout_leaves_out_the_recipes_share_and_the_same_in_both_passes(backend):
    def layer(x, down, up):
        return _FusedLoraProduct.apply(x, torch.zeros(8, 32), None, None, down, up, 2.0, 0.25)

    torch.manual_seed(0)
    x = torch.rand(640, 32).add(0.5).requires_grad_()
    down, up = torch.rand(1, 32, requires_grad=True), torch.rand(8, 1, requires_grad=True)
    out = (torch.compile(layer, backend=backend) if backend else layer)(x, down, up)
    out.sum().backward()
    for given in (x, down, up):  # for one choice of values the sum is linear in each of the three
        assert float((given.grad * given.detach()).sum()) == pytest.approx(float(out.detach().sum()), rel=1e-4)
    left = (x.grad != 0).float()
    assert float(left.mean()) == pytest.approx(0.75, abs=0.01)
    assert left.mean(0).std() < 0.03, "some places are left out more often than others"
    assert left.mean(1).std() < 0.1, "some rows are left out more often than others"
    assert float((left[:, 1:] * left[:, :-1]).mean()) == pytest.approx(0.75**2, abs=0.02)
    again = (torch.compile(layer, backend=backend) if backend else layer)(x, down, up)
    assert not torch.equal(again, out), "every pass chooses anew"


def test_the_adapter_is_silent_in_evaluation_only_where_its_weights_are(tiny_base):
    model = adapted(tiny_base).eval()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        theirs = model(input_ids=ids).logits
        fuse_lora_layers(model)
        assert torch.allclose(model(input_ids=ids).logits, theirs, atol=1e-4)
        with model.disable_adapter():
            base = model(input_ids=ids).logits
    assert torch.allclose(base, tiny_base.model(ids).logits, atol=1e-5)


def test_layers_of_another_kind_stay_pefts(tiny_base):
    from peft import LoraConfig, get_peft_model

    dora = LoraConfig(r=4, use_dora=True, target_modules="all-linear", task_type="CAUSAL_LM")
    assert fuse_lora_layers(get_peft_model(tiny_base.copy(), dora)) == 0
    two = adapted(tiny_base)
    two.add_adapter("second", copy.deepcopy(two.peft_config["default"]))
    two.base_model.set_adapter(["default", "second"])
    assert fuse_lora_layers(two) == 0
