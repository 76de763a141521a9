"""Attention over conversations that lie end to end, and whether a model keeps them apart.

Packed batches hold many conversations in one row. The kernel :data:`VARLEN` computes each conversation's attention by
itself, from the places where they begin; torch brings it, so that no package has to be compiled. Where it is missing,
transformers' own sdpa attention masks the others out, which is slower. This module knows models, not recipes.
"""

import functools
import inspect
import logging
from typing import Any, Literal

import torch

log = logging.getLogger(__name__)

Kernel = Literal["varlen", "sdpa"]

VARLEN = "packed_varlen"
"""The name under which transformers knows our attention. Without 'flash' in it: transformers looks for that."""
LEAK = 1e-3
"""Nats by which a text's loss may depend on what the text before it says. Nothing else of the pass differs, so rounding
is the same and a kernel that keeps texts apart gives 0; a mixture of experts may sort its tokens in another order."""
ROUNDING = 0.1
"""Nats by which a text's loss may differ from that of the text alone, which another kernel computes. Random weights of
32 layers in bfloat16 came near 0.01; a model that ignores where texts begin measured 4.94."""
PROBE = (96, 64)
"""Tokens of the two texts that are tried."""
MAX_HEAD = 256
"""Largest head of torch's flash attention."""


def choose_kernel(model: Any, max_length: int) -> Kernel:
    """Return the kernel for packed batches: varlen where device, number format and architecture allow it.

    Args:
        model: A causal language model.
        max_length: Longest conversation, in tokens; a sliding window at least as long changes nothing.
    """
    config = model.config.get_text_config()
    device, dtype = next(model.parameters()).device, model.dtype
    fits = (
        device.type == "cuda"
        and torch.version.hip is None
        and torch.cuda.get_device_capability(device) >= (8, 0)
        and dtype in (torch.bfloat16, torch.float16)
        and _varlen() is not None
        and getattr(config, "head_dim", None) in (None, *range(8, MAX_HEAD + 1, 8))
        and not getattr(config, "attn_logit_softcapping", None)
        and not _narrow_window(config, max_length)
    )
    return "varlen" if fits else "sdpa"


def use_kernel(model: Any, kernel: Kernel) -> None:
    """Let a copy of a model compute its attention with a kernel; sdpa is what it was loaded with."""
    if kernel == "varlen":
        _register()
        model.set_attn_implementation(VARLEN)


def keeps_packed_texts_apart(model: Any, vocabulary: int) -> bool:
    """Try whether a text's losses depend on the text before it in a packed row, and agree with those of the text alone.

    transformers builds a block-diagonal mask from restarting position ids for most architectures, but not for all.
    Whatever attention the model is set to is what is tried.

    Args:
        model: A causal language model in eval mode.
        vocabulary: Its number of tokens.

    Returns:
        Whether both hold; False where the model refuses packed input.
    """
    size = min(vocabulary, 1000)
    first, other, second = (torch.arange(PROBE[n]) * step % size for n, step in ((0, 7), (0, 13), (1, 11)))
    try:
        alone = _loss(model, second)
        before, after = (_loss(model, second, after=text) for text in (first, other))
    except Exception as error:
        log.info("packed texts are refused: %s: %s", type(error).__name__, error)
        return False
    log.info("a packed text's loss: %.5f alone, %.5f and %.5f after two others", alone, before, after)
    return abs(before - after) < LEAK and abs(alone - before) < ROUNDING


def _loss(model: Any, text: torch.Tensor, after: torch.Tensor | None = None) -> float:
    """Return a text's mean loss in nats, of the text alone or ``after`` another one in the same row."""
    device = next(model.parameters()).device
    row, where = text, {}
    if after is not None:
        lengths = [len(after), len(text)]
        row = torch.cat([after, text])
        positions = torch.cat([torch.arange(count) for count in lengths])
        where = {"position_ids": positions[None].to(device), **boundaries(lengths, device)}
    with torch.no_grad():
        logits = model(input_ids=row[None].to(device), use_cache=False, **where).logits[0, len(row) - len(text) :]
    return float(torch.nn.functional.cross_entropy(logits[:-1].float(), text[1:].to(device)))


def boundaries(lengths: list[int], device: torch.device | None = None, longest: int = 0) -> dict[str, Any]:
    """Return the arguments that tell a model where conversations begin in a row.

    Args:
        lengths: Tokens of each conversation, in order.
        device: Where the model is.
        longest: What to give as the longest, if that is to be the same for every batch; 0 takes the longest there is.
    """
    starts = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
    most = longest or max(lengths)
    return {"cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": most, "max_length_k": most}


def _narrow_window(config: Any, max_length: int) -> bool:
    """Whether some layer looks back less far than a conversation is long."""
    window = getattr(config, "sliding_window", None)
    if not window or getattr(config, "use_sliding_window", True) is False:
        return False
    kinds = getattr(config, "layer_types", None)
    return bool(window < max_length and (kinds is None or "sliding_attention" in kinds))


def _varlen() -> Any:
    """Return torch's function, or None; torch 2.10 was the first to have it."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


def _register() -> None:
    global _KERNEL
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    def no_mask_for_packed(*args: Any, attention_mask: Any = None, **kwargs: Any) -> Any:
        return None if attention_mask is None else sdpa_mask(*args, attention_mask=attention_mask, **kwargs)

    _KERNEL = functools.partial(_varlen(), **_options())
    AttentionInterface.register(VARLEN, varlen_attention)
    AttentionMaskInterface.register(VARLEN, no_mask_for_packed)


def varlen_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each conversation; plain sdpa for a batch that says nothing of conversations.

    Args:
        module: The attention layer.
        query: Shape (1, heads, tokens, head_dim); bfloat16 or float16.
        key: The same, possibly with fewer heads (grouped queries).
        value: As key.
        attention_mask: Only for sdpa.
        scaling: Factor of the scores; None is 1 / sqrt(head_dim).
        dropout: Of the scores; only for sdpa, 0 in every model that is trained today.
        cu_seq_lens_q: Where each conversation begins and the last ends, int32, shape (conversations + 1,).
        max_length_q: Tokens of the longest conversation, or more.
        **kwargs: What transformers passes besides.

    Returns:
        Shape (1, tokens, heads, head_dim), and None for the weights.

    Raises:
        ValueError: The layer wants what the kernel cannot do (attention sinks, a cap on the scores).
    """
    if kwargs.get("s_aux") is not None or kwargs.get("softcap") is not None:
        raise ValueError("varlen attention knows neither sinks nor capped scores")
    if cu_seq_lens_q is None or max_length_q is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
        return out, None
    q, k, v = (tensor.transpose(1, 2).squeeze(0) for tensor in (query, key, value))
    q, k = q.to(v.dtype), k.to(v.dtype)
    out = _KERNEL(q, k, v, cu_seq_lens_q, cu_seq_lens_q, max_length_q, max_length_q, scale=scaling)
    return out.unsqueeze(0), None


def _options() -> dict[str, Any]:
    """Say 'causal, grouped queries' in this torch's words: the signature moved between 2.10 and 2.13."""
    names = inspect.signature(_varlen()).parameters
    options: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in names else {"is_causal": True}
    return options | ({"enable_gqa": True} if "enable_gqa" in names else {})


_KERNEL: Any = None
"""The function with those words; set when the attention is first wanted."""
