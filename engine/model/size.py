"""How large a model is before it is loaded: from the catalogue, or from the headers of a local folder's files.

Reads no weights and needs no torch; a model of the hub that is not in the catalogue is not known here.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.model.catalogue import CatalogueEntry, find
from engine.model.tensor_shapes import tensor_shapes

PACKED = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes of a weight in NF4 with double quantisation: half a byte, a byte a block of 64 for its scale, and 32 bits for
256 of those (Dettmers et al., 2023, section 3)."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What decides how much memory a model takes."""

    layers: int
    hidden: int
    """Width of the residual stream."""
    inner: int
    """Width of the feed-forward part."""
    vocabulary: int
    linear: int
    """Parameters of the layers that are packed into 4 bit."""
    other: int
    """Parameters that are not: embeddings, and the output head where it has its own."""

    @property
    def packed_bytes(self) -> int:
        """What it takes when it is loaded: its layers in NF4, the rest in 16 bit."""
        return round(PACKED * self.linear) + 2 * self.other

    @property
    def attention(self) -> int:
        """Widths of the queries and of the keys of a layer, added up: what is left of its parameters says so."""
        return max(0, round((self.linear / self.layers / self.hidden - 3 * self.inner) / 2))


def size_of(model: str) -> ModelSize | None:
    """Return a model's size; None where it is not known without loading it.

    Args:
        model: As in the recipe: 'starter', a hub id, or a folder.
    """
    if entry := find(model):
        return _of_entry(entry)
    folder = Path(model).expanduser()
    config = folder / "config.json"
    if not config.is_file():
        return None
    return _of_folder(folder, config.stat().st_mtime_ns)


def _of_entry(entry: CatalogueEntry) -> ModelSize:
    other = entry.vocabulary * entry.hidden * (1 if entry.tied else 2)
    return ModelSize(
        entry.layers, entry.hidden, entry.inner, entry.vocabulary, round(1e9 * entry.billions) - other, other
    )


@lru_cache(maxsize=16)
def _of_folder(folder: Path, changed: int) -> ModelSize | None:
    from safetensors import SafetensorError

    try:
        config = json.loads((folder / "config.json").read_bytes())
        config = config.get("text_config", config)
        hidden, vocabulary = int(config["hidden_size"]), int(config["vocab_size"])
        layers, inner = int(config["num_hidden_layers"]), int(config["intermediate_size"])
        shapes = [shape for file in folder.glob("*.safetensors") for shape in tensor_shapes(file).values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return None
    other = sum(math.prod(shape) for shape in shapes if len(shape) == 2 and shape[0] == vocabulary)
    linear = sum(map(math.prod, shapes)) - other
    return ModelSize(layers, hidden, inner, vocabulary, linear, other) if linear > 0 and layers > 0 else None
