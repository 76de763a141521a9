"""A result of this program for llama.cpp: what the formats gguf, gguf-adapter and ollama share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.export.files import tokenizer_bytes
from engine.export.format import Choices
from engine.export.gguf import quantiser
from engine.export.gguf.families import unsupported
from engine.export.gguf.tensor_types import Packing, needs_llama_cpp
from engine.export.gguf.writing import HEADER_BYTES, Model, write_model
from engine.export.merging import Weight, merged_weights, trained_values
from engine.export.original import OriginalWeights
from engine.export.source import ExportSource
from engine.model import hub
from engine.model.adapter_files import Adapter
from engine.model.sources import is_hub_id, resolve
from engine.recipe import STARTER
from engine.task import Report
from engine.workspace import slug

if TYPE_CHECKING:
    from engine.model.base import BaseModel

PACKINGS = ("q8_0", "f16", "bf16", "q6_k", "q5_k_m", "q4_k_m")
"""How a model can be packed, the default first.

q8_0 and not f16: it is half as large (the starter: 145 against 271 MB), and where the playground's choice was clear the
starter took the same token at all places, 1.5e-3 nats a token away (engine/export/parity/tolerances.py). Whoever
wants the last of it picks f16.
"""
_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 1.07, "q6_k": 0.87, "q5_k_m": 0.77, "q4_k_m": 0.67}
"""Of a number, at most, on average over a model: matrices whose rows are no whole blocks take more."""


def file_name(source: ExportSource, ending: str = "") -> str:
    """Return the name of a source's file: 'spring-sale.gguf'."""
    return f"{slug(source.name)}{ending}.gguf"


def packing_of(quantisation: str) -> Packing:
    """Return how a model is to be packed.

    Raises:
        StudioError: llama.cpp is needed for it and not here.
    """
    packing = quantisation or PACKINGS[0]
    if needs_llama_cpp(packing) and not quantiser.is_here():
        raise quantiser.missing()
    return cast(Packing, packing)


def model_bytes(source: ExportSource, quantisation: str) -> int | None:
    """Return about how many bytes the merged model takes; None where its size is not known beforehand."""
    if source.parameters is None:
        return None
    words = tokenizer_bytes(source.adapter)  # as JSON, which takes more than the same in a GGUF
    header = HEADER_BYTES if words is None else words + 2**20
    return header + round(source.parameters * _BYTES[packing_of(quantisation)])


def refusal(source: ExportSource) -> str:
    """Return why a source cannot become a GGUF, in a sentence; empty where it can or that is not known yet."""
    model = source.recipe.model
    if model == STARTER:
        return ""
    if is_hub_id(model):
        if not hub.is_here(model):
            return ""
        model = resolve(model, source.cache, lambda *_: None)
    try:
        kind = json.loads((Path(model).expanduser() / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # told in better words by whoever loads it
    return unsupported(str(kind))


def write_merged(source: ExportSource, choices: Choices, out: Path, report: Report) -> str:
    """Write the base with the adapter merged in.

    Args:
        source: What is exported.
        choices: How it is packed, and onto which weights it is merged.
        out: The file to write.
        report: Called with the stage in words and the fraction done.

    Returns:
        A sentence for the card: what its weights are.

    Raises:
        StudioError: The base cannot be loaded, the adapter does not fit it, or llama.cpp runs no such model.
    """
    packing = packing_of(choices.quantisation)
    with source.base(report) as base:
        adapter = source.read_adapter(base)
        original = OriginalWeights(source.base_folder(report), base, adapter) if choices.onto == "original" else None
        values = original.values if original else trained_values
        write_model(_model(source, base, merged_weights(base, adapter, values)), out, packing, report)
    return original.drift.in_words() if original else f"{_TESTED} {_ROUNDING[packing]}"


def write_base(source: ExportSource, packing: Packing, out: Path, report: Report) -> None:
    """Write the base alone, with the very values that the adapter was trained over.

    Raises:
        StudioError: As in :func:`write_merged`.
    """
    with source.base(report) as base:
        untuned = Adapter(source.read_adapter(base).config, {}, {})
        write_model(_model(source, base, merged_weights(base, untuned)), out, packing, report)


def _model(source: ExportSource, base: "BaseModel", weights: Sequence[Weight]) -> Model:
    return Model(base.model.config, base.chat, source.name, weights)


_TESTED = "Its weights are those of the 4-bit base that was trained over, unpacked, with the adapter added."
_SEARCHED = "It is packed by llama.cpp into {} bits a number on average, which is another rounding than was tested."
_ROUNDING = {
    "f32": "",
    "f16": "It is the model that was tested, but for rounding to float16.",
    "bf16": "It is the model that was tested, but for rounding to bfloat16.",
    "q8_0": "It is the model that was tested, but for rounding to 8 bits a number.",
    "q6_k": _SEARCHED.format("6.6"),
    "q5_k_m": _SEARCHED.format("5.7"),
    "q4_k_m": _SEARCHED.format("4.9"),
}
