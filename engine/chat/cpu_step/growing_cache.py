"""Appending to a cache of transformers without copying it.

transformers' DynamicCache makes new tensors of all keys and values at every step. Here they lie in a buffer with room
for more, and what the cache holds are views of it: whoever lengthens, shortens or reorders the cache otherwise puts
other tensors there, which are copied into a new buffer at the next step.
"""

from typing import Any

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
        self.window: int | None = getattr(layer, "sliding_window", None)
        """Columns that a token sees, its own included; None is all before it."""
        self.capacity = int(columns + GROWTH)
        """Columns that there is room for."""
        self._buffer = layer.keys.new_empty(2, rows, heads, self.capacity, size)
        self._buffer[0, :, :, :columns] = layer.keys
        self._buffer[1, :, :, :columns] = layer.values
        self.keys_at: int = self._buffer.data_ptr()
        """The address of the keys, shape (rows, heads, capacity, size)."""
        self.values_at = self.keys_at + int(self._buffer.nbytes) // 2
        """The address of the values, of the same shape."""
        self._end = int(columns)
        self._show(0)

    def is_current(self) -> bool:
        """Whether the cache still holds what was put there, and there is room."""
        return self.layer.keys is self._keys and self.layer.values is self._values and self._end < self.capacity

    def append(self) -> int:
        """Make a column that somebody writes to before the cache is looked at; return its number."""
        self._end += 1
        if self.window is None:
            self._show(0)
        else:
            self.layer.cumulative_length += 1
            self._show(max(0, self._end - self.window + 1))  # as transformers keeps it: the next one is one more
        return self._end - 1

    def _show(self, first: int) -> None:
        self._keys, self._values = self._buffer.narrow(3, first, self._end - first).unbind()
        self.layer.keys, self.layer.values = self._keys, self._values
