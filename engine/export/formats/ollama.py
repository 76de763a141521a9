"""The whole model for Ollama: the GGUF, and a Modelfile that asks it as it was tested."""

import shlex
from dataclasses import replace
from pathlib import Path

from engine.export.asking import how_to_use
from engine.export.describing import write_card
from engine.export.files import write_recipe
from engine.export.format import Choices, Command
from engine.export.formats.gguf import CARD, GGUF
from engine.export.gguf.exporting import file_name, write_merged
from engine.export.ollama.modelfile import modelfile
from engine.export.source import ExportSource
from engine.task import Report
from engine.workspace import slug


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    name = file_name(source)
    with source.base(report) as base:
        text = modelfile(name, base.chat, base.model.config, source.recipe.system_prompt)
    (folder / "Modelfile").write_text(text, encoding="utf-8")
    note = write_merged(source, choices, folder / name, report)
    write_recipe(source, folder)
    write_card(source, replace(CARD, notes=(note,)), how_to_use(_commands(source, Path())), folder)


def _commands(source: ExportSource, place: Path) -> tuple[Command, ...]:
    name, file = slug(source.name), shlex.quote(str(place / "Modelfile"))
    return (
        Command(
            "Ollama",
            f'ollama create {name} -f {file}\nollama run {name} "Where is my parcel?"',
            "With Ollama: the first line takes the model in, once; the second asks it.",
        ),
    )


OLLAMA = replace(
    GGUF,
    key="ollama",
    title="Ollama",
    purpose="Base and adapter in one file, with a Modelfile: template, stop tokens and standing instruction as tested.",
    write=_write,
    commands=_commands,
)
