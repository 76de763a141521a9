"""A tiny model of each family that a step is computed for, packed into 4 bit, with sizes that tell its parts apart."""

from pathlib import Path
from typing import Any

SIZES = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"tie_word_embeddings": True},
    "mistral": {"sliding_window": 12},
    "qwen2": {},
    "qwen3": {"head_dim": 32},
    "gemma2": {"head_dim": 32, "sliding_window": 12, "attn_logit_softcapping": 3.0},
    "gemma3_text": {
        "head_dim": 32,
        "sliding_window": 12,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "tie_word_embeddings": False,
    },
    "phi3": {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5}},
}
"""Model type -> what its configuration has beside :data:`SIZES`."""


def packed_model(family: str, folder: Path) -> Any:
    """Return a model with random weights, quantised and made ready as any that is loaded."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from engine.model.loading import load_quantised
    from engine.recipe import Recipe

    options = {**SIZES, **FAMILIES[family]}
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **options))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # norms and biases are ones and zeros, which would hide that they are left out
                parameter.add_(0.3 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    return load_quantised(
        Recipe(model=str(folder)), folder, torch.device("cpu"), torch.float32, lambda *_: None, unpacks=True
    )


class Base:
    """What tests/engine/chat/lora.py makes adapters for."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def copy(self) -> Any:
        """A weight-sharing copy."""
        from engine.model.sharing import weight_sharing_copy

        return weight_sharing_copy(self.model)
