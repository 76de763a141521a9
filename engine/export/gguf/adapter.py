"""A LoRA adapter as a GGUF that llama.cpp lays over a GGUF of its base."""

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.export.gguf.families import INSTEAD, as_llama_cpp, family_of, gguf_name
from engine.model.tensor_shapes import tensor_shapes
from engine.task import Report

if TYPE_CHECKING:
    import numpy as np
    import torch

    from engine.model.adapter_files import Adapter

_MERGE = "Take it home as 'gguf', with the adapter merged in."


def write_adapter(adapter: "Adapter", config: Any, name: str, out: Path, report: Report) -> None:
    """Write an adapter, in float32.

    llama.cpp knows one alpha a file and scales each layer by it over the layer's own rank. Where layers are scaled
    otherwise (rsLoRA with several ranks, an alpha of their own) what is left over goes into the upper half.

    Args:
        adapter: The weights.
        config: transformers' configuration of the base.
        name: What llama.cpp shows as its name.
        out: The file to write.
        report: Called with the stage in words and the fraction done.

    Raises:
        ModelError: It changes what llama.cpp's adapters cannot.
        OSError: The disk is full.
    """
    import gguf

    family = family_of(config)
    _check(adapter, config)
    with closing(gguf.GGUFWriter(out, family.arch)) as writer:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_name(name)
        alpha = _shared_alpha(adapter)
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        for number, (layer, pair) in enumerate(adapter.layers.items()):
            report("Writing the adapter", number / len(adapter.layers))
            place = gguf_name(f"{layer}.weight", config, family)
            rank = pair.down.shape[0]
            up = as_llama_cpp(layer, pair.up.float(), config, family)
            rest = adapter.config.scale(layer, rank) * rank / alpha
            writer.add_tensor(f"{place}.lora_a", _numbers(pair.down))
            writer.add_tensor(f"{place}.lora_b", _numbers(up if rest == 1 else up * rest))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()


def adapter_bytes(adapter: Path) -> int:
    """Return about how many bytes the weights of an adapter's folder take as a GGUF, where they are of 32 bit."""
    from safetensors import SafetensorError

    from engine.model.adapter_files import weights_file

    file = weights_file(adapter)
    try:
        size = 4 * sum(map(math.prod, tensor_shapes(file).values()))
    except SafetensorError:  # damaged, or a .bin, which may be of 16 bit
        size = 2 * file.stat().st_size
    return size + 2**17


def _check(adapter: "Adapter", config: Any) -> None:
    if adapter.base_biases or any(pair.bias is not None for pair in adapter.layers.values()):
        raise ModelError("This adapter changes biases, which llama.cpp's adapters do not hold.", _MERGE)
    if "lm_head" in adapter.layers and config.tie_word_embeddings:
        raise ModelError(
            "This adapter changes the output, whose weights the base shares with its embeddings; llama.cpp has no "
            "place for that.",
            INSTEAD,
        )


def _shared_alpha(adapter: "Adapter") -> float:
    """The alpha with which llama.cpp scales the first layer as it was trained."""
    layer, pair = next(iter(adapter.layers.items()))
    rank = pair.down.shape[0]
    return adapter.config.scale(layer, rank) * rank


def _numbers(tensor: "torch.Tensor") -> "np.ndarray":
    return tensor.detach().float().contiguous().cpu().numpy()
