"""The whole model as one file for llama.cpp, and whatever is built on it: LM Studio, Jan, KoboldCpp, Ollama."""

import shlex
from dataclasses import replace
from pathlib import Path

from engine.export.asking import how_to_use, request_body
from engine.export.card import Kind
from engine.export.describing import write_card
from engine.export.files import write_recipe
from engine.export.format import Choices, Command, Format
from engine.export.gguf.exporting import PACKINGS, file_name, model_bytes, refusal, write_merged
from engine.export.source import ExportSource
from engine.task import Report
from engine.workspace import slug


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    note = write_merged(source, choices, folder / file_name(source), report)
    write_recipe(source, folder)
    write_card(source, replace(CARD, notes=(note,)), how_to_use(_commands(source, Path())), folder)


def _commands(source: ExportSource, place: Path) -> tuple[Command, ...]:
    file = shlex.quote(str(place / file_name(source)))
    return (
        Command(
            "llama.cpp",
            f"llama-server -m {file} --jinja --temp 0 --port 8080\n{ask_the_server(source)}",
            "With llama.cpp: an endpoint as of OpenAI on port 8080, and a page to chat in.",
        ),
        Command("LM Studio", f"lms import --copy {file}", "With LM Studio: it is then among its models."),
    )


def ask_the_server(source: ExportSource) -> str:
    """Return the line that asks llama-server a question."""
    body = request_body(source, slug(source.name))
    return f"curl localhost:8080/v1/chat/completions -H 'Content-Type: application/json' -d {body}"


CARD = Kind(
    "gguf",
    "**{base}** with a LoRA adapter merged in, trained with Ticket Tuner on support tickets, as a file for llama.cpp. "
    "It answers customers in the manner of the agents it has learnt from.",
)

GGUF = Format(
    key="gguf",
    title="GGUF",
    purpose="Base and adapter in one file, tokenizer and chat template inside, for llama.cpp and LM Studio.",
    replayed_with="llama.cpp",
    write=_write,
    bytes_of=lambda source, choices: model_bytes(source, choices.quantisation),
    commands=_commands,
    refusal=refusal,
    quantisations=PACKINGS,
)
