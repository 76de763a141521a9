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

from engine.model.streaming.disk import DiskMemory
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
        folder: On whose disk it lies in a file, where the computer's memory is short; None is that memory.

    Raises:
        ResourceError: The disk has no room for it.
    """

    def __init__(self, layouts: Sequence[Layout], *, pinned: bool = False, folder: Path | None = None) -> None:
        self.layouts = tuple(layouts)
        sizes = [-(-layout.bytes // PAGE) * PAGE for layout in layouts]
        self.disk = DiskMemory(sum(sizes) + PAGE, folder) if folder is not None else None
        """The file that it lies in; None where it is in the computer's memory."""
        self._memory = self.disk.bytes if self.disk else torch.empty(sum(sizes) + PAGE, dtype=torch.uint8)
        begins = -self._memory.data_ptr() % PAGE
        whole = torch.split(self._memory[begins : begins + sum(sizes)], sizes)
        self._places = [begins + sum(sizes[:number]) for number in range(len(sizes))]
        self.pieces = tuple(piece[: layout.bytes] for piece, layout in zip(whole, layouts, strict=True))
        """Bytes of each layer."""
        self._unpinned = [*whole] if pinned and self.disk is None else []
        self.is_pinned = bool(self._unpinned)
        """Whether copies to the GPU run by themselves."""

    @property
    def bytes(self) -> int:
        """What all pieces take."""
        return sum(layout.bytes for layout in self.layouts)

    def soon(self, number: int) -> None:
        """Say that a layer will be read next; a disk then reads it in one piece."""
        if self.disk is not None:
            self.disk.soon(self._places[number], self.layouts[number].bytes)

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
    """Return bytes a second from an arena to a device, measured with the first pieces; the best of several.

    Where it lies on a disk no more than the disk reads: each sweep reads all of it anew.
    """
    buffer = torch.empty(MEASURED, dtype=torch.uint8, device=device)
    best = 0.0
    for piece in (piece[:MEASURED] for piece in arena.pieces[:pieces]):
        _finish(device)
        began = time.perf_counter()
        buffer[: piece.numel()].copy_(piece, non_blocking=True)
        _finish(device)
        best = max(best, piece.numel() / max(1e-9, time.perf_counter() - began))
    return min(best, arena.disk.read_speed()) if arena.disk is not None else best


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
