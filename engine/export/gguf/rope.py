"""Rotary positions as llama.cpp is told of them: the base, and how a model stretches them beyond its first context."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.export.gguf.families import INSTEAD, Family, head_dim

if TYPE_CHECKING:
    import numpy as np


def describe_rope(writer: Any, config: Any, family: Family) -> "dict[str, np.ndarray]":
    """Write what the file's header says of positions.

    Args:
        writer: A gguf.GGUFWriter.
        config: transformers' configuration.
        family: The model's family.

    Returns:
        Tensors that go with it, by llama.cpp's names: float32.

    Raises:
        ModelError: llama.cpp has no such stretching, or another idea of it.
    """
    values = _values(config)
    turned = int(head_dim(config) * values.get("partial_rotary_factor", 1.0))
    writer.add_rope_dimension_count(turned)
    writer.add_rope_freq_base(float(values["rope_theta"]))
    if family.arch == "gemma3":
        writer.add_rope_freq_base_swa(float(config.rope_parameters["sliding_attention"]["rope_theta"]))
    kind = values["rope_type"]
    if kind == "default":
        return {}
    if kind == "llama3":
        return {"rope_freqs.weight": _llama3_factors(values, turned)}
    if kind == "longrope":
        return _longrope(writer, config, values)
    if kind == "linear":
        writer.add_rope_scaling_type(_scaling("LINEAR"))
        writer.add_rope_scaling_factor(float(values["factor"]))
        return {}
    if kind == "yarn" and not _unusual_yarn(values):
        writer.add_rope_scaling_type(_scaling("YARN"))
        writer.add_rope_scaling_factor(float(values["factor"]))
        writer.add_rope_scaling_orig_ctx_len(int(values["original_max_position_embeddings"]))
        return {}
    raise ModelError(f"llama.cpp does not know this model's way of stretching positions ({kind[:40]}).", INSTEAD)


def _values(config: Any) -> Mapping[str, Any]:
    """Return the parameters of positions; of the layers that look at everything where there are two kinds."""
    values: Mapping[str, Any] = config.rope_parameters
    values = values.get("full_attention", values)
    if config.model_type == "gemma3_text" and config.rope_parameters["sliding_attention"]["rope_type"] != "default":
        raise ModelError("This model stretches the positions of its sliding windows, which llama.cpp cannot.", INSTEAD)
    return values


def _scaling(name: str) -> Any:
    import gguf

    return gguf.RopeScalingType[name]


def _unusual_yarn(values: Mapping[str, Any]) -> bool:
    """Whether YaRN (https://arxiv.org/abs/2309.00071) has settings other than its paper's, which llama.cpp computes."""
    usual = {"attention_factor": None, "mscale": None, "mscale_all_dim": None, "beta_fast": 32, "beta_slow": 1}
    return any(values.get(name) not in (None, wanted) for name, wanted in usual.items()) or not values.get(
        "truncate", True
    )


def _llama3_factors(values: Mapping[str, Any], turned: int) -> "np.ndarray":
    """Return by how much each frequency is divided; Llama 3.1's own smoothing between long and short waves.

    Source: transformers' modeling_rope_utils._compute_llama3_parameters.
    """
    import numpy as np

    factor, first = float(values["factor"]), float(values["original_max_position_embeddings"])
    low, high = float(values["low_freq_factor"]), float(values["high_freq_factor"])
    waves = 2 * math.pi * float(values["rope_theta"]) ** (np.arange(0, turned, 2, dtype=np.float64) / turned)
    smooth = (first / waves - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    factors = np.where(waves < first / high, 1.0, np.where(waves > first / low, factor, between))
    return factors.astype(np.float32)


def _longrope(writer: Any, config: Any, values: Mapping[str, Any]) -> "dict[str, np.ndarray]":
    """Phi-3's factors for short and for long texts (https://arxiv.org/abs/2402.13753)."""
    import numpy as np

    first = int(values.get("original_max_position_embeddings") or config.original_max_position_embeddings)
    stretched = float(values.get("factor") or config.max_position_embeddings / first)
    strength = values.get("attention_factor")
    if strength is None:
        strength = 1.0 if stretched <= 1 else math.sqrt(1 + math.log(stretched) / math.log(first))
    writer.add_rope_scaling_orig_ctx_len(first)
    writer.add_rope_scaling_attn_factors(float(strength))
    return {
        f"rope_factors_{length}.weight": np.array(values[f"{length}_factor"], dtype=np.float32)
        for length in ("long", "short")
    }
