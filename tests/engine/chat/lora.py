"""Adapters with random weights that really change what the tiny model says, made and saved by peft itself."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def make_lora(base: Any, folder: Path, seed: int, std: float = 0.3, **options: Any) -> Path:
    """Save an adapter for ``base`` (a BaseModel) as training would; return its folder."""
    settings = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": MODULES, "task_type": "CAUSAL_LM"}
    generator = torch.Generator().manual_seed(seed)
    model = get_peft_model(base.copy(), LoraConfig(**{**settings, **options}))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.empty(parameter.shape).normal_(std=std, generator=generator))
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def with_peft(base: Any, folder: Path) -> Any:
    """The adapter as peft alone loads it, over a copy of the base."""
    return PeftModel.from_pretrained(base.copy(), folder).eval()


def greedy_with_transformers(model: Any, prompt: list[int], length: int, stop: list[int] | None = None) -> list[int]:
    """What plain generate says, one prompt at a time."""
    ids = torch.tensor([prompt], device=model.device)
    with torch.no_grad():
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=length,
            do_sample=False,
            eos_token_id=stop,
            pad_token_id=0,
        )
    return out[0, len(prompt) :].tolist()
