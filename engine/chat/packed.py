"""Reading several prompts as one row, end to end and without padding, each apart from the others.

A prompt attends to itself, and to what has been read of it before, which stands in front of its keys and values. The
linear layers, where reading costs most, go once over the tokens of all prompts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from engine.chat.cpu_step.decoder_layers import FAMILIES
from engine.model.attention import boundaries, choose_kernel, use_kernel

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank

NAME = "ticket_tuner_packed"
"""The name under which transformers knows the attention below. It makes no masks for a name that it has none for."""

Pair = tuple[torch.Tensor, torch.Tensor]
"""Keys and values, each of shape (1, heads, columns, head_dim)."""


def can_pack(bank: "AdapterBank", adapters: Sequence[str | None]) -> bool:
    """Whether prompts can be read so.

    The model has to be a known one, and no adapter may change the output layer: it sees the last token of each alone.
    """
    named = {name for name in adapters if name is not None}
    return bank.model.config.model_type in FAMILIES and not any("lm_head" in bank.layers_of(name) for name in named)


class PackedCache:
    """Keys and values of prompts that are being read, each prompt's by itself; what transformers asks a cache for.

    Args:
        known: For each prompt what has been read of it before: for each layer keys and values; None is nothing.
        lengths: Tokens of each that are read now.
    """

    def __init__(self, known: Sequence[Sequence[Pair] | None], lengths: Sequence[int]) -> None:
        self._known, self.lengths = known, list(lengths)
        self.read: list[list[Pair]] = []
        """For each layer all that has been read of each prompt."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was read of any prompt before."""
        return not any(self._known)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Nothing stands before the row as a whole."""
        return 0

    get_query_offset = get_seq_length

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        """Columns of the row, and the first of them."""
        return query_length, 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> Pair:
        """Take the keys and values of all new tokens, in the order of the layers; return each prompt's with them."""
        assert layer_idx == len(self.read)
        pairs: list[Pair] = []
        news = zip(*(torch.split(new, self.lengths, 2) for new in (key_states, value_states)), strict=True)
        for before, (keys, values) in zip(self._known, news, strict=True):
            if before is not None:
                keys, values = (torch.cat(both, 2) for both in zip(before[layer_idx], (keys, values), strict=True))
            pairs.append((keys, values))
        self.read.append(pairs)
        return torch.cat([keys for keys, _ in pairs], 2), torch.cat([values for _, values in pairs], 2)


def read_packed(
    bank: "AdapterBank", cache: PackedCache, ids: torch.Tensor, positions: torch.Tensor, adapters: Sequence[str | None]
) -> torch.Tensor:
    """Read prompts.

    Args:
        bank: The base and its adapters.
        cache: Of as many prompts; grows by what is read.
        ids: Shape (1, tokens of all).
        positions: The same; from 0, or after what is known, in each prompt.
        adapters: Who reads each prompt.

    Returns:
        The scores of the token after each, shape (prompts, vocabulary).
    """
    lengths, longest = cache.lengths, max(cache.lengths)
    readers = [name for name, length in zip(adapters, lengths, strict=True) for _ in range(length)]
    kernel = choose_kernel(bank.model, longest) if cache.is_new else "sdpa"
    told: dict[str, Any] = {"packed": cache} if kernel == "sdpa" else boundaries(lengths, bank.device)
    with bank.lock, _attending(bank.model, kernel):
        scores: torch.Tensor = bank.forward(
            readers,
            input_ids=ids,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=torch.tensor(lengths, dtype=torch.long, device=bank.device).cumsum(0) - 1,
            **told,
        ).logits[0]
    return scores


@contextmanager
def _attending(model: Any, kernel: str) -> Iterator[None]:
    from transformers import AttentionInterface

    before = model.config._attn_implementation
    if kernel == "varlen":
        use_kernel(model, "varlen")
    else:
        AttentionInterface.register(NAME, attention)
        model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    *,
    packed: PackedCache,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend prompt by prompt, as transformers asks its attentions to.

    Args:
        module: The attention layer.
        query: Shape (1, heads, new tokens of all prompts, head_dim).
        key: Shape (1, heads or fewer, tokens of all prompts, head_dim): before the new ones of a prompt what was known.
        value: As key.
        attention_mask: None.
        scaling: Factor of the scores; None is 1 / sqrt(head_dim).
        packed: Which prompts these are.
        sliding_window: How many tokens each sees, itself included; None is all before it.
        softcap: Bounds the scores.
        **kwargs: What transformers passes besides.

    Returns:
        Shape (1, new tokens, heads, head_dim), and None for the weights.
    """
    columns = [keys.shape[2] for keys, _ in packed.read[module.layer_idx]]
    told = ((query, packed.lengths), (key, columns), (value, columns))
    parts = zip(*(torch.split(tensor, lengths, 2) for tensor, lengths in told), strict=True)
    seen = [_of_one(q, k, v, scaling, sliding_window, softcap) for q, k, v in parts]
    return torch.cat(seen, 2).transpose(1, 2).contiguous(), None


def _of_one(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> torch.Tensor:
    """Attend causally; the last query is the last key's own."""
    new, columns = query.shape[2], key.shape[2]
    is_plain = new == columns and (window is None or columns <= window)
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    if is_plain and softcap is None:
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
    distance = torch.arange(columns - new, columns, device=query.device)[:, None] - torch.arange(
        columns, device=query.device
    )
    seen = (distance >= 0) & (distance < (window or columns))
    if softcap is None:
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, seen, scale=scaling)
    scores = (query @ key.transpose(2, 3)) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = (torch.tanh(scores / softcap) * softcap).masked_fill(~seen, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype) @ value
