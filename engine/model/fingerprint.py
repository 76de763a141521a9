"""A mark of a model's weights: two models of one shape have different ones, wherever and however their files lie.

Each tensor gives a few numbers of its first and its middle row, as float32, so that a fine-tune that touched any layer
is told from the model it came from, and a checkpoint that was only cut into other files is not.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_NUMBERS = 32
"""Numbers of each looked-at row."""


def weights_mark(source: str, revision: str | None = None) -> str:
    """Return the mark of a checkpoint, as hexadecimal digits; empty where its weights are no safetensors.

    Args:
        source: A folder, or a hub id whose files are in the cache of this computer.
        revision: The hub's commit.
    """
    try:
        return _mark(_places(source, revision))
    except Exception as error:  # a mark is worth no failure: without one nothing is compared
        log.warning("the weights of %s could not be marked: %s", source, error)
        return ""


def _places(source: str, revision: str | None) -> dict[str, Path]:
    """Return where each tensor lies."""
    from safetensors import safe_open

    if index := _file(source, INDEX, revision):
        table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        files = {name: _file(source, name, revision) for name in set(table.values())}
        return {tensor: file for tensor, name in table.items() if (file := files[name])}
    single = _file(source, SINGLE, revision)
    if not single:
        return {}
    with safe_open(single, framework="pt") as tensors:
        return dict.fromkeys(tensors.keys(), single)


def _file(source: str, name: str, revision: str | None) -> Path | None:
    if Path(source).is_dir():
        return file if (file := Path(source) / name).is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _mark(places: dict[str, Path]) -> str:
    from safetensors import safe_open

    if not places:
        return ""
    samples: dict[str, bytes] = {}
    for file in set(places.values()):
        with safe_open(file, framework="pt") as tensors:
            names = (name for name, home in places.items() if home == file)
            samples |= {name: _sample(tensors.get_slice(name)) for name in names}
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(samples):
        digest.update(name.encode() + samples[name])
    return digest.hexdigest()


def _sample(tensor: Any) -> bytes:
    shape = tensor.get_shape()
    if len(shape) == 0:
        return b""
    if len(shape) == 1:
        rows = [tensor[:_NUMBERS]]
    else:
        rows = [tensor[row : row + 1].reshape(-1)[:_NUMBERS] for row in (0, shape[0] // 2)]
    return repr(shape).encode() + b"".join(row.float().numpy().tobytes() for row in rows)
