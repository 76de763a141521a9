"""The adapter for llama.cpp: small, and laid over a GGUF of its base, several over one if need be.

Over the base's own 16-bit or q8_0 GGUF it is another model than the one that was tested, as over any other precision.
So the base that it was trained over, unpacked from its 4 bit, can come along: once, for all adapters of that base.
"""

import shlex
from pathlib import Path

from engine.export.asking import how_to_use
from engine.export.card import Kind
from engine.export.describing import write_card
from engine.export.files import write_recipe
from engine.export.format import Choices, Command, Format
from engine.export.formats.gguf import ask_the_server
from engine.export.gguf.adapter import adapter_bytes, write_adapter
from engine.export.gguf.exporting import file_name, model_bytes, packing_of, refusal, write_base
from engine.export.source import ExportSource
from engine.task import Report

_WITH_BASE = {"with-base-f16": "f16", "with-base-q8_0": "q8_0"}
_CHOICES = ("alone", *_WITH_BASE)


def _base_packing(choices: Choices) -> str:
    """Return how the base is packed that comes along; empty where none does."""
    return _WITH_BASE.get(choices.quantisation, "")


def _bytes_of(source: ExportSource, choices: Choices) -> int | None:
    packing = _base_packing(choices)
    base = model_bytes(source, packing) if packing else 0
    return None if base is None else adapter_bytes(source.adapter) + base


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    packing = _base_packing(choices)
    with source.base(report) as base:
        adapter = source.read_adapter(base)
        write_adapter(adapter, base.model.config, source.name, folder / file_name(source, "-lora"), report)
    if packing:
        write_base(source, packing_of(packing), folder / file_name(source, "-base"), report)
    write_recipe(source, folder)
    write_card(source, _CARD, how_to_use(_commands(source, Path())), folder)


def _commands(source: ExportSource, place: Path) -> tuple[Command, ...]:
    base, lora = (shlex.quote(str(place / file_name(source, ending))) for ending in ("-base", "-lora"))
    return (
        Command(
            "llama.cpp",
            f"llama-server -m {base} --lora {lora} --jinja --temp 0 --port 8080\n{ask_the_server(source)}",
            "With llama.cpp, over the base, where it has come along: an endpoint as of OpenAI on port 8080.",
        ),
    )


_CARD = Kind(
    "gguf",
    "A LoRA adapter for **{base}**, trained with Ticket Tuner on support tickets, as a file for llama.cpp. It answers "
    "customers in the manner of the agents it has learnt from.",
    (
        "It has learnt on the base's 4-bit values. The GGUF of them comes along with the choices 'with-base-f16' and "
        "'with-base-q8_0'; over the base's own GGUF it is another model than the one that was tested.",
    ),
)

GGUF_ADAPTER = Format(
    key="gguf-adapter",
    title="GGUF adapter",
    purpose="What was learnt, as one small file that llama.cpp lays over a GGUF of the base model.",
    replayed_with="llama.cpp",
    write=_write,
    bytes_of=_bytes_of,
    commands=_commands,
    refusal=refusal,
    quantisations=_CHOICES,
)
