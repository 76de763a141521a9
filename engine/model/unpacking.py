"""On the CPU, keep an fp32 copy of each layer's NF4 values when memory allows.

bitsandbytes unpacks the weights at every product on the CPU, where 4 bit saves memory but no time. The copy holds
exactly
the values that unpacking yields, so the model, its losses and its adapters stay the same.
"""

from collections.abc import Sequence
from typing import Any

import psutil
import torch
from torch.nn import functional

SHARE_OF_FREE_MEMORY = 0.4
"""The copies may take this share of the memory that is free when the model is loaded; training needs the rest."""
FEW_ROWS = (2, 8)
"""Rows of a decoding step with several voices: MKL's product of two rows costs about twice that of one, while
the product the other way round reads the weights once (a pair of answers: 1.26 instead of 1.46 times one, AVX2)."""


def unpack_on_cpu(layers: Sequence[Any]) -> bool:
    """Let 4-bit layers on the CPU compute with unpacked copies.

    Args:
        layers: bitsandbytes Linear4bit modules, loaded.

    Returns:
        Whether it was done: never on a GPU, and only when memory allows.
    """
    if not layers or layers[0].weight.device.type != "cpu" or layers[0].compute_dtype is not torch.float32:
        return False
    needed = 4 * sum(layer.in_features * layer.out_features for layer in layers)
    if needed > SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available:
        return False
    for layer in layers:
        _unpack(layer)
    return True


def _unpack(layer: Any) -> None:
    from bitsandbytes.functional import dequantize_4bit

    layer.unpacked = dequantize_4bit(layer.weight.data, layer.weight.quant_state).to(torch.float32)
    layer.__class__ = _unpacked_class()


def _unpacked_class() -> type:
    """Linear4bit that multiplies with its copy; still a Linear4bit to peft, trl and whoever saves it."""
    global _UNPACKED
    if _UNPACKED is None:
        from bitsandbytes.nn import Linear4bit

        class UnpackedLinear4bit(Linear4bit):  # type: ignore[misc]  # bitsandbytes has no types
            """A frozen 4-bit layer that computes with an fp32 copy of its values."""

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                """Return ``x @ W.T + bias``; x has shape (..., in_features)."""
                rows = x.numel() // self.in_features
                if FEW_ROWS[0] <= rows <= FEW_ROWS[1] and not x.requires_grad and self.out_features >= self.in_features:
                    flat = x.reshape(rows, self.in_features).to(torch.float32)
                    product = torch.mm(self.unpacked, flat.t()).t().reshape(*x.shape[:-1], self.out_features)
                    return (product if self.bias is None else product + self.bias).to(x.dtype)
                return functional.linear(x.to(torch.float32), self.unpacked, self.bias).to(x.dtype)

        _UNPACKED = UnpackedLinear4bit
    return _UNPACKED


_UNPACKED: type | None = None
