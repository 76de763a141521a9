"""Write a model as one GGUF, weight by weight: never more than one of them is in memory."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.export.gguf.families import as_llama_cpp, family_of, gguf_name
from engine.export.gguf.header import describe_model
from engine.export.gguf.tensor_types import Packing, bytes_of, file_type, pack, type_of
from engine.export.gguf.vocabulary import describe_vocabulary, name_for
from engine.export.merging import Weight
from engine.model.chat_format import ChatFormat
from engine.task import Report

HEADER_BYTES = 32 * 2**20
"""The vocabulary of 260,000 tokens, with its merges, and everything else that is no weight, at most."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model to be written."""

    config: Any
    """transformers' configuration, of the text part."""
    chat: ChatFormat
    """Its tokenizer and template."""
    name: str
    """What llama.cpp shows as its name."""
    weights: Sequence[Weight]
    """Computed one after the other; what is tied to another is left out."""


def write_model(model: Model, out: Path, packing: Packing, report: Report) -> None:
    """Write a model.

    Args:
        model: Its shape, its vocabulary and its weights.
        out: The file to write.
        packing: How the numbers of its matrices are packed.
        report: Called with the stage in words and the fraction done.

    Raises:
        ModelError: llama.cpp runs no such model, or would cut text in another way.
        OSError: The disk is full.
    """
    import gguf

    config = model.config
    family = family_of(config)
    report("Writing the vocabulary", None)
    with closing(gguf.GGUFWriter(out, family.arch)) as writer:
        _describe(writer, model, packing)
        extra = describe_model(writer, config, family)
        describe_vocabulary(writer, model.chat, int(config.vocab_size))
        for name, factors in extra.items():
            _announce(writer, name, factors.shape, "f32")
        for weight in model.weights:
            _announce(writer, gguf_name(weight.name, config, family), weight.shape, packing)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for factors in extra.values():
            writer.write_tensor_data(factors)
        _write_weights(writer, model, packing, report)
        writer.flush()


def model_bytes(shapes: Mapping[str, tuple[int, ...]], packing: Packing) -> int:
    """Return about how many bytes a model of such weights takes as one file."""
    return HEADER_BYTES + sum(bytes_of(shape, packing) for shape in shapes.values())


def _write_weights(writer: Any, model: Model, packing: Packing, report: Report) -> None:
    family = family_of(model.config)
    written, total = 0, max(1, sum(bytes_of(weight.shape, packing) for weight in model.weights))
    for weight in model.weights:

        def tick(fraction: float = written / total) -> None:
            report("Writing the weights", fraction)

        tick()
        values = as_llama_cpp(weight.name, weight.compute().float(), model.config, family)
        packed = pack(values, packing, weight.name, tick)
        tick()
        writer.write_tensor_data(packed)
        written += packed.nbytes


def _describe(writer: Any, model: Model, packing: Packing) -> None:
    import gguf

    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name_for(model.name, model.chat))
    writer.add_file_type(file_type(packing))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _announce(writer: Any, name: str, shape: "tuple[int, ...]", packing: Packing) -> None:
    import numpy as np

    kind = type_of(shape, packing)
    writer.add_tensor_info(name, shape, np.dtype(np.float32), bytes_of(shape, packing), raw_dtype=kind)
