"""Attention of a recorded step: transformers calls it by its name, and it knows how far the cache is filled.

Anything but one new token a row, and whatever is not being recorded, goes to transformers' own sdpa attention.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

NAME = "ticket_tuner_recorded"
"""The name under which transformers knows it; without 'flash' in it: transformers looks for that."""

_here = threading.local()
"""``filled``: the number of filled positions of the step that this thread records; a training thread has none."""


@contextmanager
def recorded(filled: torch.Tensor) -> Iterator[None]:
    """Compute attention by our kernel in this thread for as long as the context lasts.

    Args:
        filled: How many positions of the cache are filled, the new one included; on the GPU, one number.
    """
    _here.filled = filled
    try:
        yield
    finally:
        _here.filled = None


def use(model: Any) -> None:
    """Let a copy of a model compute its attention here."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend, as transformers asks its attentions to.

    Args:
        module: The attention layer.
        query: Shape (rows, heads, tokens, head_dim).
        key: The same, possibly with fewer heads (grouped queries).
        value: As key.
        attention_mask: Which positions are seen.
        scaling: Factor of the scores; None is 1 / sqrt(head_dim).
        dropout: Of the scores.
        **kwargs: What transformers passes besides.

    Returns:
        Shape (rows, tokens, heads, head_dim), and None for the weights.
    """
    filled = getattr(_here, "filled", None)
    knows = kwargs.get("s_aux") is None and kwargs.get("softcap") is None
    if filled is None or attention_mask is None or query.shape[2] != 1 or not knows:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
        return out, None
    from engine.chat.cuda_graphs.kernels import attend

    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return attend(query, key, value, attention_mask, filled, scale), None
