"""StepAttention: the attention of one decoder layer in a step, as a call of the code."""

import torch

from engine.chat.cpu_step.arguments import Attention
from engine.chat.cpu_step.decoder_layers import LayerShape
from engine.chat.cpu_step.growing_cache import GrowingLayer
from engine.chat.cpu_step.machine import Lanes, attention

WIDEST = 16
"""The most lanes; scores are computed so many at a time, beyond the last column too."""


def lanes_of(size: int, lanes: Lanes) -> Lanes | None:
    """How many lanes of a vector a head of a size fills; None where that leaves some of it."""
    return None if size % 8 else 8 if size % lanes else lanes


class Sight:
    """What all layers of a step share: by what it turns, where each row begins, and room for scores.

    Args:
        mask: Shape (rows, columns with the new one), 1 where there is a token: in each row all from some column on.
        heads: Of keys, the most of any layer.
    """

    def __init__(self, mask: torch.Tensor, heads: int) -> None:
        self.seen = mask.sum(-1)
        self.heads = heads
        self._first: dict[tuple[int, int | None], torch.Tensor] = {}
        self._scratch = torch.empty(0, dtype=torch.float32)

    def first(self, columns: int, window: int | None) -> int:
        """The address of the number of the first column that each row sees, of so many."""
        if (columns, window) not in self._first:
            seen = self.seen if window is None else self.seen.clamp(max=window)
            self._first[columns, window] = (columns - seen).clamp_(min=0)
        return self._first[columns, window].data_ptr()

    def scratch(self, columns: int) -> tuple[int, int]:
        """The address of room for the scores of every head of keys, and how far these lie apart."""
        stride = columns + WIDEST
        if self._scratch.numel() < len(self.seen) * self.heads * stride:
            self._scratch = torch.empty(len(self.seen) * self.heads * stride, dtype=torch.float32)
        return self._scratch.data_ptr(), stride


class StepAttention:
    """See the module.

    Args:
        shape: Of the layer.
        qkv: Where its queries, keys and values are found, shape (rows, of all heads).
        out: Where the result goes, shape (rows, of the heads of queries).
        lanes: Of this processor.
        threads: That compute.
    """

    def __init__(self, shape: LayerShape, qkv: torch.Tensor, out: torch.Tensor, lanes: Lanes, threads: int) -> None:
        norms = shape.query_norm, shape.key_norm
        self._shape = shape
        own = lanes_of(shape.head_size, lanes)
        assert own is not None
        self._arguments = Attention(
            qkv=qkv.data_ptr(),
            qkv_stride=qkv.shape[1],
            rows=qkv.shape[0],
            heads=shape.heads,
            key_heads=shape.key_heads,
            query_norm=norms[0].weight.data_ptr() if norms[0] else None,
            key_norm=norms[1].weight.data_ptr() if norms[1] else None,
            eps=norms[0].eps if norms[0] else 0.0,
            scale=shape.scale,
            cap=shape.cap or 0.0,
            out=out.data_ptr(),
        )
        self._compute = attention(shape.head_size, own)(self._arguments, threads)

    def run(self, kept: GrowingLayer, turned: tuple[torch.Tensor, torch.Tensor], sight: Sight) -> None:
        """Append the new keys and values to what is kept, and let the queries see.

        Args:
            kept: The layer's keys and values.
            turned: Cosines and sines, shape (rows, 1, size), contiguous; the first half of the sines is negative.
            sight: Of this step.
        """
        to, end = self._arguments, kept.append()
        to.cosines, to.sines, to.turned = turned[0].data_ptr(), turned[1].data_ptr(), turned[0].shape[-1]
        to.keys, to.values, to.capacity, to.end = kept.keys_at, kept.values_at, kept.capacity, end
        to.first = sight.first(end + 1, kept.window)
        to.scratch, to.scratch_stride = sight.scratch(end + 1)
        self._compute()
