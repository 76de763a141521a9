"""What the decoder layers of the known families compute, read off transformers' modules.

Llama, Mistral, Qwen2, Qwen3, Phi3, Gemma2 and Gemma3 differ in few things: which products share a matrix, norms of
queries and keys, norms after attention and feed-forward, how positions turn, how far a layer sees. Whatever is not
found to be one of them is left to the model itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"})
_GROUPS = {
    "qkv": (("q_proj", "k_proj", "v_proj"), ("qkv_proj",)),
    "gate_up": (("gate_proj", "up_proj"), ("gate_up_proj",)),
}


@dataclass(frozen=True, slots=True)
class Norm:
    """A root-mean-square norm."""

    weight: torch.Tensor
    """What is multiplied with: Gemma's modules keep one less."""
    eps: float


@dataclass(frozen=True, slots=True)
class LayerShape:
    """A decoder layer; linear layers are named as the model names its modules."""

    qkv: tuple[str, ...]
    output: str
    gate_up: tuple[str, ...]
    down: str
    before_attention: Norm
    before_feed_forward: Norm
    after_attention: Norm | None
    after_feed_forward: Norm | None
    query_norm: Norm | None
    key_norm: Norm | None
    heads: int
    key_heads: int
    head_size: int
    scale: float
    cap: float | None
    """Bounds the attention's scores."""
    activation: Callable[[torch.Tensor], torch.Tensor]
    kind: str | None
    """Which positions it turns by, where the model has several."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """All of a model."""

    layers: tuple[LayerShape, ...]
    final_norm: Norm
    head: str
    softcap: float | None
    """Bounds the scores."""


def shape_of(model: Any) -> ModelShape | None:
    """Read a model.

    Args:
        model: A causal language model of transformers.

    Returns:
        None where it is of no known family, or computes something that a step does not know.
    """
    config = model.config
    if config.model_type not in FAMILIES or getattr(config, "use_bidirectional_attention", False):
        return None
    if {"model", "lm_head"} - dict(model.named_children()).keys():
        return None
    try:
        layers = tuple(_layer(layer, f"model.layers.{n}", config) for n, layer in enumerate(model.model.layers))
    except (AttributeError, KeyError):
        return None
    return ModelShape(layers, _norm(model.model.norm), "lm_head", getattr(config, "final_logit_softcapping", None))


def positions_of(
    model: Any, shape: ModelShape, positions: torch.Tensor
) -> dict[str | None, tuple[torch.Tensor, torch.Tensor]]:
    """Return what queries and keys are turned by: for each kind of layer cosines and sines, (rows, 1, size)."""
    like = torch.empty(0, dtype=torch.float32)
    rotations: dict[str | None, tuple[torch.Tensor, torch.Tensor]] = {}
    for kind in {layer.kind for layer in shape.layers}:
        args = () if kind is None else (kind,)
        cosines, sines = model.model.rotary_emb(like, positions, *args)
        half = sines.shape[-1] // 2
        rotations[kind] = cosines.contiguous(), torch.cat([-sines[..., :half], sines[..., half:]], dim=-1)
    return rotations


def _layer(layer: Any, name: str, config: Any) -> LayerShape:
    attention, mlp = layer.self_attn, layer.mlp
    gemma = config.model_type.startswith("gemma")
    after_attention = layer.post_attention_layernorm if gemma else None
    before_feed_forward = layer.pre_feedforward_layernorm if gemma else layer.post_attention_layernorm
    after_feed_forward = layer.post_feedforward_layernorm if gemma else None
    return LayerShape(
        qkv=_group(attention, f"{name}.self_attn", "qkv"),
        output=f"{name}.self_attn.o_proj",
        gate_up=_group(mlp, f"{name}.mlp", "gate_up"),
        down=f"{name}.mlp.down_proj",
        before_attention=_norm(layer.input_layernorm),
        before_feed_forward=_norm(before_feed_forward),
        after_attention=after_attention and _norm(after_attention),
        after_feed_forward=after_feed_forward and _norm(after_feed_forward),
        query_norm=_norm(attention.q_norm) if hasattr(attention, "q_norm") else None,
        key_norm=_norm(attention.k_norm) if hasattr(attention, "k_norm") else None,
        heads=config.num_attention_heads,
        key_heads=config.num_key_value_heads,
        head_size=attention.head_dim,
        scale=attention.scaling,
        cap=getattr(config, "attn_logit_softcapping", None),
        activation=mlp.activation_fn if hasattr(mlp, "activation_fn") else mlp.act_fn,
        kind=attention.layer_type if isinstance(config.rope_parameters.get("full_attention"), dict) else None,
    )


def _group(module: Any, name: str, group: str) -> tuple[str, ...]:
    """The names of the layers that make queries, keys and values, or gate and values, in this order."""
    for names in _GROUPS[group]:
        if all(hasattr(module, each) for each in names):
            return tuple(f"{name}.{each}" for each in names)
    raise AttributeError(group)


def _norm(module: Any) -> Norm:
    weight = module.weight.detach().float()
    if type(module).__name__.startswith("Gemma"):
        return Norm(1.0 + weight, module.eps)
    return Norm(weight.contiguous(), module.variance_epsilon)


def rms_norm(values: torch.Tensor, norm: Norm) -> torch.Tensor:
    """Norm the last dimension."""
    return torch.nn.functional.rms_norm(values, norm.weight.shape, norm.weight, norm.eps)


def linear_names(shape: ModelShape) -> Sequence[tuple[str, ...]]:
    """The names of all linear layers, those that read the same input together."""
    layers = (names for each in shape.layers for names in (each.qkv, (each.output,), each.gate_up, (each.down,)))
    return [*layers, (shape.head,)]
