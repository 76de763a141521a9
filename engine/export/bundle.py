"""A run's adapter as one .zip: weights, configuration, tokenizer, chat template, recipe, card and script."""

import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.export.card import model_card, usage
from engine.export.result import Result, newest_result
from engine.export.tickets import pack as pack_tickets
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


def export_bundle(
    run: RunDirectory, out: Path, report: Report = lambda *_: None, *, with_tickets: bool = False
) -> Path:
    """Pack a run's adapter; the newest checkpoint's while the run has not ended.

    Args:
        run: A run that has an adapter or a checkpoint.
        out: The .zip to write; an older one of that name is replaced once the new one is complete.
        report: Called with the stage in words and the fraction done.
        with_tickets: Whether the masked tickets that it has learnt from travel too, for look-up.

    Returns:
        ``out``.

    Raises:
        RunError: The run has neither.
        StudioError: Something in the run's folder is damaged, or the disk is full.
    """
    result = newest_result(run)
    try:
        return _pack(run, result, out, report, with_tickets)
    except (OSError, StudioError):
        newer = newest_result(run)
        if newer == result:
            raise
        return _pack(
            run, newer, out, report, with_tickets
        )  # a run in progress has put a newer checkpoint into its place


def contents(folder: Path) -> list[Path]:
    """Return the files of an adapter's folder that are packed; a checkpoint has many more."""
    return [folder / name for name in (*TOKENIZER_FILES, BASE, CONFIG, WEIGHTS) if (folder / name).is_file()]


def _pack(run: RunDirectory, result: Result, out: Path, report: Report, with_tickets: bool) -> Path:
    read_config(result.folder)
    report("Writing the card", None)
    texts = {
        "README.md": model_card(run, result),
        "usage.py": usage(run, result),
        "recipe.json": _json(run.recipe.to_dict() | {"model": public_name(run.recipe.model)}),
        CONFIG: _json(_portable_config(run, result)),
    }
    files = [file for file in contents(result.folder) if file.name not in (CONFIG, WEIGHTS)]
    temporary = out.with_name(f".{out.name}.{os.getpid()}.{time.time_ns()}")
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in texts.items():
                    archive.writestr(name, text)
                for file in files:
                    archive.write(file, file.name)
                if with_tickets:
                    report("Packing the tickets", None)
                    pack_tickets(run.data, archive)
                _add_weights(archive, result.folder / WEIGHTS, report)
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


def _portable_config(run: RunDirectory, result: Result) -> dict[str, Any]:
    """The adapter's configuration with the base as others know it, instead of where it lay on this machine."""
    values: dict[str, Any] = read_json(result.folder / CONFIG)
    return values | {"base_model_name_or_path": public_name(run.recipe.model), "inference_mode": True}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
