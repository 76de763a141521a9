"""The adapter as peft keeps it, with all that it takes to use it: tokenizer, chat template, recipe, card and script."""

import shlex
from pathlib import Path
from typing import Any

from engine.export.card import PACKAGES, STARTER_BASE, install
from engine.export.describing import write_adapter_card
from engine.export.files import copy, tokenizer_files, write_json_text, write_recipe
from engine.export.format import Choices, Command, Format
from engine.export.passport import weights_mark
from engine.export.source import ExportSource
from engine.export.tickets import pack as pack_tickets
from engine.export.tickets import weigh
from engine.export.usage import STARTER_FOLDER
from engine.model.adapter_config import CONFIG, read_config
from engine.model.adapter_files import BASE, WEIGHTS, write_mark
from engine.model.sources import public_name
from engine.recipe import STARTER
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
    write_adapter_card(source, folder, report)
    write_recipe(source, folder)
    write_mark(folder, weights_mark(source))
    write_json_text(folder / CONFIG, _portable_config(source))
    if choices.with_tickets and source.run:
        report("Packing the tickets", None)
        pack_tickets(source.run.data, folder)
    copy(source.adapter / WEIGHTS, folder, report, "Copying the weights")
    for file in tokenizer_files(source.tokenizer(report)):
        copy(file, folder, report, "Copying the tokenizer")


def _portable_config(source: ExportSource) -> dict[str, Any]:
    """The adapter's configuration with the base as others know it, instead of where it lay on this computer.

    The starter is known to this program alone, and to peft by the model that it is a packed form of.
    """
    values: dict[str, Any] = read_json(source.adapter / CONFIG)
    model = source.recipe.model
    base = STARTER_BASE if model == STARTER else public_name(model)
    return values | {"base_model_name_or_path": base, "revision": source.revision, "inference_mode": True}


def _commands(source: ExportSource, place: Path) -> tuple[Command, ...]:
    folder = Path(place.stem) if place.suffix == ".zip" else place
    inside, at, zipped = shlex.quote(str(folder)), shlex.quote(str(folder / "usage.py")), shlex.quote(str(place))
    unpack = f"python -m zipfile -e {zipped} {inside}\n" if place.suffix == ".zip" else ""
    starter = f"python -m engine starter --out {STARTER_FOLDER}\n" if source.recipe.model == STARTER else ""
    needed = install(source.environment, PACKAGES)
    return (
        Command(
            "transformers",
            f'{unpack}{starter}{needed}\npython {at} "Where is my parcel?"',
            "Prints an answer, with transformers and peft over the 4-bit base that it was trained over."
            + (" The second line is typed in Ticket Tuner's folder." if starter and unpack else ""),
        ),
        Command(
            "Ticket Tuner",
            f'python -m engine ask --adapter {zipped} --prompt "Where is my parcel?"',
            "On another computer with this program, which also brings it in on its tab Export.",
        ),
    )


ADAPTER = Format(
    key="adapter",
    title="Adapter",
    purpose="What was learnt, as one small file, for this program and for Python; the base model is not in it.",
    replayed_with="transformers and peft",
    write=_write,
    bytes_of=_bytes_of,
    commands=_commands,
    zipped=True,
)
