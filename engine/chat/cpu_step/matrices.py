"""Linear layers as a product reads them: the base's own packed values, or numbers in as few bytes as hold them."""

from dataclasses import dataclass
from typing import Any

import psutil
import torch

from engine.chat.cpu_step.arguments import BLOCK, Kind
from engine.hardware import OUTPUT_COPY_SHARE


@dataclass(frozen=True, slots=True)
class Weights:
    """A layer's weights."""

    kind: Kind
    values: torch.Tensor
    """The packed values in their order, or shape (out_features, in_features)."""
    scales: torch.Tensor | None
    """Of packed values: one a block, float32."""
    table: torch.Tensor | None
    """Of packed values: what the 16 numbers stand for, float32."""
    bias: torch.Tensor | None
    in_features: int
    out_features: int

    @property
    def copied_bytes(self) -> int:
        """Memory beside the layer's own: scales and biases in float32, and a copy of the values in fewer bytes."""
        values = self.values.nbytes if self.kind == "bfloat16" else 0
        return values + sum(each.nbytes for each in (self.scales, self.table, self.bias) if each is not None)


def weights_of(layer: Any) -> Weights | None:
    """Return a linear layer's weights.

    Args:
        layer: bitsandbytes' Linear4bit or torch's Linear, on the processor.

    Returns:
        None where the product knows no such weights. Nothing is rounded: packed values stay packed, and others are
        copied into bfloat16 only where each of them is one.
    """
    from bitsandbytes.nn import Linear4bit

    bias = None if layer.bias is None else layer.bias.detach().float().contiguous()
    if isinstance(layer, Linear4bit):
        return _packed(layer, bias)
    if type(layer) is not torch.nn.Linear or layer.weight.dtype is not torch.float32 or layer.in_features % 16:
        return None
    weight = layer.weight.detach().contiguous()
    half = _in_bfloat16(weight)
    kind: Kind = "float32" if half is None else "bfloat16"
    values = weight if half is None else half
    return Weights(kind, values, None, None, bias, layer.in_features, layer.out_features)


def _packed(layer: Any, bias: torch.Tensor | None) -> Weights | None:
    from bitsandbytes.functional import dequantize_blockwise

    state = layer.weight.quant_state
    fits = state is not None and state.blocksize == BLOCK and layer.in_features % BLOCK == 0
    if not fits or layer.weight.dtype is not torch.uint8:
        return None
    scales = dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
    return Weights(
        "packed",
        layer.weight.detach(),
        scales.float().contiguous(),
        state.code.float().contiguous(),
        bias,
        layer.in_features,
        layer.out_features,
    )


def _in_bfloat16(weight: torch.Tensor) -> torch.Tensor | None:
    """Half the bytes to read at every step, where it changes nothing: most checkpoints are in bfloat16."""
    if 2 * weight.numel() > OUTPUT_COPY_SHARE * psutil.virtual_memory().available:
        return None
    half = weight.bfloat16()
    pieces = zip(half.chunk(64), weight.chunk(64), strict=True)  # so that no other copy in float32 is made
    return half if all(torch.equal(piece.float(), wanted) for piece, wanted in pieces) else None
