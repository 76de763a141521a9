"""Appending to a cache of transformers without copying it.

transformers' DynamicCache makes new tensors of all keys and values at every step. Here they lie in a buffer with room
for more, and what the cache holds are views of it: whoever lengthens, shortens or reorders the cache otherwise puts
other tensors there, which are copied into a new buffer at the next step.
"""

from typing import Any

import torch

GROWTH = 128
"""Columns of room that a buffer is made with."""


class GrowingLayer:
    """One layer's keys and values, one column longer.

    Args:
        layer: A DynamicLayer or DynamicSlidingWindowLayer with something in it.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        rows, heads, columns, size = layer.keys.shape
        self._window: int | None = getattr(layer, "sliding_window", None)
        self._buffer = layer.keys.new_empty(2, rows, heads, columns + GROWTH, size)
        self._buffer[0, :, :, :columns] = layer.keys
        self._buffer[1, :, :, :columns] = layer.values
        self._end = columns
        self._show(0)

    def is_current(self) -> bool:
        """Whether the cache still holds what was put there, and there is room."""
        return self.layer.keys is self._keys and self.layer.values is self._values and self._end < self._buffer.shape[3]

    def append(self, keys_and_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Append a column.

        Args:
            keys_and_values: Shape (2, rows, heads, size).

        Returns:
            The keys and the values that the new token attends to, each (rows, heads, columns, size).
        """
        self._buffer.select(3, self._end).copy_(keys_and_values)
        self._end += 1
        if self._window is None:
            return self._show(0)
        self.layer.cumulative_length += 1
        self._show(max(0, self._end - self._window + 1))  # as transformers keeps it: the next one is one more
        return self._columns(max(0, self._end - self._window))

    def _show(self, first: int) -> tuple[torch.Tensor, torch.Tensor]:
        self._keys, self._values = self._columns(first)
        self.layer.keys, self.layer.values = self._keys, self._values
        return self._keys, self._values

    def _columns(self, first: int) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = self._buffer.narrow(3, first, self._end - first).unbind()
        return keys, values
