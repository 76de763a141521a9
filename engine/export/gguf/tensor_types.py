"""How the numbers of a tensor are packed: float32, float16, bfloat16, or llama.cpp's blocks of 32 with 8 bits each."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import torch

Packing = Literal["f32", "f16", "bf16", "q8_0"]

_FILE_TYPES = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"}
_BLOCK = 32
"""Numbers of a q8_0 block."""
_AT_ONCE = 2**22
"""Numbers that are packed between two reports: about 0.1 s."""


def file_type(packing: Packing) -> int:
    """Return llama.cpp's number for a file whose matrices are packed so."""
    import gguf

    return int(gguf.LlamaFileType[_FILE_TYPES[packing]])


def type_of(shape: tuple[int, ...], packing: Packing) -> Any:
    """Return the type of a tensor's numbers, a gguf.GGMLQuantizationType.

    Vectors stay float32, as in every file of llama.cpp; rows that are no whole blocks are float16.
    """
    import gguf

    types = gguf.GGMLQuantizationType
    if len(shape) < 2:
        return types.F32
    if packing == "q8_0" and shape[-1] % _BLOCK:
        return types.F16
    return types[packing.upper()]


def bytes_of(shape: tuple[int, ...], packing: Packing) -> int:
    """Return the bytes of a tensor once it is packed."""
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[type_of(shape, packing)]
    return math.prod(shape) // int(block) * int(size)


def pack(tensor: "torch.Tensor", packing: Packing, name: str, tick: Callable[[], None]) -> "np.ndarray":
    """Pack a tensor's numbers.

    Args:
        tensor: Float32, on the CPU.
        packing: As what.
        name: Of the tensor, for the sentence.
        tick: Called now and then.

    Returns:
        The bytes as numpy has them: float32, float16, or uint8.

    Raises:
        ModelError: A number is too large for float16.
    """
    import gguf
    import numpy as np

    kind = type_of(tuple(tensor.shape), packing)
    values = tensor.detach().contiguous().numpy()
    if kind == gguf.GGMLQuantizationType.F32:
        return values
    packed = np.empty(bytes_of(values.shape, packing), dtype=np.uint8)
    rows = values.reshape(-1, values.shape[-1])
    width = packed.size // len(rows)
    step = max(1, _AT_ONCE // rows.shape[1])
    for first in range(0, len(rows), step):
        some = _packed(rows[first : first + step], kind)
        if kind == gguf.GGMLQuantizationType.F16 and not np.isfinite(some).all():
            raise ModelError(f"'{name[-80:]}' holds numbers that float16 cannot.", "Pick bf16.")
        packed[first * width : (first + len(some)) * width] = some.view(np.uint8).reshape(-1)
        tick()
    return packed


def _packed(rows: "np.ndarray", kind: Any) -> "np.ndarray":
    import gguf
    import numpy as np

    with np.errstate(over="ignore"):  # what becomes of it is looked at
        return np.asarray(gguf.quants.quantize(rows, kind))
