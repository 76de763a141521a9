"""A run's adapter as one .zip: weights, configuration, tokenizer, chat template, recipe, card and script."""

import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

from engine.export.card import model_card, require_adapter, usage
from engine.model.adapter_files import BASE, CONFIG, WEIGHTS, read_config
from engine.model.sources import public_name
from engine.task import Report
from engine.training.runs.directory import RunDirectory
from engine.workspace import disk_errors, read_json

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

_CHUNK = 4 * 2**20


def export_bundle(run: RunDirectory, out: Path, report: Report = lambda *_: None) -> Path:
    """Pack a run's adapter.

    Args:
        run: A run that has an adapter.
        out: The .zip to write; an older one of that name is replaced once the new one is complete.
        report: Called with the stage in words and the fraction done.

    Returns:
        ``out``.

    Raises:
        RunError: The run has no adapter.
        StudioError: Something in the run's folder is damaged, or the disk is full.
    """
    require_adapter(run)
    read_config(run.adapter)
    report("Writing the card", None)
    texts = {
        "README.md": model_card(run),
        "usage.py": usage(run),
        "recipe.json": _json(run.recipe.to_dict() | {"model": public_name(run.recipe.model)}),
        CONFIG: _json(_portable_config(run)),
    }
    files = [run.adapter / name for name in (*TOKENIZER_FILES, BASE) if (run.adapter / name).is_file()]
    temporary = out.with_name(f".{out.name}.{os.getpid()}.{time.time_ns()}")
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in texts.items():
                    archive.writestr(name, text)
                for file in files:
                    archive.write(file, file.name)
                _add_weights(archive, run.adapter / WEIGHTS, report)
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    return out


def _add_weights(archive: zipfile.ZipFile, file: Path, report: Report) -> None:
    """Store the weights as they are: they do not compress."""
    size = file.stat().st_size
    entry = zipfile.ZipInfo.from_file(file, WEIGHTS)
    with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            report("Packing the weights", min(1.0, source.tell() / max(1, size)))


def _portable_config(run: RunDirectory) -> dict[str, Any]:
    """The adapter's configuration with the base as others know it, instead of where it lay on this machine."""
    values: dict[str, Any] = read_json(run.adapter / CONFIG)
    return values | {"base_model_name_or_path": public_name(run.recipe.model), "inference_mode": True}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
