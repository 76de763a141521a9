"""A frozen linear layer on which every row of a batch may bring its own LoRA weights.

The base's product is made once for all rows, by the base's own layer. Then each adapter adds its part to its own rows,
in place; a row of the base is not written to, so that it is the base's to the last bit. The layer knows no names of
files and no prompts.

peft has this too (mixed batches), but registers its hooks anew at every forward (22 ms for 210 layers, measured),
leaves them behind when the forward raises, and spends 0.3 ms a layer on gathering and scattering rows, more than the
base's product itself takes on a small model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(slots=True)
class RowAssignment:
    """Which rows of the batch that is being computed belong to which adapter; shared by all layers of a model."""

    rows: int = 0
    places: tuple[tuple[str, slice | torch.Tensor], ...] = ()
    """Adapter name and its rows: a slice where they lie side by side, else their indices."""
    recorded: bool = False
    """Whether a recorded step is computed (captured_step.py), whose rows are assigned by a table on the GPU."""

    @classmethod
    def of(cls, names: Sequence[str | None], device: torch.device) -> "RowAssignment":
        """Assign one name a row; None is the base."""
        places = []
        for name in dict.fromkeys(name for name in names if name is not None):
            rows = [row for row, assigned in enumerate(names) if assigned == name]
            first, last = rows[0], rows[-1]
            together = last - first + 1 == len(rows)
            places.append(
                (name, slice(first, last + 1) if together else torch.tensor(rows, dtype=torch.long, device=device))
            )
        return cls(len(names), tuple(places))


@dataclass(frozen=True, slots=True)
class LoraWeights:
    """One adapter's part of a layer, ready to compute; fp32, as peft has it (autocast_adapter_dtype)."""

    down: torch.Tensor
    """Shape (rank, in_features)."""
    up: torch.Tensor
    """Shape (out_features, rank)."""
    bias: torch.Tensor | None
    """Shape (out_features,)."""
    scale: float

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return sum(tensor.nbytes for tensor in (self.down, self.up, self.bias) if tensor is not None)

    def of(self, x: torch.Tensor) -> torch.Tensor:
        """The adapter's part for inputs of shape (..., in_features): shape (..., out_features), in x's type."""
        inner = nn.functional.linear(x.to(self.down.dtype), self.down)
        return (nn.functional.linear(inner, self.up, self.bias) * self.scale).to(x.dtype)


class AdaptedLinear(nn.Module):
    """Stands in for a linear layer; without adapters it returns exactly what the layer returns.

    Args:
        base_layer: The frozen layer, quantised or not.
        assignment: Shared with whoever calls the model.
    """

    def __init__(self, base_layer: Any, assignment: RowAssignment) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.slots: dict[str, LoraWeights] = {}
        self.fused: Callable[[torch.Tensor], torch.Tensor] | None = None
        """Computes the layer and its rows' adapters in a recorded step."""
        self._assignment = assignment

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the layer.

        Args:
            x: Shape (rows, length, in_features), or (rows * length, in_features) as routers of mixtures get it, or
                (1, rows, in_features) where each token counts as a row (packed.py).

        Returns:
            The same shape with out_features.
        """
        if self._assignment.recorded and self.fused is not None:
            return self.fused(x)
        y: torch.Tensor = self.base_layer(x)
        if self._assignment.places:
            rows = self._assignment.rows
            self._add(x.reshape(rows, -1, x.shape[-1]), y.view(rows, -1, y.shape[-1]))
        return y

    def _add(self, x: torch.Tensor, y: torch.Tensor) -> None:
        for name, rows in self._assignment.places:
            weights = self.slots.get(name)
            if weights is None:
                continue
            part = weights.of(x[rows])
            if isinstance(rows, slice):
                y[rows].add_(part)
            else:
                y.index_add_(0, rows, part)

    @property
    def weight(self) -> Any:
        """The base's weight: some models look at its type."""
        return self.base_layer.weight

    @property
    def bias(self) -> Any:
        """The base's bias or None."""
        return self.base_layer.bias

    @property
    def in_features(self) -> int:
        """Width of the input."""
        return int(self.base_layer.in_features)

    @property
    def out_features(self) -> int:
        """Width of the output."""
        return int(self.base_layer.out_features)
