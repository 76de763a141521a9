"""How the numbers of each tensor are packed, and the packing.

16 bit and q8_0 are packed by llama.cpp's own Python package. The k-quants, whose numbers are searched for, are packed
by llama.cpp itself (quantiser.py) in its own mixture: more bits where they matter most
(https://github.com/ggml-org/llama.cpp, llama-quant.cpp, llama_tensor_get_type).
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import torch

Packing = Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]


@dataclass(frozen=True, slots=True)
class _Mixture:
    """llama.cpp's types of a file, by what a matrix does."""

    file_type: str
    """In gguf.LlamaFileType."""
    most: str
    """In gguf.GGMLQuantizationType: of most matrices."""
    better: str
    """Of the head, and in some layers of values and of what ends the feed-forward part."""
    fused: str
    """Of queries, keys and values in one matrix."""


_MIXTURES: Mapping[str, _Mixture] = {
    "f32": _Mixture("ALL_F32", "F32", "F32", "F32"),
    "f16": _Mixture("MOSTLY_F16", "F16", "F16", "F16"),
    "bf16": _Mixture("MOSTLY_BF16", "BF16", "BF16", "BF16"),
    "q8_0": _Mixture("MOSTLY_Q8_0", "Q8_0", "Q8_0", "Q8_0"),
    "q6_k": _Mixture("MOSTLY_Q6_K", "Q6_K", "Q6_K", "Q6_K"),
    "q5_k_m": _Mixture("MOSTLY_Q5_K_M", "Q5_K", "Q6_K", "Q6_K"),
    "q4_k_m": _Mixture("MOSTLY_Q4_K_M", "Q4_K", "Q6_K", "Q5_K"),
}
_NARROWER = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "Q8_0": "F16", "Q5_0": "F16", "Q5_1": "F16"}
"""What llama.cpp takes where a row is no whole number of blocks."""
_AT_ONCE = 2**20
"""Numbers that are packed between two reports: 0.2 s of the slowest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the tensors of one model are packed."""

    packing: Packing
    layers: int
    tied: bool
    """Whether the embeddings are the head too."""

    def type_of(self, name: str, shape: tuple[int, ...]) -> Any:
        """Return the type of a tensor's numbers, a gguf.GGMLQuantizationType.

        Vectors stay float32, as in every file of llama.cpp.

        Args:
            name: llama.cpp's.
            shape: With the length of a row at its end.
        """
        import gguf

        if len(shape) < 2:
            return gguf.GGMLQuantizationType.F32
        kind = gguf.GGMLQuantizationType[self._kind(name)]
        while shape[-1] % gguf.GGML_QUANT_SIZES[kind][0]:
            kind = gguf.GGMLQuantizationType[_NARROWER[kind.name]]
        return kind

    def _kind(self, name: str) -> str:
        mixture = _MIXTURES[self.packing]
        if name == "output.weight" or (name == "token_embd.weight" and self.tied):
            return mixture.better
        if "attn_qkv" in name:
            return mixture.fused
        if place := re.match(r"blk\.(\d+)\.(?:attn_v|ffn_down)\.", name):
            return mixture.better if _matters(int(place[1]), self.layers) else mixture.most
        return mixture.most

    def bytes_of(self, name: str, shape: tuple[int, ...]) -> int:
        """Return the bytes of a tensor once it is packed."""
        import gguf

        block, size = gguf.GGML_QUANT_SIZES[self.type_of(name, shape)]
        return math.prod(shape) // int(block) * int(size)

    @property
    def file_type(self) -> int:
        """llama.cpp's number for a file whose matrices are packed so."""
        import gguf

        return int(gguf.LlamaFileType[_MIXTURES[self.packing].file_type])


def needs_llama_cpp(packing: str) -> bool:
    """Whether only llama.cpp itself can pack so."""
    return "_k" in packing


def _matters(layer: int, layers: int) -> bool:
    """Whether a layer gets more bits: the first and the last eighth, and every third between."""
    first, last = layers // 8, 7 * layers // 8
    return layer < first or layer >= last or (layer - first) % 3 == 2


def pack(tensor: "torch.Tensor", kind: Any, name: str, tick: Callable[[], None]) -> "np.ndarray":
    """Pack a tensor's numbers.

    Args:
        tensor: Float32, on the CPU.
        kind: As what, a gguf.GGMLQuantizationType.
        name: Of the tensor, for the sentence.
        tick: Called now and then.

    Returns:
        The bytes as numpy has them: float32 as such, else uint8.

    Raises:
        ModelError: A number is too large for float16, or llama.cpp is needed and not here.
    """
    import gguf
    import numpy as np

    values = tensor.detach().contiguous().numpy()
    if kind == gguf.GGMLQuantizationType.F32:
        return values
    block, size = gguf.GGML_QUANT_SIZES[kind]
    width = values.shape[-1] // block * size
    rows = values.reshape(-1, values.shape[-1])
    packed = np.empty((len(rows), width), dtype=np.uint8)
    step = max(1, _AT_ONCE // rows.shape[1])
    for first in range(0, len(rows), step):
        some = _packed(rows[first : first + step], kind)
        if kind == gguf.GGMLQuantizationType.F16 and not np.isfinite(some).all():
            raise ModelError(f"'{name[-80:]}' holds numbers that float16 cannot.", "Pick bf16.")
        packed[first : first + step] = some.view(np.uint8).reshape(-1, width)
        tick()
    return packed


def _packed(rows: "np.ndarray", kind: Any) -> "np.ndarray":
    import gguf
    import numpy as np

    if needs_llama_cpp(kind.name.lower()):
        from engine.export.gguf.quantiser import quantise

        return quantise(rows, kind)
    with np.errstate(over="ignore"):  # what becomes of it is looked at
        return np.asarray(gguf.quants.quantize(rows, kind))
