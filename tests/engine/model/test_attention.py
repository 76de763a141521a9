import types

import pytest
import torch

from engine.model import attention
from engine.model.attention import VARLEN, boundaries, choose_kernel, keeps_packed_texts_apart, use_kernel


@pytest.fixture
def stand_in(monkeypatch):
    """A varlen kernel for the CPU: attention conversation by conversation, with torch's signature."""
    calls = []

    def varlen(q, k, v, cu_seq_q, cu_seq_k, max_q, max_k, *, scale=None, window_size=(-1, -1), enable_gqa=False):
        assert window_size == (-1, 0), "not causal"
        calls.append(cu_seq_q.tolist())
        parts = []
        for start, end in zip(cu_seq_q[:-1].tolist(), cu_seq_q[1:].tolist(), strict=True):
            one = [tensor[start:end].transpose(0, 1)[None] for tensor in (q, k, v)]
            out = torch.nn.functional.scaled_dot_product_attention(
                *one, is_causal=True, scale=scale, enable_gqa=enable_gqa
            )
            parts.append(out[0].transpose(0, 1))
        return torch.cat(parts)

    monkeypatch.setattr(attention, "_varlen", lambda: varlen)
    return calls


def test_the_processor_and_float32_fall_back_to_sdpa(tiny_base):
    assert choose_kernel(tiny_base.model, 1024) == "sdpa"


def test_a_missing_kernel_falls_back_to_sdpa(tiny_base, monkeypatch):
    monkeypatch.setattr(attention, "_varlen", lambda: None)
    assert choose_kernel(tiny_base.model, 1024) == "sdpa"


def test_varlen_attention_keeps_conversations_apart_and_equals_sdpa(tiny_base, stand_in):
    model = tiny_base.copy()
    use_kernel(model, "varlen")
    assert model.config._attn_implementation == VARLEN
    assert tiny_base.model.config._attn_implementation == "sdpa"
    assert keeps_packed_texts_apart(model, 300)
    assert stand_in[-1] == [0, 96, 160]
    texts = [torch.arange(9), torch.arange(5) * 3]
    together = model(
        input_ids=torch.cat(texts)[None],
        position_ids=torch.cat([torch.arange(9), torch.arange(5)])[None],
        use_cache=False,
        **boundaries([9, 5]),
    ).logits[0]
    alone = torch.cat([tiny_base.model(text[None]).logits[0] for text in texts])
    assert torch.allclose(together, alone, atol=1e-4)


class Noisy(torch.nn.Module):
    """A model of bigrams whose packed rows are rounded otherwise, and see a little of the text before."""

    def __init__(self, noise, leak):
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Parameter(torch.randn(1000, 1000))
        self.noise, self.leak = noise, leak

    def forward(self, input_ids, position_ids=None, **_):
        logits = self.table[input_ids]
        if position_ids is not None:
            logits = logits * (1 + self.noise) + self.leak * logits.cumsum(1)
        return types.SimpleNamespace(logits=logits)


@pytest.mark.parametrize(("noise", "leak", "apart"), [(0.0, 0.0, True), (0.02, 0.0, True), (0.0, 0.002, False)])
def test_rounding_of_another_kernel_is_no_contamination_and_a_little_leak_is(noise, leak, apart):
    assert keeps_packed_texts_apart(Noisy(noise, leak), 1000) is apart


def test_a_batch_that_says_nothing_of_conversations_is_masked_as_ever(tiny_base, stand_in):
    model = tiny_base.copy()
    use_kernel(model, "varlen")
    ids, mask = torch.arange(8).view(2, 4), torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    assert torch.allclose(
        model(ids, attention_mask=mask).logits, tiny_base.model(ids, attention_mask=mask).logits, atol=1e-5
    )
    assert not stand_in


def test_what_the_kernel_cannot_express_is_refused(stand_in):
    q = torch.zeros(1, 2, 4, 8)
    with pytest.raises(ValueError, match="sinks"):
        attention.varlen_attention(None, q, q, q, None, s_aux=torch.zeros(2), **boundaries([4]))


@pytest.mark.parametrize(
    ("settings", "narrow"),
    [
        ({}, False),
        ({"sliding_window": 4096}, False),
        ({"sliding_window": 512}, True),
        ({"sliding_window": 512, "use_sliding_window": False}, False),
        ({"sliding_window": 512, "layer_types": ["full_attention"]}, False),
        ({"sliding_window": 512, "layer_types": ["sliding_attention", "full_attention"]}, True),
    ],
)
def test_a_window_narrower_than_a_conversation_is_seen(settings, narrow):
    from types import SimpleNamespace

    assert attention._narrow_window(SimpleNamespace(**settings), 1024) is narrow
