"""What a GGUF's header says of a model's shape."""

from typing import TYPE_CHECKING, Any

from engine.export.gguf.families import Family, head_dim
from engine.export.gguf.rope import describe_rope

if TYPE_CHECKING:
    import numpy as np


def context_length(config: Any, family: Family) -> int:
    """Return the longest text, in tokens, that llama.cpp computes as transformers does.

    Where a model looks through a sliding window and llama.cpp does not, the two agree as far as the window reaches.
    """
    longest = int(config.max_position_embeddings)
    window = getattr(config, "sliding_window", None)
    return min(longest, int(window)) if window and not family.attends_fully_every else longest


def describe_model(writer: Any, config: Any, family: Family) -> "dict[str, np.ndarray]":
    """Write the shape of a model.

    Args:
        writer: A gguf.GGUFWriter.
        config: transformers' configuration.
        family: The model's family.

    Returns:
        Tensors that belong to it beside the model's own: float32.

    Raises:
        ModelError: llama.cpp cannot compute its positions.
    """
    writer.add_vocab_size(int(config.vocab_size))
    writer.add_context_length(context_length(config, family))
    writer.add_embedding_length(int(config.hidden_size))
    writer.add_block_count(int(config.num_hidden_layers))
    writer.add_feed_forward_length(int(config.intermediate_size))
    writer.add_head_count(int(config.num_attention_heads))
    writer.add_head_count_kv(int(config.num_key_value_heads))
    writer.add_key_length(head_dim(config))
    writer.add_value_length(head_dim(config))
    writer.add_layer_norm_rms_eps(float(config.rms_norm_eps))
    if family.attends_fully_every:
        writer.add_sliding_window(int(config.sliding_window))
    if family.arch == "gemma2":
        writer.add_attn_logit_softcapping(float(config.attn_logit_softcapping))
        writer.add_final_logit_softcapping(float(config.final_logit_softcapping))
    return describe_rope(writer, config, family)
