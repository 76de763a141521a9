"""Models of known shapes with random weights, packed into 4 bit layer by layer, so that a 65B needs no 16-bit copy.

The weights say nothing; the shapes, the number formats and the module tree are those of a model that was loaded from a
checkpoint, so that steps take the time and the memory that they would take there.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

sys.path.insert(0, str(Path(__file__).parents[2]))

if TYPE_CHECKING:
    import torch

    from engine.model.base import BaseModel


def _llama(
    hidden: int, inner: int, layers: int, heads: int, groups: int = 0, vocabulary: int = 32_000
) -> dict[str, int]:
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups or heads,
        "vocab_size": vocabulary,
    }


SHAPES: dict[str, dict[str, int]] = {
    "tiny": _llama(64, 128, 2, 4),
    "starter-size": _llama(576, 1536, 30, 9, 3, 49_152),
    "starter-size-even": _llama(640, 1536, 8, 10, 5, 4096),
    "1b": _llama(2048, 8192, 16, 32, 8, 128_256),
    "7b": _llama(4096, 11_008, 32, 32),
    "13b": _llama(5120, 13_824, 40, 40),
    "34b": _llama(8192, 22_016, 48, 64, 8),
    "65b": _llama(8192, 22_016, 80, 64),
    "70b": _llama(8192, 28_672, 80, 64, 8, 128_256),
}
"""Llama 3.2 1B, Llama 2 7B and 13B, CodeLlama 34B, Llama 65B, Llama 3 70B; 'starter-size' is SmolLM2 135M, and
'starter-size-even' a quarter of it, of widths that 128 divides."""


def config_of(shape: str) -> Any:
    """Return the transformers configuration of a shape."""
    from transformers import LlamaConfig

    from tests.tiny import make_tokenizer

    tokenizer = make_tokenizer()
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    return LlamaConfig(max_position_embeddings=8192, **SHAPES[shape], **ends)


def random_base(shape: str, folder: Path) -> "BaseModel":
    """Return a base of a shape on this machine's device, made ready as a loaded one; weights are packed one at a time.

    Args:
        shape: One of :data:`SHAPES`.
        folder: Where its configuration and tokenizer are written; the model's reference.
    """
    import torch
    from transformers import BitsAndBytesConfig, LlamaForCausalLM
    from transformers.quantizers.auto import AutoHfQuantizer

    from engine.model.base import BaseModel
    from engine.model.chat_format import chat_format
    from engine.model.loading import compute_dtype, made_ready, pick_device
    from engine.recipe import Recipe
    from tests.tiny import make_tokenizer

    device = pick_device()
    dtype = compute_dtype("auto", device)
    config = config_of(shape)
    config.save_pretrained(folder)
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(folder)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model.to(dtype)
    _fill(model, device)
    options = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model.hf_quantizer = AutoHfQuantizer.from_config(options, pre_quantized=False)
    model.config.quantization_config = options
    model.quantization_method = options.quant_method
    model.is_loaded_in_4bit = model.is_quantized = True
    recipe = Recipe(model=str(folder))
    key = (recipe.model, recipe.quant_type, recipe.double_quant, recipe.compute_type)
    return BaseModel(made_ready(model, shape, unpacks=True), chat_format(tokenizer), recipe.model, key)


def variant(base: "BaseModel", kind: Literal["dense", "packed"]) -> "BaseModel":
    """Return the same values computed in another way, on the processor.

    Args:
        base: From :func:`random_base`.
        kind: 'dense' replaces the 4-bit layers by torch's own, with the values that they stand for, as a model that was
            never packed would have; 'packed' leaves out the unpacked copies, so that each product unpacks its weights.
    """
    from bitsandbytes.nn import Linear4bit
    from torch import nn

    from engine.model.base import BaseModel
    from engine.model.unpacking import unpacked_values

    model = base.copy()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if not isinstance(child, Linear4bit):
                continue
            if kind == "packed":
                child.__class__ = Linear4bit
                child.unpacked = None
            else:
                dense = nn.Linear(child.in_features, child.out_features, bias=False, device="meta")
                values = unpacked_values(child.weight, child.weight.quant_state, child.compute_dtype)
                dense.weight = nn.Parameter(values, requires_grad=False)
                setattr(module, name, dense)
    if kind == "dense":
        del model.hf_quantizer, model.config.quantization_config, model.quantization_method
        model.is_loaded_in_4bit = model.is_quantized = False
    return BaseModel(model, base.chat, base.ref, base.loaded_as)


def _fill(model: Any, device: "torch.device") -> None:
    """Give every weight random values on the device, those of the layers' products in NF4."""
    import torch
    from torch import nn
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    torch.manual_seed(0)
    model.model.rotary_emb = LlamaRotaryEmbedding(model.config).to(device)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and name != "lm_head":
                setattr(module, name, _packed(child, device))
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None and parameter.device.type == "meta":
                values = torch.empty_like(parameter, device=device)
                values.fill_(1.0) if parameter.dim() == 1 else values.normal_(std=0.02)
                module._parameters[name] = nn.Parameter(values, requires_grad=False)


def _packed(linear: Any, device: "torch.device") -> Any:
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    dtype = linear.weight.dtype
    with torch.device("meta"):
        packed = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=False,
            compute_dtype=dtype,
            compress_statistics=True,
            quant_type="nf4",
        )
    values = torch.empty(linear.weight.shape, dtype=dtype, device=device).normal_(std=0.02)
    packed.weight = Params4bit(
        values, requires_grad=False, compress_statistics=True, quant_type="nf4", module=packed
    )._quantize(device)
    packed.quant_state = packed.weight.quant_state
    return packed
