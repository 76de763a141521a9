"""CachedRows: keys and values of the rows of a batch, where rows come and go.

All rows end at the same column: a shorter one is padded on the left. So a new row is put beside the others without
touching them, each row's tokens lie side by side (which attention over a sliding window asks for), and a step appends
one column to all. Positions are in the keys already, so that a row may lie at any column.

It knows the two kinds of layers that grow (of transformers' DynamicCache, full and sliding); a cache with others can
only be filled once and forgotten as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(slots=True)
class CachedRows:
    """See the module."""

    cache: Any
    """What the model's forward takes as ``past_key_values``."""
    mask: torch.Tensor
    """Shape (rows, columns), int64: 1 where there is a token."""
    adapters: list[str | None]
    """Who answers each row."""

    def __len__(self) -> int:
        return len(self.adapters)

    @property
    def columns(self) -> int:
        """Tokens of the longest row."""
        return int(self.mask.shape[1])

    @property
    def positions(self) -> torch.Tensor:
        """Shape (rows, 1): where the next token of each row stands."""
        return self.mask.sum(-1, keepdim=True)

    def join(self, others: "CachedRows") -> None:
        """Put other rows behind these; the others must not be used afterwards."""
        columns = max(self.columns, others.columns)
        for layer, other in zip(self.cache.layers, others.cache.layers, strict=True):
            width = max(layer.keys.shape[2], other.keys.shape[2])
            layer.keys = torch.cat([_padded(layer.keys, width, 2), _padded(other.keys, width, 2)])
            layer.values = torch.cat([_padded(layer.values, width, 2), _padded(other.values, width, 2)])
            _count(layer, columns)
        self.mask = torch.cat([_padded(self.mask, columns, 1), _padded(others.mask, columns, 1)])
        self.adapters = [*self.adapters, *others.adapters]

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all rows but these, and the columns that none of them has."""
        index = torch.tensor(rows, dtype=torch.int64, device=self.mask.device)
        self.adapters = [self.adapters[row] for row in rows]
        self.mask = self.mask[index]
        empty = self.columns - int(self.mask.sum(-1).amax()) if rows else self.columns
        self.mask = self.mask[:, empty:]
        for layer in self.cache.layers:
            width = min(layer.keys.shape[2], self.columns)
            layer.keys = layer.keys[index, :, layer.keys.shape[2] - width :]
            layer.values = layer.values[index, :, layer.values.shape[2] - width :]
            _count(layer, self.columns)


def fill(layer: Any, pairs: Sequence[tuple[torch.Tensor, torch.Tensor] | None], columns: int) -> None:
    """Put what rows have read into a layer of an empty cache.

    Args:
        layer: Of a DynamicCache.
        pairs: Keys and values for each row, shape (1, heads, columns, head_dim), the newest columns where the layer
            has forgotten some; None is nothing read. At least one is not None.
        columns: Of the longest row.
    """
    present = [pair for pair in pairs if pair is not None]
    width = max(keys.shape[2] for keys, _ in present)
    if layer.is_sliding:
        width = min(width, layer.sliding_window - 1)  # as transformers keeps it: the next one is one more
        present = [(keys[:, :, -width:], values[:, :, -width:]) for keys, values in present]
        pairs = [pair and (pair[0][:, :, -width:], pair[1][:, :, -width:]) for pair in pairs]
    filled = [pair or tuple(tensor[:, :, :0] for tensor in present[0]) for pair in pairs]
    keys, values = (torch.cat([_padded(pair[kind], width, 2) for pair in filled]) for kind in (0, 1))
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    _count(layer, columns)


def _padded(tensor: torch.Tensor, width: int, dim: int) -> torch.Tensor:
    """Put zeros in front along ``dim`` up to a width."""
    missing = width - tensor.shape[dim]
    if not missing:
        return tensor
    shape = [*tensor.shape]
    shape[dim] = missing
    return torch.cat([tensor.new_zeros(shape), tensor], dim=dim)


def _count(layer: Any, columns: int) -> None:
    """Tell a sliding layer, which forgets old columns, how many there have been."""
    if layer.is_sliding:
        layer.cumulative_length = columns
