"""DiskMemory: an arena's memory as a mapped file, where the computer's own memory is too short for the layers.

The file loses its name as soon as it is mapped, so that its room comes back with the process however that ends; a
system that keeps the names of open files leaves it to the sweep of the next start (engine/scratch.py).
"""

import mmap
import os
import time
import weakref
from pathlib import Path

import torch

from engine.scratch import scratch
from engine.workspace import disk_errors

READ = 64 * 2**20
"""Bytes that are read in one piece to see how fast the disk is."""
PIECES = 4
"""Such pieces, spread over the file."""


class DiskMemory:
    """Memory in a file of its own, which nobody else opens.

    Args:
        size: Bytes.
        folder: On which disk.

    Raises:
        ResourceError: The disk has no room for it, or cannot be written.
    """

    def __init__(self, size: int, folder: Path) -> None:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with scratch(folder, "streamed-layers") as made, (made / "layers").open("w+b") as file:
                _reserve(file.fileno(), size)
                self._map = mmap.mmap(file.fileno(), size)
                self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self.bytes = torch.frombuffer(self._map, dtype=torch.uint8)
        """All of it, shape (size,); it is mapped for as long as somebody holds this."""

    def soon(self, begins: int, size: int) -> None:
        """Let the system begin to read what will be needed soon; only a hint."""
        if hasattr(mmap, "MADV_WILLNEED"):
            first = begins - begins % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_WILLNEED, first, begins + size - first)

    def read_speed(self) -> float:
        """Return bytes a second that the disk reads, measured past the system's cache as far as it can be emptied."""
        size, seconds, read = len(self._map), 0.0, 0
        for number in range(PIECES):
            begins = number * size // PIECES // mmap.PAGESIZE * mmap.PAGESIZE
            length = min(READ, size - begins)
            self._forget(begins, length)
            began = time.perf_counter()
            if hasattr(os, "pread"):
                read += len(os.pread(self._descriptor, length, begins))
            else:  # Windows
                read += len(self._map[begins : begins + length])
            seconds += time.perf_counter() - began
        return read / max(1e-9, seconds)

    def _forget(self, begins: int, length: int) -> None:
        """Drop a part from the computer's memory, once it is on the disk."""
        self._map.flush(begins, length)
        if hasattr(mmap, "MADV_DONTNEED") and hasattr(os, "posix_fadvise"):
            self._map.madvise(mmap.MADV_DONTNEED, begins, length)  # pages in use would stay where they are
            os.posix_fadvise(self._descriptor, begins, length, os.POSIX_FADV_DONTNEED)


def _reserve(descriptor: int, size: int) -> None:
    """Give a file its size at once: a disk that filled up later would end the process without a word."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
