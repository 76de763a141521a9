"""Greedy answers of every family's shape are those of transformers' generate with peft, in batches that change."""

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from engine.chat.adapters import AdapterBank
from engine.chat.continuous_batch import ContinuousBatch, Request
from engine.chat.decoding import Row
from engine.chat.prefill import read_prompts
from engine.chat.records import Sampling
from engine.model.sharing import weight_sharing_copy
from tests.engine.chat.lora import greedy_with_transformers

SIZES = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
FAMILIES = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {}),
    "mistral": ("Mistral", {"sliding_window": 12}),
    "gemma2": ("Gemma2", {"sliding_window": 12}),
    "gemma3": ("Gemma3Text", {"sliding_window": 12, "layer_types": ["sliding_attention", "full_attention"]}),
    "phi3": ("Phi3", {"sliding_window": 12}),
}
CLASSES = {"Gemma3Text": "Gemma3ForCausalLM"}


def tiny(family: str):
    import transformers

    name, options = FAMILIES[family]
    torch.manual_seed(8)
    config = getattr(transformers, f"{name}Config")(**{**SIZES, **options})
    return getattr(transformers, CLASSES.get(name, f"{name}ForCausalLM"))(config).eval()


def lora(model, folder, seed):
    made = get_peft_model(
        weight_sharing_copy(model), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.empty(parameter.shape).normal_(std=0.2, generator=chance))
    made.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_read_as_one_row_have_the_scores_that_each_has_alone(family, tmp_path):
    model = tiny(family)
    bank = AdapterBank(weight_sharing_copy(model))
    names = [None, bank.load(lora(model, tmp_path / "one", 1)), bank.load(lora(model, tmp_path / "two", 2))]
    chance = torch.Generator().manual_seed(4)
    rows = [
        Row(tuple(torch.randint(3, 300, (length,), generator=chance).tolist()), names[n % 3])
        for n, length in enumerate((5, 40, 21, 3, 33, 8))
    ]
    alone = [read_prompts(bank, [row], 0) for row in rows]
    head = Row(rows[1].prompt[:20], rows[1].adapter)
    bank.prefixes.keep(bank.reader(head.adapter), head.prompt, read_prompts(bank, [head], 0)[0], 0)
    shapes = []
    bank.model.get_input_embeddings().register_forward_hook(lambda _, told, __: shapes.append(tuple(told[0].shape)))
    cached, scores = read_prompts(bank, rows, 0)
    assert shapes == [(1, 110 - 20)], "one pass, and nothing twice"
    torch.testing.assert_close(scores, torch.cat([first for _, first in alone]), atol=1e-4, rtol=1e-4)
    assert cached.mask.sum(-1).tolist() == [len(row.prompt) for row in rows]
    assert cached.adapters == [row.adapter for row in rows]
    for place, layer in enumerate(cached.cache.layers):
        for row, (own, _) in enumerate(alone):
            wanted = own.cache.layers[place].keys
            torch.testing.assert_close(layer.keys[row : row + 1, :, -wanted.shape[2] :], wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_those_of_transformers_and_peft(family, tmp_path):
    model = tiny(family)
    folders = [None, lora(model, tmp_path / "one", 1), lora(model, tmp_path / "two", 2)]
    bank = AdapterBank(weight_sharing_copy(model))
    chance = torch.Generator().manual_seed(4)
    lengths = (5, 21, 13, 34, 8, 27)
    rows = [
        Row(
            tuple(torch.randint(3, 300, (length,), generator=chance).tolist()),
            bank.load(folders[n % 3]) if n % 3 else None,
        )
        for n, length in enumerate(lengths)
    ]
    peft = [
        model if folder is None else PeftModel.from_pretrained(weight_sharing_copy(model), folder).eval()
        for folder in folders
    ]
    told = [greedy_with_transformers(peft[n % 3], list(row.prompt), 12, [1]) for n, row in enumerate(rows)]
    requests = [Request(row, Sampling(max_new_tokens=4 + 4 * (n % 3)), {1}) for n, row in enumerate(rows)]
    batch = ContinuousBatch(bank, 0, rows=3)
    batch.add(requests)
    while batch.advance():
        pass
    for request, wanted in zip(requests, told, strict=True):
        said = list(request.state.tokens)
        assert said == [token for token in wanted if token != 1][: request.sampling.max_new_tokens]
    assert len({tuple(wanted[:4]) for wanted in told}) == len(told)
