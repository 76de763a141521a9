"""Models a person can pick, read from ``assets/models.toml``. Any other hub id or local folder works too."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MODELS_FILE = Path(__file__).parents[2] / "assets" / "models.toml"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model of the catalogue."""

    id: str
    """'starter' or the model hub's id."""
    title: str
    billions: float
    """Parameters in 10^9."""
    download_gb: float
    """Size of the 16-bit checkpoint in 10^9 bytes."""
    licence: str
    gated: bool
    """Whether the hub asks for an account and a consent."""
    layers: int
    hidden: int
    """Width of the residual stream."""
    inner: int
    """Width of the feed-forward part."""
    vocabulary: int
    tied: bool
    """Whether the output head is the embedding table itself."""
    sentence: str
    """Who it is for, in words."""


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return the catalogue, the smallest model first."""
    table = tomllib.loads(MODELS_FILE.read_text(encoding="utf-8"))
    return tuple(sorted((CatalogueEntry(**entry) for entry in table["model"]), key=lambda entry: entry.billions))


def find(model: str) -> CatalogueEntry | None:
    """Return the catalogue's entry for a model reference, or None."""
    return next((entry for entry in catalogue() if entry.id == model), None)


def title(model: str) -> str:
    """Return the name of a model as a person reads it."""
    entry = find(model)
    return entry.title if entry else Path(model).name if Path(model).is_absolute() else model
