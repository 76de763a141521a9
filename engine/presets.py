"""The presets: named recipes to start from, read from ``assets/presets.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from engine.recipe import Recipe

PRESETS_FILE = Path(__file__).parents[1] / "assets" / "presets.toml"


@dataclass(frozen=True, slots=True)
class Preset:
    """A named starting point."""

    name: str
    """What the command line takes: quick, balanced or thorough."""
    title: str
    sentence: str
    recipe: Recipe


def presets() -> dict[str, Preset]:
    """Read the presets from ``assets/presets.toml``, in their order there."""
    table = tomllib.loads(PRESETS_FILE.read_text(encoding="utf-8"))
    return {
        name: Preset(name, entry["title"], entry["sentence"], Recipe.from_dict(entry.get("recipe", {})))
        for name, entry in table.items()
    }
