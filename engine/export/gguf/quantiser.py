"""llama.cpp's own quantiser: the function of its library that packs rows, called where a wheel of it is installed.

``ggml_quantize_chunk`` is part of ggml's public interface and has kept its arguments since 2024. It is asked a few
rows at a time, so no 16-bit file is written first, and whoever waits can call it off.
"""

import ctypes
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import StudioError

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "xllamacpp"


def is_here() -> bool:
    """Whether llama.cpp's library is installed."""
    return _file() is not None


def missing() -> StudioError:
    """Return the sentence for whoever asks for what only llama.cpp can do."""
    return StudioError(
        "This way of packing is llama.cpp's own, and llama.cpp is not installed here.",
        f"Install it with 'pip install {PACKAGE}', or pick q8_0 or f16.",
    )


def quantise(rows: "np.ndarray", kind: Any) -> "np.ndarray":
    """Pack rows as llama.cpp does.

    Args:
        rows: Shape (rows, numbers), float32; whole blocks.
        kind: As what, a gguf.GGMLQuantizationType.

    Returns:
        Shape (rows, bytes), uint8.

    Raises:
        StudioError: llama.cpp is not here.
    """
    import gguf
    import numpy as np

    rows = np.ascontiguousarray(rows, dtype=np.float32)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.empty((rows.shape[0], rows.shape[1] // block * size), dtype=np.uint8)
    written = _function()(int(kind), rows.ctypes.data, packed.ctypes.data, 0, rows.shape[0], rows.shape[1], None)
    assert written == packed.nbytes
    return packed


@lru_cache(maxsize=1)
def _function() -> Any:
    file = _file()
    if file is None:
        raise missing()
    try:
        function = ctypes.CDLL(str(file)).ggml_quantize_chunk
    except (OSError, AttributeError) as error:  # a library for another system, or one that hides the function
        raise StudioError(
            "The llama.cpp that is installed here cannot be asked to pack a model.", "Pick q8_0 or f16."
        ) from error
    function.restype = ctypes.c_size_t
    # type, source, target, first number, rows, numbers a row, importance of each number
    number, address = ctypes.c_int64, ctypes.c_void_p
    function.argtypes = [ctypes.c_int, address, address, number, number, number, address]
    return function


def _file() -> Path | None:
    """The library; the same file is the package's extension module, which is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    found = (file for folder in folders or () for file in sorted(Path(folder).glob(f"{PACKAGE}*")))
    return next((file for file in found if file.suffix in (".so", ".pyd", ".dylib")), None)
