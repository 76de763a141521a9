"""A decoder layer's 4-bit weights as one contiguous piece of bytes, and weights that are nothing but a look at a piece.

A 4-bit weight is more than its packed values: there are its scales (absmax), the sixteen values that it chooses from
(code), and where the scales are quantised too, their scales, their values and their mean. All of them stand in the
piece, one after the other, so that one copy moves a layer. This module knows bitsandbytes' weights and no device.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

ALIGNED = 256
"""Bytes on whose multiples tensors begin, as torch's own allocator has it: kernels read several bytes at a time."""
NESTED_BLOCK = 256
"""Scales that share a scale (Dettmers et al., 2023, section 3; quantize_4bit of bitsandbytes 0.50)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor in a piece."""

    begins: int
    """Its first byte."""
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def ends(self) -> int:
        """The byte after its last."""
        return self.begins + math.prod(self.shape) * self.dtype.itemsize

    def of(self, piece: torch.Tensor) -> torch.Tensor:
        """Return the tensor itself, a view of the piece."""
        return piece[self.begins : self.ends].view(self.dtype).view(self.shape)


@dataclass(frozen=True, slots=True)
class PackedWeight:
    """A 4-bit weight in a piece."""

    shape: tuple[int, int]
    """Of the values that it stands for: (out_features, in_features)."""
    dtype: torch.dtype
    """What they are unpacked to."""
    quant_type: str
    block: int
    """Values that share a scale."""
    packed: Part
    scales: Part
    code: Part
    nested: tuple[Part, Part, Part] | None
    """The scales' mean, scales and values, where they are quantised too."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a piece."""

    weights: tuple[PackedWeight, ...]
    bytes: int


def layout_of(layers: Sequence[Any], dtype: torch.dtype) -> Layout:
    """Return how the weights of some 4-bit layers stand in a piece.

    Args:
        layers: bitsandbytes Linear4bit modules; they need not be loaded.
        dtype: What their values are unpacked to.
    """
    weights, end = [], 0
    for layer in layers:
        weights.append(_packed(layer, dtype, end))
        last = weights[-1].nested[-1] if weights[-1].nested else weights[-1].code
        end = _aligned(last.ends)
    return Layout(tuple(weights), end)


def write(weight: Any, where: PackedWeight, piece: torch.Tensor) -> None:
    """Copy a packed weight into its place in a piece.

    Args:
        weight: bitsandbytes' Params4bit, on any device.
        where: Its place.
        piece: Bytes.

    Raises:
        ValueError: It is packed in another way than its place is made for.
    """
    places = (where.packed, where.scales, where.code, *(where.nested or ()))
    tensors = list(_tensors(weight))
    if [tuple(tensor.shape) for tensor in tensors] != [place.shape for place in places]:
        raise ValueError(f"a weight of {where.shape} is packed in a way that is not known here")
    for tensor, place in zip(tensors, places, strict=True):
        place.of(piece).copy_(tensor)


def weights_in(piece: torch.Tensor, layout: Layout) -> tuple[Any, ...]:
    """Return bitsandbytes' Params4bit over a piece, one a weight; they say whatever the piece says at the moment."""
    return tuple(_weight(piece, where) for where in layout.weights)


def _weight(piece: torch.Tensor, where: PackedWeight) -> Any:
    from bitsandbytes.functional import QuantState
    from bitsandbytes.nn import Params4bit

    mean, second = None, None
    if where.nested:
        mean, scales, values = (part.of(piece) for part in where.nested)
        second = QuantState(absmax=scales, code=values, blocksize=NESTED_BLOCK, dtype=torch.float32)
    state = QuantState(
        absmax=where.scales.of(piece),
        shape=torch.Size(where.shape),
        code=where.code.of(piece),
        blocksize=where.block,
        quant_type=where.quant_type,
        dtype=where.dtype,
        offset=mean,
        state2=second,
    )
    return Params4bit(
        where.packed.of(piece),
        requires_grad=False,
        quant_state=state,
        blocksize=where.block,
        compress_statistics=where.nested is not None,
        quant_type=where.quant_type,
        bnb_quantized=True,
    )


def _packed(layer: Any, dtype: torch.dtype, begins: int) -> PackedWeight:
    weight, count = layer.weight, layer.in_features * layer.out_features
    blocks = math.ceil(count / weight.blocksize)
    twice = weight.compress_statistics
    packed = Part(begins, ((count + 1) // 2, 1), torch.uint8)
    scales = Part(_aligned(packed.ends), (blocks,), torch.uint8 if twice else torch.float32)
    code = Part(_aligned(scales.ends), (16,), torch.float32)
    nested = None
    if twice:
        mean = Part(_aligned(code.ends), (), torch.float32)
        second = Part(_aligned(mean.ends), (math.ceil(blocks / NESTED_BLOCK),), torch.float32)
        nested = (mean, second, Part(_aligned(second.ends), (256,), torch.float32))
    shape = layer.out_features, layer.in_features
    return PackedWeight(shape, dtype, weight.quant_type, weight.blocksize, packed, scales, code, nested)


def _tensors(weight: Any) -> Iterator[torch.Tensor]:
    """Yield a packed weight's tensors, in the order of a piece."""
    state = weight.quant_state
    yield weight.data
    yield state.absmax
    yield state.code
    if state.nested:
        yield from (state.offset, state.state2.absmax, state.state2.code)


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED
