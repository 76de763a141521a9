"""SlotTable: which adapter answers which row of a recorded step, as addresses that its kernels read.

A recorded step (captured_step.py) computes the same kernels on the same memory each time. What changes from answer to
answer is here: for each layer and row the addresses of the adapter's two matrices, its rank and its factor. So a swap
of adapters is one small copy, whatever their ranks and sizes, and nothing of them is copied or recorded anew. A row of
rank 0 is the base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from engine.chat.adapted_linear import LoraWeights


@dataclass(frozen=True, slots=True)
class LayerSlots:
    """The table from one layer on, on the GPU; the layers after it follow in the same memory."""

    down: torch.Tensor
    """int64: addresses of matrices (rank, in_features), float32, one a row; the next layer's are 2 * rows further."""
    up: torch.Tensor
    """int64: addresses of matrices (out_features, rank), float32, in the same way."""
    ranks: torch.Tensor
    """int32: one a row, ``rows`` a layer."""
    factors: torch.Tensor
    """float32: alpha / rank, in the same way."""
    most_ranks: int
    """A power of two that no rank is beyond."""


class SlotTable:
    """See the module.

    Args:
        layers: How many layers can be adapted.
        rows: How many rows a step has.
        most_ranks: The largest rank, rounded up to a power of two, at least 16.
        device: Where the step runs.
    """

    def __init__(self, layers: int, rows: int, most_ranks: int, device: torch.device) -> None:
        self.rows, self.most_ranks = rows, most_ranks
        self._addresses = torch.zeros(layers, 2, rows, dtype=torch.int64, device=device)
        self._ranks = torch.zeros(layers, rows, dtype=torch.int32, device=device)
        self._factors = torch.zeros(layers, rows, dtype=torch.float32, device=device)
        self._on_host = tuple(torch.zeros_like(each, device="cpu") for each in self._tables)
        self._held: dict[int, Sequence[LoraWeights | None]] = {}
        """The weights behind the addresses, so that their memory stays theirs."""

    @property
    def _tables(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self._addresses, self._ranks, self._factors

    def layer(self, number: int) -> LayerSlots:
        """Return the table from a layer on, in the table's own memory."""
        down, up = self._addresses[number]
        return LayerSlots(down, up, self._ranks[number], self._factors[number], self.most_ranks)

    def assign(self, rows: Mapping[int, Sequence[LoraWeights | None]]) -> None:
        """Let rows be answered by adapters from the next step on; the others stay as they are.

        Args:
            rows: A row's weights for each layer; None is the base.

        Raises:
            ValueError: A rank is beyond the table's, an adapter has a bias, or its matrices are not in one piece.
        """
        addresses, ranks, factors = self._on_host
        for row, of_layers in rows.items():
            entries = [self._entry(pair) for pair in of_layers]
            addresses[:, 0, row] = torch.tensor([entry[0] for entry in entries], dtype=torch.int64)
            addresses[:, 1, row] = torch.tensor([entry[1] for entry in entries], dtype=torch.int64)
            ranks[:, row] = torch.tensor([entry[2] for entry in entries], dtype=torch.int32)
            factors[:, row] = torch.tensor([entry[3] for entry in entries], dtype=torch.float32)
            self._held[row] = of_layers
        for table, on_host in zip(self._tables, self._on_host, strict=True):
            table.copy_(on_host)

    def clear(self) -> None:
        """Let all rows be the base's, and hold no weights."""
        for each in (*self._on_host, *self._tables):
            each.zero_()
        self._held.clear()

    def _entry(self, pair: LoraWeights | None) -> tuple[int, int, int, float]:
        if pair is None:
            return 0, 0, 0, 0.0
        rank = pair.down.shape[0]
        whole = pair.down.is_contiguous() and pair.up.is_contiguous() and pair.bias is None
        if rank > self.most_ranks or not whole or pair.down.dtype is not torch.float32:
            raise ValueError("an adapter does not fit the table")
        return pair.down.data_ptr(), pair.up.data_ptr(), rank, pair.scale
