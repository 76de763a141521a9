"""The merged model is the tuned one: the weights that were trained over and the adapter, in one plain checkpoint."""

import json
import os
import re
from types import SimpleNamespace

import pytest
import torch

from engine.base_holder import BaseHolder
from engine.errors import Cancelled, ModelError, ResourceError, StudioError
from engine.export import making
from engine.export.format import Choices
from engine.export.formats.merged import MERGED
from engine.export.making import make
from engine.export.merging import Weight, merged_weights
from engine.export.shards import write_shards
from engine.export.source import ExportSource
from engine.model.adapter_files import read_adapter, write_mark
from engine.model.base import load_base
from engine.recipe import Recipe
from tests.engine.chat.lora import make_lora, with_peft
from tests.engine.export.conftest import export
from tests.tiny import make_model

QUESTION = "where is my parcel please"


@torch.no_grad()
def logits(model, base, question=QUESTION):
    ids = torch.tensor([base.chat.prompt([{"role": "user", "content": question}])])
    return model(input_ids=ids).logits[0].float()


def test_it_loads_in_plain_transformers_and_answers_as_the_tuned_model(run, tiny_base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = export(run, tmp_path / "merged", "merged")
    assert sorted(file.name for file in out.iterdir()) == [
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "passport.json",
        "recipe.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "usage.py",
    ]
    assert "quantization_config" not in json.loads((out / "config.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(out).chat_template == tiny_base.chat.tokenizer.chat_template
    tuned = logits(with_peft(tiny_base, run.adapter), tiny_base)
    base = logits(tiny_base.model, tiny_base)
    merged = logits(model.float(), tiny_base)
    assert (merged - tuned).abs().mean() < 0.02 * (base - tuned).abs().mean()


def test_in_float32_every_answer_is_that_of_the_tuned_model(run, tiny_base):
    """bfloat16 on the disk is the only difference that is left."""
    from transformers import LlamaForCausalLM

    weights = merged_weights(tiny_base, read_adapter(run.adapter))
    model = LlamaForCausalLM(tiny_base.model.config).eval()
    model.load_state_dict({weight.name: weight.compute().float() for weight in weights})
    tuned = logits(with_peft(tiny_base, run.adapter), tiny_base)
    assert (logits(model, tiny_base) - tuned).abs().max() < 1e-3
    assert (logits(tiny_base.model, tiny_base) - tuned).abs().max() > 1


def test_large_models_are_cut_into_files_with_an_index(tmp_path):
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 64, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=2)).bfloat16()
    state = model.state_dict()
    weights = [Weight(name, tuple(tensor.shape), lambda tensor=tensor: tensor) for name, tensor in state.items()]
    told: list[float] = []
    write_shards(weights, tmp_path, lambda _, done: told.append(done), shard_bytes=3000)
    model.config.save_pretrained(tmp_path)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"].values()) == {file.name for file in tmp_path.glob("*.safetensors")}
    assert len(set(index["weight_map"].values())) > 2
    assert index["metadata"]["total_size"] == sum(2 * tensor.numel() for tensor in state.values())
    read = AutoModelForCausalLM.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(read[name], tensor) for name, tensor in state.items())
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_head_that_is_tied_and_adapted_gets_a_weight_of_its_own(tmp_path):
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    folder = make_model(tmp_path / "base")
    config = LlamaConfig.from_pretrained(folder, tie_word_embeddings=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    base = load_base(Recipe(model=str(folder)), tmp_path, lambda *_: None)
    adapter = make_lora(base, tmp_path / "adapter", seed=1, target_modules=["q_proj", "lm_head"])
    base.chat.save(adapter)
    out = tmp_path / "out"
    bases = BaseHolder(tmp_path)
    source = ExportSource("a", adapter, Recipe(model=str(folder)), bases, tmp_path)
    for onto in ("trained", "original"):
        made = make(source, MERGED, out / onto, Choices(onto=onto), lambda *_: None)
        model = AutoModelForCausalLM.from_pretrained(made).float()
        assert not torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)
    bases.close()
    merged = logits(AutoModelForCausalLM.from_pretrained(out / "trained").float(), base)
    tuned, plain = logits(with_peft(base, adapter), base), logits(base.model, base)
    assert (merged - tuned).abs().mean() < 0.05 * (plain - tuned).abs().mean()


def test_onto_the_original_weights_it_is_their_model_and_says_how_far_it_is(run, tiny_base, tiny_model, tmp_path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    out = export(run, tmp_path / "merged", "merged", onto="original")
    original = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), run.adapter).eval()
    merged = logits(AutoModelForCausalLM.from_pretrained(out).float(), tiny_base)
    wanted = logits(original, tiny_base)
    tuned = logits(with_peft(tiny_base, run.adapter), tiny_base)
    assert (merged - wanted).abs().mean() < 0.2 * (merged - tuned).abs().mean()
    told = re.search(r"differs from .* by ([\d.]+)% of the weights' size", (out / "README.md").read_text())
    assert told
    assert 5 < float(told[1]) < 15  # NF4 rounds normally distributed weights by 9 to 10 %


def test_cancel_in_the_middle_of_the_weights_leaves_nothing(run, tmp_path):
    def call_off(stage, done):
        if stage.startswith("Merging") and done and done > 0.3:
            raise Cancelled

    home = tmp_path / "exports"
    with pytest.raises(Cancelled):
        export(run, home / "merged", "merged", report=call_off)
    assert list(home.iterdir()) == []


def test_too_little_room_is_told_before_anything_is_loaded(run, tmp_path, monkeypatch):
    monkeypatch.setattr(making.shutil, "disk_usage", lambda _: SimpleNamespace(free=60 * 2**20))
    told: list[str] = []
    with pytest.raises(ResourceError, match=r"needs 67 MB on the disk of .*, where 63 MB are free"):
        export(run, tmp_path / "merged", "merged", report=lambda stage, _: told.append(stage))
    assert told == []
    assert not (tmp_path / "merged").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="whoever may write anywhere is not refused")
def test_a_folder_that_is_read_only_is_named(run, tmp_path):
    home = tmp_path / "locked"
    home.mkdir(mode=0o500)
    with pytest.raises(ResourceError, match=r"locked.* cannot be written"):
        export(run, home / "merged", "merged")


def test_what_lies_there_already_is_not_overwritten(run, tmp_path):
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "mine.txt").write_text("mine")
    with pytest.raises(StudioError, match="is there already"):
        export(run, tmp_path / "merged", "merged")
    assert [file.name for file in (tmp_path / "merged").iterdir()] == ["mine.txt"]


def test_an_adapter_of_another_base_is_refused(run, tmp_path):
    write_mark(run.adapter, "of another")
    with pytest.raises(ModelError, match="trained over other weights"):
        export(run, tmp_path / "merged", "merged")
    assert list(tmp_path.glob("merged*")) == []
