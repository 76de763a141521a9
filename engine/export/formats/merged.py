"""One whole model in 16 bit, base and adapter in one: for whatever loads a model of the hub.

The weights are those that were trained over, unpacked from 4 bit, with the adapter added (merging.py). Merging into
4 bit again is not offered: rounding to 4 bit takes most of what an adapter adds.
"""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.export.asking import how_to_use, request_body
from engine.export.card import Kind, install
from engine.export.describing import write_card, write_merged_script
from engine.export.files import copy, tokenizer_bytes, tokenizer_files, write_json_text, write_recipe
from engine.export.format import Choices, Command, Format
from engine.export.merging import merged_weights, trained_values, unties_head
from engine.export.original import OriginalWeights
from engine.export.shards import write_shards
from engine.export.source import ExportSource
from engine.task import Report
from engine.workspace import slug

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat


def _bytes_of(source: ExportSource, _: Choices) -> int | None:
    if source.parameters is None:
        return None
    words = tokenizer_bytes(source.adapter)
    return 2 * source.parameters + (16 * 2**20 if words is None else words + 2**17)


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    with source.base(report) as base:
        adapter = source.read_adapter(base)
        original = OriginalWeights(source.base_folder(report), base, adapter) if choices.onto == "original" else None
        weights = merged_weights(base, adapter, original.values if original else trained_values)
        config = plain_config(source.base_folder(report))
        if unties_head(base, adapter):
            config["tie_word_embeddings"] = False
        write_json_text(folder / "config.json", config)
        write_json_text(folder / "generation_config.json", generation_config(base.chat))
        write_recipe(source, folder)
        for file in tokenizer_files(source.tokenizer(report)):
            copy(file, folder, report, "Copying the tokenizer")
        write_shards(weights, folder, lambda _, done: report("Merging the adapter into the weights", done))
    write_merged_script(source, folder, report)
    note = original.drift.in_words() if original else _TESTED
    write_card(source, replace(_CARD, notes=(note,)), how_to_use(_commands(source, Path())), folder)


def _commands(source: ExportSource, place: Path) -> tuple[Command, ...]:
    name, at = slug(source.name), shlex.quote(str(place))
    body = request_body(source, name)
    script = shlex.quote(str(place / "usage.py"))
    return (
        Command(
            "transformers",
            f'{install(source.environment, _PACKAGES)}\npython {script} "Where is my parcel?"',
            "Prints an answer, with the standing instruction and the stop tokens as while it learnt.",
        ),
        Command(
            "vLLM",
            f"pip install vllm\nvllm serve {at} --served-model-name {name} --generation-config {at}",
            "Opens an endpoint like OpenAI's on port 8000; needs a GPU.",
        ),
        Command(
            "vLLM, asked from another terminal",
            f"curl localhost:8000/v1/chat/completions -H 'Content-Type: application/json' -d {body}",
        ),
    )


_PACKAGES = ("torch", "transformers", "accelerate")
_TESTED = (
    "Its weights are those of the 4-bit base that was trained over, unpacked, with the adapter added: the model that "
    "was tested, but for rounding to bfloat16. Packing it into 4 bit again takes most of what it has learnt."
)
_CARD = Kind(
    "transformers",
    "**{base}** with a LoRA adapter merged in, trained with Ticket Tuner on support tickets. It answers customers in "
    "the manner of the agents it has learnt from.",
)


def plain_config(base: Path) -> dict[str, Any]:
    """Return the base's own config.json as that of a plain model in bfloat16.

    Args:
        base: The folder of its checkpoint.
    """
    config: dict[str, Any] = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    config.pop("_name_or_path", None)
    return config | {"dtype": "bfloat16", "torch_dtype": "bfloat16"}


def generation_config(chat: "ChatFormat") -> dict[str, Any]:
    """Return how answers end, and nothing that would draw or punish words: the base's own may.

    Args:
        chat: The tokenizer and template that the adapter learnt with.
    """
    tokenizer = chat.tokenizer
    return {
        "do_sample": False,
        "eos_token_id": sorted(chat.stop_ids),
        "pad_token_id": chat.pad_id,
        **({} if tokenizer.bos_token_id is None else {"bos_token_id": tokenizer.bos_token_id}),
    }


MERGED = Format(
    key="merged",
    title="Whole model",
    purpose="Base and adapter in one ordinary 16-bit model, for vLLM, transformers and whatever loads such a folder.",
    replayed_with="transformers",
    write=_write,
    bytes_of=_bytes_of,
    commands=_commands,
)
