"""Tiny models of each family, with random weights, saved as a folder and loaded in 4 bit."""

from pathlib import Path
from typing import Any

import torch

from engine.model.base import BaseModel, load_base
from engine.recipe import Recipe
from tests.tiny import make_tokenizer

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0 + n / 8 for n in range(8)],
    "long_factor": [2.0 + n for n in range(8)],
    "original_max_position_embeddings": 256,
}
SIX = {"num_hidden_layers": 6, "sliding_window": 16, "query_pre_attn_scalar": 16}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "llama tied": ("Llama", {"tie_word_embeddings": True}),
    "llama with biases": ("Llama", {"attention_bias": True}),
    "llama 3.1": ("Llama", {"rope_parameters": LLAMA3}),
    "mistral": ("Mistral", {"sliding_window": 400}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {"head_dim": 32, "rope_parameters": YARN}),
    "gemma2": ("Gemma2", {"num_hidden_layers": 4, "sliding_window": 16, "query_pre_attn_scalar": 16}),
    "gemma3": ("Gemma3Text", SIX),
    "phi3": ("Phi3", {"sliding_window": None}),
    "phi3 long": ("Phi3", {"rope_parameters": LONGROPE, "sliding_window": None}),
}
CLASSES = {"Gemma3Text": "Gemma3ForCausalLM"}


def make_family(family: str, folder: Path, tokenizer: Any = None) -> Path:
    """Save a model of a family whose norms and biases are random too; return its folder."""
    import transformers

    tokenizer = tokenizer or make_tokenizer()
    name, options = FAMILIES[family]
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    config = getattr(transformers, f"{name}Config")(vocab_size=len(tokenizer) + 3, **{**SIZES, **ids, **options})
    torch.manual_seed(8)
    model = getattr(transformers, CLASSES.get(name, f"{name}ForCausalLM"))(config)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                centre = 0.0 if "bias" in parameter_name or "Gemma" in name else 1.0
                parameter.normal_(centre, 0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder: Path) -> BaseModel:
    return load_base(Recipe(model=str(folder)), folder.parent, lambda *_: None)
