"""Files that more than one format brings along: the tokenizer with its chat template, and the recipe."""

import json
from pathlib import Path
from typing import Any

from engine.export.source import ExportSource
from engine.model.sources import public_name
from engine.task import Report

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
)
"""What save_pretrained of any of transformers' tokenizers writes."""
RECIPE = "recipe.json"
_CHUNK = 4 * 2**20


def tokenizer_files(folder: Path) -> list[Path]:
    """Return the tokenizer's files in a folder, its chat template among them."""
    return [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]


def tokenizer_bytes(folder: Path) -> int | None:
    """Return how many bytes the tokenizer's files in a folder take; None where there are none."""
    files = tokenizer_files(folder)
    return sum(file.stat().st_size for file in files) if files else None


def write_recipe(source: ExportSource, folder: Path) -> None:
    """Write every setting, with the base as others know it."""
    write_json_text(folder / RECIPE, source.recipe.to_dict() | {"model": public_name(source.recipe.model)})


def write_json_text(file: Path, value: Any) -> None:
    """Write JSON as a person reads it."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def copy(file: Path, folder: Path, report: Report, stage: str) -> None:
    """Copy a file into a folder piece by piece, so that it can be called off.

    Args:
        file: The file.
        folder: Where to; no file of that name is there.
        report: Called with ``stage`` and the fraction copied; raises Cancelled.
        stage: What is done, in words.
    """
    size = max(1, file.stat().st_size)
    with file.open("rb") as source, (folder / file.name).open("xb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            report(stage, min(1.0, source.tell() / size))
