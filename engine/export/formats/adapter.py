"""The adapter as peft keeps it, with all that it takes to use it: tokenizer, chat template, recipe, card and script."""

from pathlib import Path
from typing import Any

from engine.export.card import model_card, usage
from engine.export.files import copy, tokenizer_files, write_json_text, write_recipe
from engine.export.format import Choices, Format
from engine.export.source import ExportSource
from engine.export.tickets import pack as pack_tickets
from engine.export.tickets import weigh
from engine.model.adapter_files import BASE, CONFIG, WEIGHTS, read_config
from engine.model.sources import public_name
from engine.task import Report
from engine.workspace import read_json


def contents(folder: Path) -> list[Path]:
    """Return the files of an adapter's folder that are taken home; a checkpoint has many more."""
    return [*tokenizer_files(folder), *(folder / name for name in (BASE, CONFIG, WEIGHTS) if (folder / name).is_file())]


def _bytes_of(source: ExportSource, choices: Choices) -> int:
    size = sum(file.stat().st_size for file in contents(source.adapter))
    return size + (weigh(source.run.data)[1] if choices.with_tickets and source.run else 0)


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    read_config(source.adapter)
    report("Writing the card", None)
    if source.run:
        (folder / "README.md").write_text(model_card(source.run, source.result), encoding="utf-8")
        (folder / "usage.py").write_text(usage(source.run, source.result), encoding="utf-8")
    write_recipe(source, folder)
    write_json_text(folder / CONFIG, _portable_config(source))
    if choices.with_tickets and source.run:
        report("Packing the tickets", None)
        pack_tickets(source.run.data, folder)
    for file in contents(source.adapter):
        if file.name != CONFIG:
            copy(file, folder, report, "Copying the weights" if file.name == WEIGHTS else "Copying the tokenizer")


def _portable_config(source: ExportSource) -> dict[str, Any]:
    """The adapter's configuration with the base as others know it, instead of where it lay on this computer."""
    values: dict[str, Any] = read_json(source.adapter / CONFIG)
    return values | {"base_model_name_or_path": public_name(source.recipe.model), "inference_mode": True}


ADAPTER = Format(
    key="adapter",
    title="Adapter",
    purpose="What was learnt, as one small file, for this program and for Python; the base model is not in it.",
    replayed_with="transformers and peft",
    write=_write,
    bytes_of=_bytes_of,
    zipped=True,
)
