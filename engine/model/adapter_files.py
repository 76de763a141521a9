"""A PEFT adapter folder -> a LoRA adapter as plain data, or a sentence why not.

Whatever lies in such a folder may come from a stranger: weights come through safetensors (a .bin only through
``weights_only=True``), and what the configuration says through :mod:`engine.model.adapter_config`. This module knows no
model and loads nothing into one.
"""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.hardware import GIB
from engine.model.adapter_config import (
    ANOTHER_ADAPTER,
    CONFIG,
    MAX_CONFIG_BYTES,
    MAX_RANK,
    AdapterConfig,
    check_size,
    read_config,
)
from engine.workspace import read_json, write_json

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
BASE = "base_weights.json"
"""Says over which weights an adapter was trained: {"mark": as from :mod:`engine.model.fingerprint`}."""

MAX_WEIGHTS_BYTES = 2 * GIB
"""Rank 64 on every linear layer of a 70B is 1.7 GB in bfloat16."""
MAX_TENSORS = 60_000
"""Both halves of three layers in each of 128 experts of 48 blocks (Qwen3 30B-A3B) are 37,000."""
MAX_HEADER_BYTES = 300 * MAX_TENSORS
"""A tensor's name, type, shape and place are 150 to 250 characters of JSON."""

_KEY = re.compile(r"base_model\.model\.(?P<module>[\w.]+)\.(?P<part>lora_A\.weight|lora_B\.weight|lora_B\.bias)")
_BIAS_KEY = re.compile(r"base_model\.model\.(?P<module>[\w.]+?)(?:\.base_layer)?\.bias")


@dataclass(frozen=True, slots=True)
class LoraPair:
    """The weights of one adapted layer: ``x @ down.T @ up.T`` (+ bias)."""

    down: "torch.Tensor"
    """lora_A: shape (rank, in_features)."""
    up: "torch.Tensor"
    """lora_B: shape (out_features, rank)."""
    bias: "torch.Tensor | None" = None
    """lora_B's bias: shape (out_features,); None with almost every adapter."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter in memory."""

    config: AdapterConfig
    layers: Mapping[str, LoraPair]
    """Module name, as in the base model, -> its weights."""
    base_biases: Mapping[str, "torch.Tensor"]
    """Module name -> the trained bias that stands in for the base's own (peft's ``bias="all"`` and ``"lora_only"``)."""


def read_adapter(folder: Path) -> Adapter:
    """Read a PEFT adapter folder.

    Raises:
        ModelError: It is no adapter, is damaged, unsafe to load, or of a kind that cannot answer here.
    """
    config = read_config(folder)
    layers, biases = sorted_out(read_tensors(folder), folder.name)
    for module, pair in layers.items():
        rank, told = pair.down.shape[0], config.rank_of(module)
        if rank != told:
            raise ModelError(
                f"The weights for {module[-80:]} in {folder.name} are of rank {rank:,}, and {CONFIG} says {told:,}.",
                "Export the adapter again.",
            )
    return Adapter(config, layers, biases)


def write_mark(folder: Path, mark: str) -> None:
    """Note beside an adapter over which weights it was trained; nothing where that is not known."""
    if mark:
        write_json(folder / BASE, {"mark": mark})


def check_mark(folder: Path, mark: str) -> None:
    """Compare an adapter with the base that it is about to be used over.

    Args:
        folder: The adapter.
        mark: The base's; nothing is compared where either has none.

    Raises:
        ModelError: It was trained over other weights.
    """
    if not (folder / BASE).is_file():
        return
    check_size(folder / BASE, MAX_CONFIG_BYTES)
    noted = read_json(folder / BASE)
    wanted = noted.get("mark") if isinstance(noted, dict) else None
    if mark and isinstance(wanted, str) and wanted and wanted != mark:
        raise ModelError(
            f"{folder.name} was trained over other weights than this base model has, though their shapes are the same.",
            "Put the base model back that it was trained on, or train again.",
        )


def read_tensors(folder: Path) -> "dict[str, torch.Tensor]":
    """Read the weights, from safetensors if it is there, else from a .bin that holds nothing but numbers.

    Returns:
        Dense tensors on the CPU by their names in the file.

    Raises:
        ModelError: They are missing, damaged, too large or unsafe.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = weights_file(folder)
    check_size(file, MAX_WEIGHTS_BYTES)
    _check_number(file)
    if file.name == PICKLE:
        tensors = _unpickled(file)
    else:
        try:
            tensors = load_file(file)
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(f"{WEIGHTS} in {folder.name} is damaged.", "Export the adapter again.") from error
    for name, tensor in tensors.items():
        if tensor.dtype not in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ModelError(
                f"{name[-80:]} in {folder.name} holds values of the type {kind}, which no LoRA weights have.",
                "Export the adapter again, as bfloat16 or float32.",
            )
        if not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{name[-80:]} in {folder.name} holds values that are no numbers.", "Train it again.")
    return tensors


def weights_file(folder: Path) -> Path:
    """Return the file that holds the weights.

    Raises:
        ModelError: There is none.
    """
    for name in (WEIGHTS, PICKLE):
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"{folder.name} holds no adapter weights ({WEIGHTS} is missing).", "Pick the folder or .zip of an adapter."
    )


def weights_digest(folder: Path) -> str:
    """Return what tells an adapter's weights from others: sixteen hexadecimal digits of its file's SHA-256.

    Raises:
        ModelError: There are none, or they cannot be read.
    """
    try:
        with weights_file(folder).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as error:
        raise ModelError("That adapter is not here any more.", "Pick another run.") from error


def _unpickled(file: Path) -> "dict[str, torch.Tensor]":
    """Load a .bin without running any code that it may carry."""
    import torch

    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_WEIGHTS_BYTES:
                raise ModelError(f"{file.name} in {file.parent.name} unpacks to more than 2 GiB.", ANOTHER_ADAPTER)
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds here; the file is refused for each
        raise ModelError(
            f"{file.name} in {file.parent.name} is damaged, or holds more than weights and could run code.",
            "Ask for the adapter as safetensors.",
        ) from error
    dense = isinstance(tensors, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) and tensor.layout is torch.strided
        for name, tensor in tensors.items()
    )
    # A tensor may claim a huge shape over one stored number (stride 0); copying it would fill the memory.
    if not dense or sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > MAX_WEIGHTS_BYTES:
        raise ModelError(f"{file.name} in {file.parent.name} holds no adapter weights.", ANOTHER_ADAPTER)
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def sorted_out(
    tensors: "Mapping[str, torch.Tensor]", where: str
) -> "tuple[dict[str, LoraPair], dict[str, torch.Tensor]]":
    """Bring the two halves of each layer together; every tensor must have its place.

    Args:
        tensors: By their names as peft saves them.
        where: What holds them, for the sentences.

    Returns:
        The weights of each layer, and trained biases of the base, by the module's name.

    Raises:
        ModelError: A tensor is no LoRA weight, or half of a pair is missing.
    """
    parts: dict[str, dict[str, torch.Tensor]] = {}
    biases: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if seen := _KEY.fullmatch(name):
            parts.setdefault(seen["module"], {})[seen["part"]] = tensor
        elif seen := _BIAS_KEY.fullmatch(name):
            biases[seen["module"]] = tensor
        else:
            raise ModelError(f"{where} holds '{name[-80:]}', which is no LoRA weight.", ANOTHER_ADAPTER)
    if not parts:
        raise ModelError(f"{where} holds no LoRA weights.", ANOTHER_ADAPTER)
    return {module: _pair(module, found, where) for module, found in parts.items()}, biases


def _pair(module: str, parts: "Mapping[str, torch.Tensor]", where: str) -> LoraPair:
    down, up, bias = (parts.get(part) for part in ("lora_A.weight", "lora_B.weight", "lora_B.bias"))
    whole = down is not None and up is not None and down.dim() == up.dim() == 2
    if down is None or up is None or not whole or down.shape[0] != up.shape[1]:
        raise ModelError(f"The weights for {module[-80:]} in {where} are incomplete.", "Export the adapter again.")
    if not 0 < down.shape[0] <= MAX_RANK:
        raise ModelError(
            f"The weights for {module[-80:]} in {where} are of rank {down.shape[0]:,}; it can be 1 to {MAX_RANK:,}.",
            ANOTHER_ADAPTER,
        )
    if bias is not None and bias.shape != up.shape[:1]:
        raise ModelError(f"The weights for {module[-80:]} in {where} are incomplete.", "Export the adapter again.")
    return LoraPair(down, up, bias)


def _check_number(file: Path) -> None:
    """Refuse more tensors than an adapter has, before they are read one by one: 400,000 took a minute."""
    count = 0
    if file.name == PICKLE:
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
            count = len(archive.infolist())
    elif _header_bytes(file) > MAX_HEADER_BYTES:
        count = MAX_TENSORS + 1
    else:
        from safetensors import SafetensorError, safe_open

        with suppress(SafetensorError), safe_open(file, "pt") as tensors:  # a damaged one is told when it is read
            count = len(tensors.keys())
    if count > MAX_TENSORS:
        raise ModelError(
            f"{file.parent.name} holds more than {MAX_TENSORS:,} tensors, which no LoRA adapter does.", ANOTHER_ADAPTER
        )


def _header_bytes(file: Path) -> int:
    """Return the bytes of a safetensors file's header, as its first 8 say; 0 where the file is shorter than that.

    The library's own reader has no limit but the format's 100 MB: a header of 50 MB with 400,000 names took it seconds
    and 140 MB of memory before it could be asked how many there are.
    """
    with file.open("rb") as start:
        length = int.from_bytes(start.read(8), "little")
    return length if length < file.stat().st_size else 0
