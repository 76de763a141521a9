"""GroupedProduct: the linear layers that read one input, with their rows' adapters, as one call of the code."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.chat.adapted_linear import LoraWeights
from engine.chat.cpu_step.arguments import Arguments, Matrix
from engine.chat.cpu_step.decoder_layers import Norm
from engine.chat.cpu_step.machine import Lanes, products
from engine.chat.cpu_step.matrices import Weights

MOST_TOGETHER = 8
"""Rows that are computed at a time: the sums of more do not fit the processor's registers."""
RANK_STEP = 16
"""Ranks are filled up with zeros to a multiple of this."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """Room for the normed input of every thread."""

    values: torch.Tensor
    threads: int

    @classmethod
    def of(cls, rows: int, widest: int) -> "Scratch":
        """Make room for products of so many rows."""
        threads = torch.get_num_threads()
        return cls(torch.empty(threads * min(rows, MOST_TOGETHER) * widest, dtype=torch.float32), threads)


class GroupedProduct:
    """See the module.

    Args:
        group: The layers, all of one kind.
        rows: Of the batch.
        lanes: Of this processor.
        scratch: Shared with the products that run before and after this one.
        norm: Of the input, or None where it comes normed.
        adds: Whether the result is added to what is in the output.
    """

    def __init__(
        self,
        group: Sequence[Weights],
        rows: int,
        lanes: Lanes,
        scratch: Scratch,
        norm: Norm | None = None,
        *,
        adds: bool = False,
    ) -> None:
        self._group, self._scratch = tuple(group), scratch
        self.code, self.threads = products(rows, lanes), scratch.threads
        self.out_features = sum(each.out_features for each in group)
        self._norm = norm
        self._matrices = (Matrix * len(group))(
            *(
                Matrix(weight=_at(each.values), scales=_at(each.scales), bias=_at(each.bias), adds=adds)
                for each in group
            )
        )
        self._out = 0
        self._arguments = self.arguments(self._matrices, group[0].table)
        self._compute = self.code.call(group[0].kind, self._arguments, scratch.threads)
        self._inner: _Inner | None = None

    def arguments(self, matrices: Any, table: torch.Tensor | None = None) -> Arguments:
        """What a product of other matrices with the same input is given."""
        norm = self._norm
        return Arguments(
            in_features=self._group[0].in_features,
            norm=_at(norm.weight) if norm else None,
            eps=norm.eps if norm else 0.0,
            scratch=_at(self._scratch.values),
            table=_at(_NO_TABLE if table is None else table),
            matrices=ctypes.addressof(matrices),
            count=len(matrices),
        )

    def assign(self, adapters: Sequence[Sequence[LoraWeights | None]]) -> None:
        """Let adapters answer.

        Args:
            adapters: For each layer of the group, the weights of each row.
        """
        found = {id(pair): pair for of_layer in adapters for pair in of_layer if pair is not None}
        self._inner = _Inner(self, adapters) if found else None
        for place, matrix in enumerate(self._matrices):
            ranks = self._inner.ranks[place] if self._inner else 0
            matrix.ranks, matrix.up, matrix.inner = ranks, None, None
            if self._inner and ranks:
                matrix.up, matrix.inner = _at(self._inner.ups[place]), self._inner.inner_at(place)
                matrix.inner_stride = self._inner.values.shape[1]

    @property
    def bytes(self) -> int:
        """Memory of the copies of adapters."""
        return self._inner.bytes if self._inner is not None else 0

    def run(self, source: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Compute it.

        Args:
            source: Shape (rows, in_features), contiguous.
            out: Shape (rows, out_features of all layers), contiguous.

        Returns:
            ``out``.
        """
        if out.data_ptr() != self._out:
            self._write_to(out)
        self._arguments.input = source.data_ptr()
        if self._inner is not None:
            self._inner.run(source)
        self._compute()
        return out

    def _write_to(self, out: torch.Tensor) -> None:
        self._out = start = out.data_ptr()
        for matrix, weights in zip(self._matrices, self._group, strict=True):
            matrix.out, matrix.out_stride, matrix.out_features = start, out.shape[1], weights.out_features
            start += 4 * weights.out_features


class RowBlocks:
    """A :class:`GroupedProduct` of more rows than there is code for, block by block.

    Args:
        rows: Of the batch.
        make: Makes a product of so many rows, :data:`MOST_TOGETHER` at most.
    """

    def __init__(self, rows: int, make: Callable[[int], GroupedProduct]) -> None:
        self._blocks: list[tuple[slice, GroupedProduct]] = []
        for first in range(0, rows, MOST_TOGETHER):
            block = slice(first, min(first + MOST_TOGETHER, rows))
            self._blocks.append((block, make(block.stop - first)))
        self.out_features = self._blocks[0][1].out_features

    def assign(self, adapters: Sequence[Sequence[LoraWeights | None]]) -> None:
        """Let adapters answer: for each layer of the group, the weights of each row."""
        for block, product in self._blocks:
            product.assign([of_layer[block] for of_layer in adapters])

    @property
    def bytes(self) -> int:
        """Memory of the copies of adapters."""
        return sum(product.bytes for _, product in self._blocks)

    def run(self, source: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Compute it, as :meth:`GroupedProduct.run`."""
        for block, product in self._blocks:
            product.run(source[block], out[block])
        return out


class _Inner:
    """``A @ x`` of all adapters of a group's layers, and their ``B``, scaled.

    Each layer has a stretch of ranks for each adapter that answers, whoever's row it is; what is another row's is
    multiplied with 0.
    """

    def __init__(self, product: GroupedProduct, adapters: Sequence[Sequence[LoraWeights | None]]) -> None:
        rows = len(adapters[0])
        downs: list[torch.Tensor] = []
        masks: list[torch.Tensor] = []
        self.ups: list[torch.Tensor | None] = []
        self.ranks: list[int] = []
        for of_rows in adapters:
            present = list({id(pair): pair for pair in of_rows if pair is not None}.values())
            ups = []
            for pair in present:
                rank = -(-pair.down.shape[0] // RANK_STEP) * RANK_STEP
                missing = rank - pair.down.shape[0]
                downs.append(torch.nn.functional.pad(pair.down * pair.scale, (0, 0, 0, missing)))
                ups.append(torch.nn.functional.pad(pair.up, (0, missing)))
                own = torch.tensor([float(each is pair) for each in of_rows], dtype=torch.float32)
                masks.append(own[:, None].expand(rows, rank))
            self.ups.append(torch.cat(ups, dim=1).contiguous() if ups else None)
            self.ranks.append(sum(up.shape[1] for up in ups))
        self._down, mask = torch.cat(downs).contiguous(), torch.cat(masks, dim=1)
        self._mask = None if bool(mask.all()) else mask.contiguous()
        self.values = torch.empty(rows, self._down.shape[0], dtype=torch.float32)
        self._matrix = (Matrix * 1)(
            Matrix(
                weight=_at(self._down),
                out=_at(self.values),
                out_stride=self.values.shape[1],
                out_features=self.values.shape[1],
            )
        )
        self._arguments = product.arguments(self._matrix)
        self._compute = product.code.call("float32", self._arguments, product.threads)

    @property
    def bytes(self) -> int:
        """Memory of the copies."""
        return self._down.nbytes + sum(up.nbytes for up in self.ups if up is not None)

    def inner_at(self, place: int) -> int:
        """Where the inner products of a layer begin."""
        return self.values.data_ptr() + 4 * sum(self.ranks[:place])

    def run(self, source: torch.Tensor) -> None:
        """Compute them for an input."""
        self._arguments.input = source.data_ptr()
        self._compute()
        if self._mask is not None:
            self.values.mul_(self._mask)


_NO_TABLE = torch.zeros(16, dtype=torch.float32)


def _at(tensor: torch.Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
