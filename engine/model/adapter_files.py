"""A PEFT adapter folder -> a LoRA adapter as plain data, or a sentence why not.

Whatever lies in such a folder may come from a stranger: the configuration is read as data and only known fields of it
are used, weights come through safetensors (a .bin only through ``weights_only=True``). This module knows no model and
loads nothing into one.
"""

import json
import math
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.hardware import GIB
from engine.workspace import read_json, write_json

if TYPE_CHECKING:
    import torch

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
BASE = "base_weights.json"
"""Says over which weights an adapter was trained: {"mark": as from :mod:`engine.model.fingerprint`}."""

MAX_CONFIG_BYTES = 1_000_000
"""A configuration of peft is 1 to 50 kB; one that lists every layer of a 70B stays below 200 kB."""
MAX_WEIGHTS_BYTES = 2 * GIB
"""Rank 64 on every linear layer of a 70B is 1.7 GB in bfloat16."""
MAX_RANK = 4096
MAX_TENSORS = 60_000
"""Both halves of three layers in each of 128 experts of 48 blocks (Qwen3 30B-A3B) are 37,000."""
MAX_HEADER_BYTES = 300 * MAX_TENSORS
"""A tensor's name, type, shape and place are 150 to 250 characters of JSON."""

_ANOTHER_ADAPTER = "Pick an adapter of another kind, or train it again here."

_UNSUPPORTED = {
    "use_dora": "DoRA, which cannot answer side by side with the base model",
    "use_qalora": "QA-LoRA",
    "use_bdlora": "block-diagonal LoRA",
    "alora_invocation_tokens": "activated LoRA",
    "arrow_config": "Arrow routing",
    "kasa_config": "KaSA",
    "layer_replication": "layer replication",
    "modules_to_save": "whole replaced layers (modules_to_save)",
    "monteclora_config": "MonteCLoRA",
    "target_parameters": "adapted expert weights (target_parameters)",
    "trainable_token_indices": "trained tokens (trainable_token_indices)",
    "velora_config": "VeLoRA",
}
"""Fields of peft's LoraConfig that make another method of it, in words."""

_HARMLESS = frozenset(
    """
    auto_mapping base_model_name_or_path bias corda_config ensure_weight_tying eva_config exclude_modules
    fan_in_fan_out inference_mode init_lora_weights layers_pattern layers_to_transform loftq_config
    lora_alpha lora_bias lora_dropout lora_ga_config megatron_config megatron_core peft_type peft_version
    qalora_group_size r rank_pattern alpha_pattern revision runtime_config target_modules task_type
    use_rslora
    """.split()  # noqa: SIM905 - as a literal it fills the screen
)
"""Fields that are used here, or that matter only while training."""

_PLAIN_STARTS = frozenset({True, False, None, "true", "false", "gaussian", "eva"})
"""Values of init_lora_weights that leave the base as it is; the others (olora, pissa, loftq ...) train over an altered
base, so that the adapter alone is not the model."""

_KEY = re.compile(r"base_model\.model\.(?P<module>[\w.]+)\.(?P<part>lora_A\.weight|lora_B\.weight|lora_B\.bias)")
_BIAS_KEY = re.compile(r"base_model\.model\.(?P<module>[\w.]+?)(?:\.base_layer)?\.bias")
_PATTERN = re.compile(r"[\w.^$\\*]{1,300}")
"""What a key of alpha_pattern may consist of: enough for names of layers, too little for a slow regex."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What adapter_config.json says, as far as it matters for answering."""

    rank: int
    alpha: float
    rank_stabilised: bool
    """Whether the scale is alpha / sqrt(rank) (rsLoRA, https://arxiv.org/abs/2312.03732) instead of alpha / rank."""
    alpha_pattern: Mapping[str, float]
    """Names of layers, as regular expressions in peft's sense, with an alpha of their own."""
    base: str
    """The base model's hub id or folder; empty when it is not said."""

    def scale(self, module: str, rank: int) -> float:
        """The factor of a module's output, for its own rank; names are matched as peft does (get_pattern_key)."""
        alpha = self.alpha
        for pattern, own in self.alpha_pattern.items():
            if re.match(rf"(.*\.)?({pattern})$", module):
                alpha = own
                break
        return alpha / math.sqrt(rank) if self.rank_stabilised else alpha / rank


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
    return Adapter(config, layers, biases)


def read_config(folder: Path) -> AdapterConfig:
    """Read adapter_config.json alone.

    Raises:
        ModelError: As in :func:`read_adapter`.
    """
    values = _config_values(folder / CONFIG)
    method = str(values.get("peft_type"))
    if method != "LORA":
        raise ModelError(f"{folder.name} is a {method[:40]} adapter, not a LoRA adapter.", _ANOTHER_ADAPTER)
    if values.get("task_type") not in (None, "CAUSAL_LM"):  # a tuple: it may be a list
        raise ModelError(f"{folder.name} is made for {str(values['task_type'])[:40]}, not for writing text.")
    _refuse_other_methods(values, folder)
    try:
        return AdapterConfig(
            rank=_whole(values["r"]),
            alpha=_alpha(values["lora_alpha"]),
            rank_stabilised=bool(values.get("use_rslora")),
            alpha_pattern={_checked_pattern(key): _alpha(own) for key, own in _table(values, "alpha_pattern")},
            base=str(values.get("base_model_name_or_path") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, re.error) as error:
        raise ModelError(f"{CONFIG} in {folder.name} is damaged ({error}).", "Export the adapter again.") from error


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
    _check_size(folder / BASE, MAX_CONFIG_BYTES)
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
    _check_size(file, MAX_WEIGHTS_BYTES)
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


def _config_values(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelError(
            f"{file.parent.name} is no adapter ({CONFIG} is missing).", "Pick the folder or .zip of an adapter."
        )
    _check_size(file, MAX_CONFIG_BYTES)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{CONFIG} in {file.parent.name} is damaged.", "Export the adapter again.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{CONFIG} in {file.parent.name} is damaged.", "Export the adapter again.")
    return values


def _refuse_other_methods(values: Mapping[str, Any], folder: Path) -> None:
    for name, value in values.items():
        if value and name in _UNSUPPORTED:
            raise ModelError(f"{folder.name} uses {_UNSUPPORTED[name]}; that is not supported.", _ANOTHER_ADAPTER)
        if value and name not in _HARMLESS:
            raise ModelError(f"{folder.name} uses '{name[:40]}', which this version does not know.", _ANOTHER_ADAPTER)
    start = values.get("init_lora_weights", True)
    if not isinstance(start, bool | str | None) or start not in _PLAIN_STARTS:
        raise ModelError(
            f"{folder.name} was trained over an altered base model (init_lora_weights is {str(start)[:40]!r}).",
            "Convert it to a plain LoRA adapter with peft first.",
        )


def _unpickled(file: Path) -> "dict[str, torch.Tensor]":
    """Load a .bin without running any code that it may carry."""
    import torch

    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_WEIGHTS_BYTES:
                raise ModelError(f"{file.name} in {file.parent.name} unpacks to more than 2 GiB.", _ANOTHER_ADAPTER)
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
        raise ModelError(f"{file.name} in {file.parent.name} holds no adapter weights.", _ANOTHER_ADAPTER)
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
            raise ModelError(f"{where} holds '{name[-80:]}', which is no LoRA weight.", _ANOTHER_ADAPTER)
    if not parts:
        raise ModelError(f"{where} holds no LoRA weights.", _ANOTHER_ADAPTER)
    return {module: _pair(module, found, where) for module, found in parts.items()}, biases


def _pair(module: str, parts: "Mapping[str, torch.Tensor]", where: str) -> LoraPair:
    down, up, bias = (parts.get(part) for part in ("lora_A.weight", "lora_B.weight", "lora_B.bias"))
    whole = down is not None and up is not None and down.dim() == up.dim() == 2
    if down is None or up is None or not whole or down.shape[0] != up.shape[1] or not 0 < down.shape[0] <= MAX_RANK:
        raise ModelError(f"The weights for {module[-80:]} in {where} are incomplete.", "Export the adapter again.")
    if bias is not None and bias.shape != up.shape[:1]:
        raise ModelError(f"The weights for {module[-80:]} in {where} are incomplete.", "Export the adapter again.")
    return LoraPair(down, up, bias)


def _check_size(file: Path, limit: int) -> None:
    size = file.stat().st_size
    if size > limit:
        raise ModelError(
            f"{file.name} in {file.parent.name} is {size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB are read.",
            _ANOTHER_ADAPTER,
        )


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
            f"{file.parent.name} holds more than {MAX_TENSORS:,} tensors, which no LoRA adapter does.", _ANOTHER_ADAPTER
        )


def _header_bytes(file: Path) -> int:
    """Return the bytes of a safetensors file's header, as its first 8 say; 0 where the file is shorter than that.

    The library's own reader has no limit but the format's 100 MB: a header of 50 MB with 400,000 names took it seconds
    and 140 MB of memory before it could be asked how many there are.
    """
    with file.open("rb") as start:
        length = int.from_bytes(start.read(8), "little")
    return length if length < file.stat().st_size else 0


def _table(values: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return list((values.get(name) or {}).items())


def _checked_pattern(pattern: str) -> str:
    if not _PATTERN.fullmatch(pattern) or pattern.count("*") > 2:
        raise ValueError(f"'{pattern[:40]}' is no name of a layer")
    re.compile(pattern)
    return pattern


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_RANK:
        raise ValueError(f"a rank of {str(value)[:20]}")
    return value


def _alpha(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"an alpha of {str(value)[:20]}")
    if not number:
        raise ModelError(
            "The adapter has an alpha of 0, which switches it off: it changes nothing there.", _ANOTHER_ADAPTER
        )
    return number
