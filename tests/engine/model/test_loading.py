"""The 4-bit base on the CPU, with a test for each trap of the stack."""

import copy
import json
import shutil
from types import MappingProxyType

import psutil
import pytest
import torch

from engine.errors import ModelError
from engine.model import loading
from engine.model.attention import keeps_packed_texts_apart
from engine.model.base import load_base
from engine.model.sharing import weight_sharing_copy
from engine.recipe import Recipe

IDS = torch.arange(12)[None] * 7 % 200


def linears(model):
    from bitsandbytes.nn import Linear4bit

    return [module for module in model.modules() if isinstance(module, Linear4bit)]


def test_the_base_is_nf4_with_double_quantisation_and_frozen(tiny_base):
    layers = linears(tiny_base.model)
    assert len(layers) == 14
    assert all(layer.weight.quant_type == "nf4" and layer.weight.quant_state.nested for layer in layers)
    assert not any(parameter.requires_grad for parameter in tiny_base.model.parameters())
    assert not tiny_base.model.training


def test_repacking_for_avx512_bf16_is_forbidden_on_every_layer(tiny_base):
    assert all(layer.support_avx512bf16_for_cpu is False for layer in linears(tiny_base.model))
    assert all(layer.support_avx512bf16_for_cpu is False for layer in linears(tiny_base.copy()))


def test_an_eval_pass_leaves_weights_and_gradients_alone_even_where_the_cpu_offers_the_kernel(tiny_model, monkeypatch):
    """On AVX512-BF16 machines bitsandbytes repacks in eval mode; emulated here by watching for the repacking."""
    import bitsandbytes.nn.modules as bnb

    def forbidden(*_):
        raise AssertionError("the weights were repacked")

    monkeypatch.setattr(bnb, "has_avx512bf16", lambda: True)
    monkeypatch.setattr(bnb, "_convert_weight_packed_for_cpu", forbidden)
    monkeypatch.setattr(loading, "unpack_on_cpu", lambda layers: False)
    base = load_base(Recipe(model=str(tiny_model)), tiny_model.parent, lambda *_: None)
    before = [layer.weight.data.clone() for layer in linears(base.model)]
    with torch.no_grad():
        base.model(IDS)
    assert all(torch.equal(a, layer.weight.data) for a, layer in zip(before, linears(base.model), strict=True))
    fresh = linears(base.model)[0].__class__(64, 64, bias=False)
    assert fresh.support_avx512bf16_for_cpu is True, "the emulation does not reach bitsandbytes any more"


def test_unpacked_layers_give_the_very_logits_and_gradients_of_4_bit(tiny_model, monkeypatch):
    unpacked = load_base(Recipe(model=str(tiny_model)), tiny_model.parent, lambda *_: None)
    assert hasattr(linears(unpacked.model)[0], "unpacked")
    monkeypatch.setattr(loading, "unpack_on_cpu", lambda layers: False)
    packed = load_base(Recipe(model=str(tiny_model)), tiny_model.parent, lambda *_: None)
    assert not hasattr(linears(packed.model)[0], "unpacked")
    seen = []
    for base in (unpacked, packed):
        embedded = base.model.get_input_embeddings()(IDS).detach().requires_grad_()
        logits = base.model(inputs_embeds=embedded).logits
        logits.square().mean().backward()
        seen.append((logits.detach(), embedded.grad))
    assert torch.equal(seen[0][0], seen[1][0])
    assert torch.allclose(seen[0][1], seen[1][1], atol=1e-7)


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 9])
def test_a_few_rows_give_what_each_row_gives_alone(rows, tiny_base):
    for layer in linears(tiny_base.model)[:3]:
        x = torch.randn(rows, 1, layer.in_features, generator=torch.Generator().manual_seed(rows))
        together = layer(x)
        assert together.shape == (rows, 1, layer.out_features)
        assert torch.allclose(together, torch.cat([layer(row[None]) for row in x]), atol=1e-5)


def test_nothing_is_unpacked_when_memory_is_short(tiny_model, monkeypatch):
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=1000))
    base = load_base(Recipe(model=str(tiny_model)), tiny_model.parent, lambda *_: None)
    assert not hasattr(linears(base.model)[0], "unpacked")


def test_a_copy_shares_every_weight_and_no_module(tiny_base):
    copied = tiny_base.copy()
    theirs = {id(parameter) for parameter in tiny_base.model.parameters()}
    assert all(id(parameter) in theirs for parameter in copied.parameters())
    modules = {id(module) for module in tiny_base.model.modules()}
    assert not any(id(module) in modules for module in copied.modules())
    unpacked = {id(layer.unpacked) for layer in linears(tiny_base.model)}
    assert all(id(layer.unpacked) in unpacked for layer in linears(copied))
    copied.train()
    assert not tiny_base.model.training
    assert torch.equal(copied.eval()(IDS).logits, tiny_base.model(IDS).logits)


def test_a_plain_deep_copy_would_have_doubled_the_weights(tiny_base):
    """Guards the test above against passing for the wrong reason."""
    doubled = copy.deepcopy(tiny_base.model)
    theirs = {id(parameter) for parameter in tiny_base.model.parameters()}
    assert not any(id(parameter) in theirs for parameter in doubled.parameters())


def test_llama_keeps_packed_texts_apart_and_a_model_that_ignores_positions_does_not(tiny_base):
    assert keeps_packed_texts_apart(tiny_base.copy(), tiny_base.model.config.vocab_size)
    leaky = weight_sharing_copy(tiny_base.model)
    forward = leaky.forward
    leaky.forward = lambda input_ids, position_ids=None, **options: forward(input_ids=input_ids, **options)
    assert not keeps_packed_texts_apart(leaky, tiny_base.model.config.vocab_size)


def test_a_broken_checkpoint_is_refused_in_words(tiny_model, tmp_path):
    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="could not be loaded"):
        load_base(Recipe(model=str(broken)), tmp_path, lambda *_: None)


def test_a_gated_model_is_explained_with_the_login(tmp_path):
    from huggingface_hub.errors import GatedRepoError

    from engine.model.errors import explain

    class Response:
        status_code = 403
        headers = MappingProxyType({})
        request = None
        url = ""

    error = OSError("You are trying to access a gated repo.")
    error.__cause__ = GatedRepoError("403", response=Response())
    assert "hf auth login" in str(explain(error, "meta-llama/Llama-3.1-8B-Instruct"))
    assert "smaller model" in str(explain(torch.OutOfMemoryError("CUDA out of memory"), "starter"))


@pytest.mark.parametrize("method", ["gptq", "awq", "fp8", "mxfp4", "compressed-tensors", "bitsandbytes"])
def test_a_base_that_is_quantised_already_is_refused_in_words(method, tiny_model, tmp_path):
    packed = shutil.copytree(tiny_model, tmp_path / "packed")
    config = json.loads((packed / "config.json").read_text())
    options = {"quant_method": method, "bits": 4, "group_size": 128}
    (packed / "config.json").write_text(json.dumps({**config, "quantization_config": options}))
    with pytest.raises(ModelError, match=f"quantised already .{method.upper()}") as refused:
        load_base(Recipe(model=str(packed)), tmp_path, lambda *_: None)
    assert "made from" in refused.value.remedy


def test_a_base_packed_into_4_bit_is_taken_where_it_is_packed_as_the_recipe_says(tiny_base, tmp_path):
    tiny_base.copy().save_pretrained(tmp_path / "packed")
    tiny_base.chat.save(tmp_path / "packed")
    base = load_base(Recipe(model=str(tmp_path / "packed")), tmp_path, lambda *_: None)
    assert torch.equal(base.model(IDS).logits, tiny_base.model(IDS).logits)
    with pytest.raises(ModelError, match="packed into 4 bit already, as nf4 with double") as refused:
        load_base(Recipe(model=str(tmp_path / "packed"), quant_type="fp4"), tmp_path, lambda *_: None)
    assert "nf4" in refused.value.remedy
