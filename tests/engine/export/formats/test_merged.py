"""The merged model is the tuned one: the weights that were trained over and the adapter, in one plain checkpoint."""

import json

import torch

from tests.engine.chat.lora import with_peft
from tests.engine.export.conftest import export

QUESTION = "where is my parcel please"


@torch.no_grad()
def logits(model, base, question=QUESTION):
    ids = torch.tensor([base.chat.prompt([{"role": "user", "content": question}])])
    return model(input_ids=ids).logits[0].float()


def test_it_loads_in_plain_transformers_and_answers_as_the_tuned_model(run, tiny_base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = export(run, tmp_path / "merged", "merged")
    assert sorted(file.name for file in out.iterdir()) == [
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "recipe.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert "quantization_config" not in json.loads((out / "config.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(out).chat_template == tiny_base.chat.tokenizer.chat_template
    tuned = logits(with_peft(tiny_base, run.adapter), tiny_base)
    base = logits(tiny_base.model, tiny_base)
    merged = logits(model.float(), tiny_base)
    assert (merged - tuned).abs().mean() < 0.02 * (base - tuned).abs().mean()
