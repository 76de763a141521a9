"""Each family's merged model: loaded by plain transformers, and in float32 the tuned model itself."""

import pytest
import torch

from engine.base_holder import BaseHolder
from engine.export.format import Choices
from engine.export.formats.merged import MERGED
from engine.export.making import make
from engine.export.merging import merged_weights
from engine.export.source import ExportSource
from engine.model.adapter_files import read_adapter
from engine.recipe import Recipe
from tests.engine.chat.lora import make_lora, with_peft
from tests.engine.export.gguf.families import FAMILIES, load, make_family

OPTIONS = {"qwen3": {"use_rslora": True}, "phi3": {"alpha_pattern": {"qkv_proj": 4}}, "qwen2": {"bias": "lora_only"}}


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("llama 3.1", "phi3 long")])
@torch.no_grad()
def test_the_merged_model_of_a_family_answers_as_the_tuned_one(family, tmp_path):
    from transformers import AutoModelForCausalLM

    folder = make_family(family, tmp_path / "model")
    base = load(folder)
    adapter = make_lora(
        base, tmp_path / "adapter", seed=3, std=0.1, target_modules="all-linear", **OPTIONS.get(family, {})
    )
    base.chat.save(adapter)
    bases = BaseHolder(tmp_path)
    source = ExportSource("a", adapter, Recipe(model=str(folder)), bases, tmp_path)
    out = make(source, MERGED, tmp_path / "merged", Choices(), lambda *_: None)
    bases.close()

    model, told = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    assert not any(told.values()), told
    ids = torch.randint(5, 300, (4, 40), generator=torch.Generator().manual_seed(1))
    tuned = with_peft(base, adapter)(input_ids=ids).logits
    as_saved = model(input_ids=ids).logits
    model.load_state_dict(
        {weight.name: weight.compute().float() for weight in merged_weights(base, read_adapter(adapter))}, strict=False
    )
    exact = model(input_ids=ids).logits
    assert (exact - tuned).abs().max() < 1e-3
    assert same_top(exact, tuned) == 1.0
    assert same_top(as_saved, tuned) > 0.93
    assert same_top(base.model(input_ids=ids).logits, tuned) < 0.8


def same_top(a, b):
    return (a.argmax(-1) == b.argmax(-1)).float().mean().item()
