"""Arena: the frozen layers of a base in the computer's memory, each of them one contiguous piece.

It is written once, while the base is loaded, and read from then on. Beside a GPU its pages are pinned, so that copies
run at the full speed of the bus while the processor does something else. Where the system does not let them be pinned,
copies are slower and hold the processor up; the arena says so (:attr:`Arena.is_pinned`).
"""

import logging
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

import torch

from engine.model.streaming.pieces import Layout

log = logging.getLogger(__name__)

MEASURED = 64 * 2**20
"""Bytes of a layer that are copied to see how fast that is: enough for full speed, and there is room for them."""
PAGE = 4096
"""Bytes that the system pins at a time."""


class Arena:
    """Pieces of memory for layers.

    Args:
        layouts: One a layer, in order.
        pinned: Whether a GPU is to read it.
        file: Where it lies, on a disk that is as large and as fast; None is the computer's memory.
    """

    def __init__(self, layouts: Sequence[Layout], *, pinned: bool = False, file: Path | None = None) -> None:
        self.layouts = tuple(layouts)
        sizes = [-(-layout.bytes // PAGE) * PAGE for layout in layouts]
        self._memory = _memory(sum(sizes) + PAGE, file)
        begins = -self._memory.data_ptr() % PAGE
        whole = torch.split(self._memory[begins : begins + sum(sizes)], sizes)
        self.pieces = tuple(piece[: layout.bytes] for piece, layout in zip(whole, layouts, strict=True))
        """Bytes of each layer."""
        self._unpinned = [*whole] if pinned and file is None else []
        self.is_pinned = bool(self._unpinned)
        """Whether copies to the GPU run by themselves."""

    @property
    def bytes(self) -> int:
        """What all pieces take."""
        return sum(layout.bytes for layout in self.layouts)

    def pin(self, number: int) -> None:
        """Pin a layer's pages once it is written; what is pinned before would take its memory before it is needed."""
        if not self.is_pinned:
            return
        piece = self._unpinned[number]
        cuda = torch.cuda.cudart()  # type: ignore[no-untyped-call]
        failed = cuda.cudaHostRegister(piece.data_ptr(), piece.numel(), 0)
        if int(failed) != 0:
            log.warning("memory for streamed layers cannot be pinned: CUDA error %s", failed)
            self.is_pinned = False
            return
        weakref.finalize(self, cuda.cudaHostUnregister, piece.data_ptr()).atexit = False


def copy_speed(arena: Arena, device: torch.device, pieces: int = 4) -> float:
    """Return bytes a second from an arena to a device, measured with the first pieces; the best of several."""
    buffer = torch.empty(MEASURED, dtype=torch.uint8, device=device)
    best = 0.0
    for piece in (piece[:MEASURED] for piece in arena.pieces[:pieces]):
        _finish(device)
        began = time.perf_counter()
        buffer[: piece.numel()].copy_(piece, non_blocking=True)
        _finish(device)
        best = max(best, piece.numel() / max(1e-9, time.perf_counter() - began))
    return best


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(size: int, file: Path | None) -> torch.Tensor:
    if file is None:
        return torch.empty(size, dtype=torch.uint8)
    return torch.from_file(str(file), shared=True, size=size, dtype=torch.uint8)
