"""PrefixCache: the keys and values of what has been read before, so that it is not read again.

The next turn of a conversation begins with all that was said, and most conversations with one standing instruction.
What is kept is found by its token ids and by the weights that read them: an adapter that was loaded anew has read
nothing yet. What was not used for longest goes first.
"""

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.chat.row_cache import CachedRows

SHORTEST = 16
"""Tokens below which reading again costs less than looking after them."""
MOST_BYTES = 512 * 2**20
"""All that is kept; 1,000 tokens of a 7B of the first Llama's shape, 11,000 of the starter model."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens that have been read, by one adapter or by the base."""

    reader: Hashable
    """Whose weights read them."""
    ids: tuple[int, ...]
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    """Keys and values, shape (1, heads, columns, head_dim); columns are fewer than tokens where a layer slides."""

    @property
    def is_whole(self) -> bool:
        """Whether every layer has all columns, so that any part from the beginning can be taken."""
        return all(keys.shape[2] == len(self.ids) for keys, _ in self.layers)

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(tensor.nbytes for pair in self.layers for tensor in pair)

    def usable(self, prompt: Sequence[int]) -> int:
        """How many of its tokens a prompt begins with; the prompt's last token is always read anew, for its scores."""
        shared = shared_length(self.ids, prompt)
        if shared == len(prompt):
            shared -= 1
        return shared if self.is_whole or shared == len(self.ids) else 0

    def covers(self, other: "Prefix") -> bool:
        """Whether nothing is lost where this one stands for a shorter one."""
        return self.is_whole and self.ids[: len(other.ids)] == other.ids

    def part(self, layer: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of a layer for the first ``length`` tokens, as :meth:`usable` allows."""
        keys, values = self.layers[layer]
        return keys[:, :, :length], values[:, :, :length]


class PrefixCache:
    """See the module. Answers in several threads share it.

    Args:
        most_bytes: Memory for all that is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: list[Prefix] = []  # the least recently used first

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Memory of all that is kept."""
        with self._lock:
            return sum(kept.bytes for kept in self._kept)

    def find(self, reader: Hashable, prompt: Sequence[int]) -> tuple[Prefix | None, int]:
        """Return what covers most of a prompt, and how many tokens of it; None and 0 where nothing does."""
        with self._lock:
            fitting = [(kept.usable(prompt), place) for place, kept in enumerate(self._kept) if kept.reader is reader]
            usable, place = max(fitting, default=(0, 0))
            if usable < SHORTEST:
                return None, 0
            self._kept.append(self._kept.pop(place))
            return self._kept[-1], usable

    def keep(self, reader: Hashable, ids: Sequence[int], rows: CachedRows, row: int) -> None:
        """Keep what a row has read.

        Args:
            reader: Whose weights read it.
            ids: All tokens that the row has in the cache.
            rows: Where its keys and values are.
            row: Which one it is.
        """
        if len(ids) < SHORTEST:
            return
        taken = Prefix(reader, tuple(ids), tuple(_row_of(layer, row, len(ids)) for layer in rows.cache.layers))
        with self._lock:
            self._kept = [kept for kept in self._kept if kept.reader is not reader or not taken.covers(kept)] + [taken]
            while self._kept and sum(kept.bytes for kept in self._kept) > self._most_bytes:
                del self._kept[0]

    def forget(self, reader: Hashable | None = None) -> None:
        """Give the memory back of what one reader has read, or of all."""
        with self._lock:
            self._kept = [] if reader is None else [kept for kept in self._kept if kept.reader is not reader]


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two texts have in common from the beginning, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _row_of(layer: Any, row: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = min(length, layer.keys.shape[2])
    first = layer.keys.shape[2] - width
    return layer.keys[row : row + 1, :, first:].clone(), layer.values[row : row + 1, :, first:].clone()
