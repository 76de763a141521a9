"""How long a streamed base takes: what it computes against what has to come over the bus meanwhile.

Arithmetic over two speeds, which are measured where a run begins (:func:`measured`), and assumed where it is only
thought of (:data:`ASSUMED`).
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.model.size import ModelSize
from engine.training.memory.gpu import layer_bytes

if TYPE_CHECKING:
    import torch

    from engine.model.streaming.arena import Arena

EFFICIENCY = 0.55
"""What a training step reaches of the speed of its products alone: unpacking, attention and norms take the rest (65B
shape on an H200: 1,101 tokens/s, 429 of 790 TFLOP/s)."""
TRIED = (2048, 4096, 4096)
"""Rows, inputs and outputs of the product that is timed."""


@dataclass(frozen=True, slots=True)
class Bus:
    """What a streamed base has to live with."""

    copies: float
    """Bytes a second from the computer's memory to the device."""
    products: float
    """Floating-point operations a second of its products, in the compute type."""


NEARLY = 0.95
"""From this share of a speed on nobody would notice."""
HALF = (0.42, 0.58)
"""What is called half of a speed."""
ASSUMED = Bus(copies=20e9, products=100e12)
"""A PCIe 4 x16 slot, and a card of the order of an RTX 3090 or 4070 Ti."""
ASSUMED_DISK = Bus(copies=2.5e9, products=100e12)
"""The same with the layers in a file on an NVMe disk, read past the system's cache."""


def seconds_a_token(size: ModelSize, bus: Bus, tokens: int, resident: int) -> float:
    """Return the expected seconds a token of training.

    A forward pass multiplies each weight once with each token, a backward pass twice: layers are recomputed. Copies run
    beside it, of the layers that are not resident, once in each direction; whichever takes longer is what counts.

    Args:
        size: The model's.
        bus: The speeds.
        tokens: Of a micro-batch.
        resident: Layers that need not come.
    """
    computing, copying = _sweeps(size, bus, tokens, resident)
    return (max(computing, copying) + max(2 * computing, copying)) / tokens


def _sweeps(size: ModelSize, bus: Bus, tokens: int, resident: int) -> tuple[float, float]:
    """Return the seconds that a forward pass computes, and those in which its layers come."""
    computing = 2 * size.linear * tokens / (EFFICIENCY * bus.products)
    return computing, (size.layers - resident) * layer_bytes(size) / bus.copies


def share_of_resident_speed(size: ModelSize, bus: Bus, tokens: int, resident: int) -> float:
    """Return how fast a streamed base trains beside one that is all on the device, 0 to 1."""
    return seconds_a_token(size, bus, tokens, size.layers) / seconds_a_token(size, bus, tokens, resident)


def in_words(share: float) -> str:
    """Say how fast something is beside something else, 0 to 1."""
    if share >= NEARLY:
        return "about as fast"
    return "about half as fast" if HALF[0] <= share < HALF[1] else f"about {share:.0%} as fast"


def pace(size: ModelSize, bus: Bus, tokens: int, resident: int, *, on_disk: bool) -> str:
    """Say how fast a streamed run will be, and why.

    Args:
        size: The model's.
        bus: The speeds.
        tokens: Of a micro-batch.
        resident: Layers that need not come.
        on_disk: Whether they come from a file.
    """
    come, where = size.layers - resident, "a file on the disk" if on_disk else "the computer's memory"
    how = in_words(share_of_resident_speed(size, bus, tokens, resident))
    computing, copying = _sweeps(size, bus, tokens, resident)
    beside = "while others compute" if copying <= computing else "which takes longer than computing"
    return (
        f"It will be {how} as with the whole model on the GPU, because {come} of its {size.layers} layers come from "
        f"{where} for each batch, {beside}"
    )


def measured(arena: "Arena", device: "torch.device", dtype: "torch.dtype") -> Bus:
    """Time copies and products on this computer; a tenth of a second.

    Args:
        arena: Where copies come from.
        device: Where to.
        dtype: The compute type.
    """
    import torch

    from engine.model.streaming.arena import copy_speed

    rows, inputs, outputs = TRIED if device.type == "cuda" else (64, 512, 512)
    left = torch.ones(rows, inputs, dtype=dtype, device=device)
    right = torch.ones(inputs, outputs, dtype=dtype, device=device)
    best = 0.0
    for _ in range(5):
        torch.cuda.synchronize(device) if device.type == "cuda" else None
        began = time.perf_counter()
        _ = left @ right
        torch.cuda.synchronize(device) if device.type == "cuda" else None
        best = max(best, 2 * rows * inputs * outputs / max(1e-9, time.perf_counter() - began))
    return Bus(copy_speed(arena, device), best)
