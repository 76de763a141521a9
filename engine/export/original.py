"""The base's weights as they were published, in 16 bit, and how far they are from those that were trained over.

An adapter merged onto them is another model than the one that was tested: what 4 bit rounded off comes back, and the
adapter has learnt to answer without it. How much that is, in numbers, is reckoned on the way.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.export.merging import trained_values
from engine.model.fingerprint import INDEX, SINGLE

if TYPE_CHECKING:
    import torch

    from engine.model.adapter_files import Adapter
    from engine.model.base import BaseModel


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the original weights are from the trained-over ones; both relative to the size of the weights."""

    rounding: float
    """Root mean square of what 4 bit rounded off, as a share of the weights'."""
    learnt: float
    """The same of what the adapter adds."""

    def in_words(self) -> str:
        """One sentence for a person, with both numbers."""
        times = self.rounding / self.learnt if self.learnt else math.inf
        beside = f"{times:.1f} times what the adapter adds ({self.learnt:.1%})" if self.learnt else "the adapter adds 0"
        return (
            f"This is not quite the model that was tested: its base is the original in 16 bit, which differs from the "
            f"4-bit one that was trained over by {self.rounding:.1%} of the weights' size, {beside}."
        )


class OriginalWeights:
    """The weights in a base's checkpoint.

    Args:
        folder: The checkpoint, as safetensors.
        base: The same in 4 bit.
        adapter: What is merged.

    Raises:
        ModelError: The checkpoint is itself in 4 bit, or no safetensors.
    """

    def __init__(self, folder: Path, base: "BaseModel", adapter: "Adapter") -> None:
        self._folder = folder
        self._adapter = adapter
        self._title = base.title
        self._places = _places(folder)
        self._weights = self._rounded = self._added = 0.0

    @property
    def drift(self) -> Drift:
        """How far they are, of all weights that were asked for so far."""
        size = math.sqrt(self._weights) or 1.0
        return Drift(math.sqrt(self._rounded) / size, math.sqrt(self._added) / size)

    def values(self, name: str, tensor: "torch.Tensor", module: Any) -> "torch.Tensor":
        """Return a weight as it was published; see :data:`engine.export.merging.Values`."""
        packed = getattr(tensor, "quant_state", None)
        found = self._read(name, tuple(tensor.shape if packed is None else packed.shape))
        if packed is None:
            return found
        found = found.float()
        trained = trained_values(name, tensor, module).cpu()
        self._weights += float(trained.square().sum())
        self._rounded += float((found - trained).square().sum())
        self._added += self._size_of_part(name.removesuffix(".weight"))
        return found

    def _size_of_part(self, where: str) -> float:
        """The squared size of what the adapter adds to a layer, from its halves: |up @ down|^2."""
        pair = self._adapter.layers.get(where)
        if pair is None:
            return 0.0
        up, down = pair.up.float(), pair.down.float()
        inner = (up.T @ up) * (down @ down.T)
        return self._adapter.config.scale(where, down.shape[0]) ** 2 * float(inner.sum())

    def _read(self, name: str, shape: tuple[int, ...]) -> "torch.Tensor":
        from safetensors import SafetensorError, safe_open

        if name not in self._places:
            raise ModelError(
                f"The checkpoint of {self._title} holds its weights under other names ({name[-80:]} is not there).",
                "Merge onto the weights that it was trained over instead.",
            )
        try:
            with safe_open(self._folder / self._places[name], framework="pt") as tensors:
                found: torch.Tensor = tensors.get_tensor(name)
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"{self._places[name]} of {self._title} is damaged or gone.", "Fetch the base model again."
            ) from error
        if tuple(found.shape) != shape or not found.is_floating_point():
            raise ModelError(
                f"The checkpoint of {self._title} is packed already: it has no original weights to merge onto.",
                "Merge onto the weights that it was trained over instead.",
            )
        return found


def _places(folder: Path) -> dict[str, str]:
    """Name of a weight -> the file that holds it.

    Raises:
        ModelError: The checkpoint is no safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if (folder / INDEX).is_file():
            return dict(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"])
        with safe_open(folder / SINGLE, framework="pt") as tensors:
            return dict.fromkeys(tensors.keys(), SINGLE)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"The base's checkpoint ({folder.name}) holds no weights as safetensors to merge onto.",
            "Merge onto the weights that it was trained over instead.",
        ) from error
