"""Exports that were broken on purpose fail the comparison, and whole ones pass it: the measure of the tolerances."""

import json

import pytest
from safetensors.torch import load_file, save_file

from tests.engine.export.parity.replaying import judged

BASE = {"quant_type": "nf4", "double_quant": True}


def edit_json(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def edit_tensors(file, change):
    tensors = {
        name: change(name, tensor.float()).to(tensor.dtype).contiguous() for name, tensor in load_file(file).items()
    }
    save_file(tensors, file, {"format": "pt"})


def rounded(tensor, block):
    """To 8 bit, so many numbers of a row with one scale."""
    parts = tensor.reshape(-1, block) if block else tensor.reshape(-1, tensor.shape[-1])
    scales = parts.abs().amax(-1, keepdim=True) / 127
    scales[scales == 0] = 1
    return ((parts / scales).round() * scales).reshape(tensor.shape)


def another_template(folder):
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text().replace("assistant", "agent"))


def test_a_whole_adapter_passes(adapter, asked, tiny_model, tmp_path):
    found = judged("adapter", adapter, asked, tmp_path, base=str(tiny_model), **BASE)
    assert (found.verdict, found.figures.agreement) == ("passed", 1.0)
    assert found.figures.answers == 12
    assert found.figures.kl < 1e-9


def test_a_whole_merged_model_passes(merged, asked, tmp_path):
    found = judged("merged", merged, asked, tmp_path)
    assert found.verdict == "passed", found.reasons
    assert 0 < found.figures.kl < 0.45 * found.rounding


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("alpha doubled", "nats from what the playground thinks"),
        ("a layer left out", "nats from what the playground thinks"),
        ("another template", "writes 12 of 12 conversations down in another way"),
        ("stop token removed", "does not end an answer at token"),
        ("another base", "nats from what the playground thinks"),
        ("rounded to 8 bit", "nats from what the playground thinks"),
    ],
)
def test_a_broken_adapter_fails(what, said, adapter, asked, tiny_model, other_tiny_model, tmp_path):
    weights, base = adapter / "adapter_model.safetensors", tiny_model
    if what == "alpha doubled":
        edit_json(adapter / "adapter_config.json", lora_alpha=32)
    elif what == "a layer left out":
        edit_tensors(weights, lambda name, tensor: tensor * ("layers.1.self_attn.v_proj.lora_B" not in name))
    elif what == "another template":
        another_template(adapter)
    elif what == "stop token removed":
        script = adapter / "usage.py"
        script.write_text(script.read_text().replace("['<|im_end|>']", "['<s>']"))
    elif what == "another base":
        base = other_tiny_model
    else:
        edit_tensors(weights, lambda _, tensor: rounded(tensor, 0))
    found = judged("adapter", adapter, asked, tmp_path, base=str(base), **BASE)
    assert found.verdict == "failed"
    assert said in " ".join(found.reasons)
    assert (found.figures.ran_on > 0) == (what == "stop token removed")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("alpha doubled", "nats from what the playground thinks"),
        ("a layer left out", "nats from what the playground thinks"),
        ("another template", "writes 12 of 12 conversations down in another way"),
        ("stop token removed", "does not end an answer at token"),
        ("another base", "nats from what the playground thinks"),
        ("rounded to 8 bit by rows", "nats from what the playground thinks"),
        ("rounded to 8 bit by blocks", "nats from what the playground thinks"),
    ],
)
def test_a_broken_merged_model_fails(what, said, merged, asked, tiny_model, other_tiny_model, tmp_path):
    weights, layer = merged / "model.safetensors", "model.layers.1.self_attn.v_proj.weight"
    plain, other = (load_file(folder / "model.safetensors") for folder in (tiny_model, other_tiny_model))
    if what == "alpha doubled":
        edit_tensors(weights, lambda name, tensor: 2 * tensor - plain[name].float() if "proj" in name else tensor)
    elif what == "a layer left out":
        edit_tensors(weights, lambda name, tensor: plain[name].float() if name == layer else tensor)
    elif what == "another template":
        another_template(merged)
    elif what == "stop token removed":
        edit_json(merged / "generation_config.json", eos_token_id=2)
    elif what == "another base":
        edit_tensors(weights, lambda name, tensor: tensor + other[name].float() - plain[name].float())
    else:
        block = 32 if "blocks" in what else 0
        edit_tensors(weights, lambda name, tensor: rounded(tensor, block) if "proj" in name else tensor)
    found = judged("merged", merged, asked, tmp_path)
    assert found.verdict == "failed"
    assert said in " ".join(found.reasons)
