"""Write a checkpoint's safetensors files with one weight in memory at a time.

The library's own writer takes a whole file's tensors at once and returns when all are on the disk: a 7B in 16 bit is
three files of 5 GB, and nobody could call one off. The format is a length, a JSON header with every tensor's place, and
the tensors' bytes (https://huggingface.co/docs/safetensors), so the places are reckoned first and the bytes follow.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.export.merging import Weight
from engine.model.fingerprint import INDEX, SINGLE

if TYPE_CHECKING:
    import torch

SHARD_BYTES = 4 * 10**9
"""Of one file, as transformers cuts them by default (rounded down); a larger weight has a file of its own."""
_CHUNK = 16 * 2**20
_WIDTH = 2
"""Bytes of a bfloat16."""


def write_shards(
    weights: Sequence[Weight], folder: Path, report: Callable[[str, float], None], shard_bytes: int = SHARD_BYTES
) -> None:
    """Write weights as bfloat16: one file, or several and an index.

    Args:
        weights: Computed one after the other.
        folder: Where to.
        report: Called for every weight, and for every few megabytes of a large one, with its name and the fraction of
            the bytes written; raises Cancelled.
        shard_bytes: Of one file at most.
    """
    shards = _cut(weights, shard_bytes)
    names = [SINGLE] if len(shards) == 1 else [_shard_name(n, len(shards)) for n in range(1, len(shards) + 1)]
    total, done = sum(map(bytes_of, weights)), 0
    for name, shard in zip(names, shards, strict=True):
        with (folder / name).open("xb") as file:
            file.write(_header(shard))
            for weight in shard:
                done = _write(weight, file, done, total, report)
    if len(shards) > 1:
        places = {weight.name: name for name, shard in zip(names, shards, strict=True) for weight in shard}
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def bytes_of(weight: Weight) -> int:
    """Bytes of a weight in bfloat16."""
    return _WIDTH * math.prod(weight.shape)


def _shard_name(number: int, count: int) -> str:
    return f"model-{number:05d}-of-{count:05d}.safetensors"


def _cut(weights: Sequence[Weight], shard_bytes: int) -> list[list[Weight]]:
    """Fill one file after the other, in the model's order."""
    shards: list[list[Weight]] = [[]]
    size = 0
    for weight in weights:
        if shards[-1] and size + bytes_of(weight) > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(weight)
        size += bytes_of(weight)
    return shards


def _header(weights: Sequence[Weight]) -> bytes:
    """The length of the header and the header: {name: {dtype, shape, data_offsets}}, padded to 8 bytes."""
    places: dict[str, object] = {"__metadata__": {"format": "pt"}}
    start = 0
    for weight in weights:
        end = start + bytes_of(weight)
        places[weight.name] = {"dtype": "BF16", "shape": list(weight.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(places, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _write(weight: Weight, file: BinaryIO, done: int, total: int, report: Callable[[str, float], None]) -> int:
    report(weight.name, done / total)
    for piece in _pieces(weight.compute()):
        file.write(piece)
        done += len(piece)
        report(weight.name, done / total)
    return done


def _pieces(tensor: "torch.Tensor") -> "list[memoryview]":
    """A tensor's bytes as bfloat16, in pieces that are written in a moment; little-endian, as every machine here is."""
    import torch

    whole = tensor.to(torch.bfloat16).contiguous().view(-1).view(torch.uint8).numpy().data
    return [whole[start : start + _CHUNK] for start in range(0, len(whole), _CHUNK)]
