"""One whole model in 16 bit, base and adapter in one: for whatever loads a model of the hub.

The weights are those that were trained over, unpacked from 4 bit, with the adapter added (merging.py). Merging into
4 bit again is not offered: rounding to 4 bit takes most of what an adapter adds.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.export.files import copy, tokenizer_files, write_json_text, write_recipe
from engine.export.format import Choices, Format
from engine.export.merging import merged_weights, unties_head
from engine.export.shards import write_shards
from engine.export.source import ExportSource
from engine.task import Report

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat


def _bytes_of(source: ExportSource, _: Choices) -> int | None:
    return None if source.parameters is None else 2 * source.parameters + 16 * 2**20


def _write(source: ExportSource, choices: Choices, folder: Path, report: Report) -> None:
    with source.base(report) as base:
        adapter = source.read_adapter(base)
        weights = merged_weights(base, adapter)
        config = plain_config(source.base_folder(report))
        if unties_head(base, adapter):
            config["tie_word_embeddings"] = False
        write_json_text(folder / "config.json", config)
        write_json_text(folder / "generation_config.json", generation_config(base.chat))
        write_recipe(source, folder)
        for file in tokenizer_files(source.adapter):
            copy(file, folder, report, "Copying the tokenizer")
        write_shards(weights, folder, lambda name, done: report(f"Merging {name}", done))


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
)
