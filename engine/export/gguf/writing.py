"""Write a model as one GGUF, weight by weight: never more than one of them is in memory."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.export.gguf.families import Family, as_llama_cpp, family_of, gguf_name
from engine.export.gguf.header import describe_model
from engine.export.gguf.tensor_types import Packing, Plan, pack
from engine.export.gguf.vocabulary import describe_vocabulary, name_for
from engine.export.merging import Weight
from engine.model.chat_format import ChatFormat
from engine.task import Report

if TYPE_CHECKING:
    import numpy as np

HEADER_BYTES = 32 * 2**20
"""The vocabulary of 260,000 tokens, with its merges, and everything else that is no weight, at most; for a model whose
tokenizer is not here yet."""


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
    places = [gguf_name(weight.name, config, family) for weight in model.weights]
    plan = Plan(packing, int(config.num_hidden_layers), "output.weight" not in places)
    with closing(gguf.GGUFWriter(out, family.arch)) as writer:
        _describe(writer, model, plan)
        extra = describe_model(writer, config, family)
        describe_vocabulary(writer, model.chat, int(config.vocab_size))
        for name, factors in extra.items():
            _announce(writer, name, factors.shape, plan)
        for name, weight in zip(places, model.weights, strict=True):
            _announce(writer, name, weight.shape, plan)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for factors in extra.values():
            writer.write_tensor_data(factors)
        _write_weights(writer, model, places, plan, report)
        writer.flush()


def _write_weights(writer: Any, model: Model, places: Sequence[str], plan: Plan, report: Report) -> None:
    family = family_of(model.config)
    sizes = [plan.bytes_of(name, weight.shape) for name, weight in zip(places, model.weights, strict=True)]
    written, total = 0, max(1, sum(sizes))
    for name, weight, size in zip(places, model.weights, sizes, strict=True):

        def tick(fraction: float = written / total) -> None:
            report("Writing the weights", fraction)

        tick()
        writer.write_tensor_data(_packed(weight, model.config, family, plan.type_of(name, weight.shape), tick))
        written += size


def _packed(weight: Weight, config: Any, family: Family, kind: Any, tick: Callable[[], None]) -> "np.ndarray":
    """Compute a weight and pack it; nothing of it is left but what is returned."""
    values = as_llama_cpp(weight.name, weight.compute().float(), config, family)
    return pack(values, kind, weight.name, tick)


def _describe(writer: Any, model: Model, plan: Plan) -> None:
    import gguf

    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name_for(model.name, model.chat))
    writer.add_file_type(plan.file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _announce(writer: Any, name: str, shape: tuple[int, ...], plan: Plan) -> None:
    import numpy as np

    size = plan.bytes_of(name, shape)
    writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=plan.type_of(name, shape))
