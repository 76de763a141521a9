"""Keep an unpacked copy of each layer's NF4 values when memory allows.

bitsandbytes unpacks the weights at every product: on the CPU 4 bit saves memory but no time, on a GPU unpacking is a
tenth of a training step. The copy holds exactly the values that unpacking yields, in the type that the products are
computed in, so the model, its losses and its adapters stay the same.
"""

from collections.abc import Sequence
from typing import Any

import psutil
import torch
from torch.nn import functional

from engine.hardware import UNPACKED_SHARE

FEW_ROWS = (2, 8)
"""Rows of a decoding step with several voices: MKL's product of two rows costs about twice that of one, while
the product the other way round reads the weights once (a pair of answers: 1.26 instead of 1.46 times one, AVX2)."""


def linear_4bit_layers(model: Any) -> list[Any]:
    """Return the model's bitsandbytes Linear4bit modules."""
    from bitsandbytes.nn import Linear4bit

    return [module for module in model.modules() if isinstance(module, Linear4bit)]


def unpacked_bytes(layers: Sequence[Any]) -> int:
    """Return the bytes that unpacked copies of 4-bit layers take."""
    return sum(layer.in_features * layer.out_features * layer.compute_dtype.itemsize for layer in layers)


def unpack_on_cpu(layers: Sequence[Any]) -> bool:
    """Let 4-bit layers on the CPU compute with unpacked copies.

    Args:
        layers: bitsandbytes Linear4bit modules, loaded.

    Returns:
        Whether it was done: never on a GPU, and only when memory allows.
    """
    if not layers or layers[0].weight.device.type != "cpu" or layers[0].compute_dtype is not torch.float32:
        return False
    if unpacked_bytes(layers) > UNPACKED_SHARE * psutil.virtual_memory().available:
        return False
    unpack(layers)
    return True


def unpack(layers: Sequence[Any]) -> None:
    """Give each 4-bit layer an unpacked copy of its values to compute with.

    Args:
        layers: bitsandbytes Linear4bit modules, loaded, with a compute type. On a GPU give those of a weight-sharing
            copy: the memory comes back with the copy.
    """
    for layer in layers:
        layer.unpacked = unpacked_values(layer.weight, layer.weight.quant_state, layer.compute_dtype)
        layer.__class__ = _unpacked_class()


def unpacked_values(weight: torch.Tensor, state: Any, dtype: torch.dtype) -> torch.Tensor:
    """Return the values of a 4-bit weight.

    Args:
        weight: The packed values in any shape; their order is what counts.
        state: Its QuantState.
        dtype: The type wanted.

    Returns:
        Shape (out_features, in_features).
    """
    from bitsandbytes.functional import dequantize_4bit

    values: torch.Tensor = dequantize_4bit(weight, state)
    return values.to(dtype)


def _unpacked_class() -> type:
    """Linear4bit that multiplies with its copy; still a Linear4bit to peft, trl and whoever saves it."""
    global _UNPACKED
    if _UNPACKED is None:
        from bitsandbytes.nn import Linear4bit

        class UnpackedLinear4bit(Linear4bit):  # type: ignore[misc]  # bitsandbytes has no types
            """A frozen 4-bit layer that computes with an unpacked copy of its values."""

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                """Return ``x @ W.T + bias``; x has shape (..., in_features)."""
                weight, rows = self.unpacked, x.numel() // self.in_features
                if self._is_decoding(x, rows):
                    flat = x.reshape(rows, self.in_features).to(weight.dtype)
                    product = torch.mm(weight, flat.t()).t().reshape(*x.shape[:-1], self.out_features)
                    return (product if self.bias is None else product + self.bias).to(x.dtype)
                bias = None if self.bias is None else self.bias.to(weight.dtype)
                return functional.linear(x.to(weight.dtype), weight, bias).to(x.dtype)

            def _is_decoding(self, x: torch.Tensor, rows: int) -> bool:
                few = FEW_ROWS[0] <= rows <= FEW_ROWS[1] and not x.is_cuda
                return few and not x.requires_grad and bool(self.out_features >= self.in_features)

        _UNPACKED = UnpackedLinear4bit
    return _UNPACKED


_UNPACKED: type | None = None
