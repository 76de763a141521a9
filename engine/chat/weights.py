"""The mark of an adapter's weights: what tells, of the numbers themselves, which weights have answered."""

import hashlib
from collections.abc import Mapping

import torch

from engine.chat.adapted_linear import LoraWeights

DIGITS = 8


def mark_of(layers: Mapping[str, LoraWeights]) -> str:
    """Return the mark of an adapter: the same for the same numbers, on every device and in every order of layers.

    Args:
        layers: Its weights by the layer's name.

    Returns:
        Eight hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=DIGITS // 2)
    for name in sorted(layers):
        weights = layers[name]
        numbers = [_sum(tensor) for tensor in (weights.down, weights.up, weights.bias) if tensor is not None]
        digest.update(f"{name} {weights.scale!r} {numbers}\n".encode())
    return digest.hexdigest()


def _sum(tensor: torch.Tensor) -> int:
    """All bits of a tensor in one number: a weighted sum of whole numbers, the same in whatever order it is taken.

    The weights are odd, so that each bit of each number counts; sums of int64 wrap around without an error.
    """
    bits = tensor.detach().to(torch.float32).contiguous().view(torch.int32).flatten().to(torch.int64)
    places = torch.arange(1, 2 * bits.numel(), 2, device=bits.device, dtype=torch.int64)
    return int((bits * places * _SPREAD).sum())


_SPREAD = 0x9E3779B97F4A7C1 * 2 + 1
"""2**60 over the golden ratio, made odd: neighbouring places get weights that are far apart (Knuth, TAOCP 3, 6.4)."""
