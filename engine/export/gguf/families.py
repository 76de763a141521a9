"""Family: what llama.cpp calls an architecture, and how it wants its weights.

The names of tensors come from llama.cpp's own gguf package; what differs in the numbers themselves is here: rows of
queries and keys in another order, norms stored with another origin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError

if TYPE_CHECKING:
    import torch

INSTEAD = "Take it home as 'adapter' or 'merged', which plain transformers and vLLM run."


@dataclass(frozen=True, slots=True)
class Family:
    """One of transformers' model types, as llama.cpp runs it."""

    arch: str
    """llama.cpp's name for it."""
    interleaved: bool = False
    """Whether rotary positions turn neighbouring numbers there, instead of the halves of a head as in transformers."""
    norm_offset: float = 0.0
    """What transformers adds to a norm's weight when it is used, and llama.cpp does not."""
    attends_fully_every: int = 0
    """Every how many layers one looks at the whole text, the others at a window; 0 where all look at everything."""
    activation: str = "silu"
    biased: tuple[str, ...] = ()
    """Layers that may have a bias, by the end of their names."""


_ATTENTION = ("q_proj", "k_proj", "v_proj")

FAMILIES: Mapping[str, Family] = {
    "llama": Family("llama", interleaved=True, biased=(*_ATTENTION, "o_proj")),
    "mistral": Family("llama", interleaved=True),
    "qwen2": Family("qwen2", biased=_ATTENTION),
    "qwen3": Family("qwen3"),
    "gemma2": Family("gemma2", norm_offset=1.0, attends_fully_every=2, activation="gelu_pytorch_tanh"),
    "gemma3_text": Family("gemma3", norm_offset=1.0, attends_fully_every=6, activation="gelu_pytorch_tanh"),
    "phi3": Family("phi3"),
}
"""transformers' model_type -> family."""


def family_of(config: Any) -> Family:
    """Return the family of a model.

    Args:
        config: transformers' configuration of it, or of its text part.

    Raises:
        ModelError: llama.cpp runs none such, or runs it otherwise than this model's configuration says.
    """
    if refusal := unsupported(str(config.model_type)):
        raise ModelError(refusal, INSTEAD)
    family = FAMILIES[config.model_type]
    for wrong in _differences(config, family):
        raise ModelError(f"llama.cpp would not run this model as it was tested: {wrong}.", INSTEAD)
    return family


def unsupported(model_type: str) -> str:
    """Return why a kind of model cannot become a GGUF here, as a sentence; empty where it can."""
    if model_type in FAMILIES:
        return ""
    known = "Llama, Mistral, Qwen2, Qwen3, Gemma 2, Gemma 3 (text) and Phi-3"
    return f"A GGUF of the model type '{model_type[:40]}' cannot be written here; those of {known} can."


def _differences(config: Any, family: Family) -> "list[str]":
    """Say where llama.cpp's fixed idea of an architecture differs from a configuration."""
    wrong = []
    activation = getattr(config, "hidden_activation", None) or config.hidden_act
    if activation != family.activation:
        wrong.append(f"its activation is {activation}, where llama.cpp computes {family.activation}")
    if period := family.attends_fully_every:
        usual = [(layer + 1) % period == 0 for layer in range(config.num_hidden_layers)]
        if [kind == "full_attention" for kind in config.layer_types] != usual:
            wrong.append("its layers with a sliding window lie at other places")
        width = config.hidden_size / config.num_attention_heads if _is_27b(config) else config.head_dim
        if config.query_pre_attn_scalar != width:
            wrong.append(f"its attention is scaled by {config.query_pre_attn_scalar}, in llama.cpp by {width:g}")
        if not config.tie_word_embeddings:
            wrong.append("its output has weights of its own, apart from the embeddings")
    if getattr(config, "final_logit_softcapping", None) and family.arch == "gemma3":
        wrong.append("it caps its logits")
    return wrong


def _is_27b(config: Any) -> bool:
    """Whether llama.cpp takes it for a Gemma of 27B, whose attention is scaled in another way, by its layers."""
    return bool(config.num_hidden_layers == {"gemma2": 46, "gemma3_text": 62}[config.model_type])


def head_dim(config: Any) -> int:
    """Return the numbers of one attention head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def as_llama_cpp(name: str, tensor: "torch.Tensor", config: Any, family: Family) -> "torch.Tensor":
    """Return a weight as llama.cpp wants it.

    Args:
        name: transformers' name of the parameter, or of the layer for the upper half of a LoRA pair.
        tensor: Shape (out, ...), or (size,) for a norm.
        config: The model's configuration.
        family: Its family.
    """
    layer = name.removesuffix(".weight").removesuffix(".bias").rpartition(".")[2]
    if family.interleaved and layer in ("q_proj", "k_proj"):
        heads = config.num_attention_heads if layer == "q_proj" else config.num_key_value_heads
        return _interleaved(tensor, heads)
    if family.norm_offset and layer.endswith("norm"):
        return tensor + family.norm_offset
    return tensor


def _interleaved(tensor: "torch.Tensor", heads: int) -> "torch.Tensor":
    """Bring the two halves of each head's rows together: row i of the first half beside row i of the second."""
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def gguf_name(name: str, config: Any, family: Family) -> str:
    """Return llama.cpp's name of a parameter.

    Raises:
        ModelError: It has no such tensor.
    """
    known = _names(family.arch, int(config.num_hidden_layers)).get_name(name, (".weight", ".bias"))
    layer, _, kind = name.rpartition(".")
    if known is None or (kind == "bias" and layer.rpartition(".")[2] not in family.biased):
        raise ModelError(f"llama.cpp has no place for '{name[-80:]}' in a model of this family.", INSTEAD)
    return str(known)


@lru_cache(maxsize=1)
def _names(arch: str, layers: int) -> Any:
    import gguf

    kind = next(number for number, word in gguf.MODEL_ARCH_NAMES.items() if word == arch)
    return gguf.get_tensor_name_map(kind, layers)
