"""adapter_config.json of a PEFT adapter -> what matters of it for answering, or a sentence why not.

It may come from a stranger: it is read as data, and only known fields of it are used.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import ModelError

CONFIG = "adapter_config.json"

MAX_CONFIG_BYTES = 1_000_000
"""A configuration of peft is 1 to 50 kB; one that lists every layer of a 70B stays below 200 kB."""
MAX_RANK = 4096

ANOTHER_ADAPTER = "Pick an adapter of another kind, or train it again here."

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

_Number = TypeVar("_Number", int, float)

_PATTERN = re.compile(r"[\w.^$\\*]{1,300}")
"""What the keys of alpha_pattern and rank_pattern may have: enough for names of layers, too little for a slow regex."""


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
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    """The same, with a rank of their own."""

    def scale(self, module: str, rank: int) -> float:
        """The factor of a module's output, for its own rank."""
        alpha = _own(self.alpha_pattern, module, self.alpha)
        return alpha / math.sqrt(rank) if self.rank_stabilised else alpha / rank

    def rank_of(self, module: str) -> int:
        """The rank that the configuration gives a module."""
        return _own(self.rank_pattern, module, self.rank)


def _own(patterns: Mapping[str, _Number], module: str, common: _Number) -> _Number:
    """What a pattern says of a module, else what holds for all; matched as peft does (get_pattern_key)."""
    found = (own for pattern, own in patterns.items() if re.match(rf"(.*\.)?({pattern})$", module))
    return next(found, common)


def read_config(folder: Path) -> AdapterConfig:
    """Read adapter_config.json alone.

    Raises:
        ModelError: It is missing, damaged, or says that the adapter is of a kind that cannot answer here.
    """
    values = _config_values(folder / CONFIG)
    method = str(values.get("peft_type"))
    if method != "LORA":
        raise ModelError(f"{folder.name} is a {method[:40]} adapter, not a LoRA adapter.", ANOTHER_ADAPTER)
    if values.get("task_type") not in (None, "CAUSAL_LM"):  # a tuple: it may be a list
        raise ModelError(
            f"{folder.name} is made for {str(values['task_type'])[:40]}, not for writing text.", ANOTHER_ADAPTER
        )
    _refuse_other_methods(values, folder)
    try:
        return AdapterConfig(
            rank=_whole(values["r"]),
            alpha=_alpha(values["lora_alpha"]),
            rank_stabilised=bool(values.get("use_rslora")),
            alpha_pattern={_checked_pattern(key): _alpha(own) for key, own in _table(values, "alpha_pattern")},
            base=str(values.get("base_model_name_or_path") or ""),
            rank_pattern={_checked_pattern(key): _whole(own) for key, own in _table(values, "rank_pattern")},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, re.error) as error:
        raise ModelError(f"{CONFIG} in {folder.name} is damaged ({error}).", "Export the adapter again.") from error


def check_size(file: Path, limit: int) -> None:
    """Refuse a file of an adapter that is larger than any adapter's, before it is read.

    Raises:
        ModelError: It has more than ``limit`` bytes.
    """
    size = file.stat().st_size
    if size > limit:
        raise ModelError(
            f"{file.name} in {file.parent.name} is {size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB are read.",
            ANOTHER_ADAPTER,
        )


def _config_values(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelError(
            f"{file.parent.name} is no adapter ({CONFIG} is missing).", "Pick the folder or .zip of an adapter."
        )
    check_size(file, MAX_CONFIG_BYTES)
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
            raise ModelError(f"{folder.name} uses {_UNSUPPORTED[name]}; that is not supported.", ANOTHER_ADAPTER)
        if value and name not in _HARMLESS:
            raise ModelError(f"{folder.name} uses '{name[:40]}', which this version does not know.", ANOTHER_ADAPTER)
    start = values.get("init_lora_weights", True)
    if not isinstance(start, bool | str | None) or start not in _PLAIN_STARTS:
        raise ModelError(
            f"{folder.name} was trained over an altered base model (init_lora_weights is {str(start)[:40]!r}).",
            "Convert it to a plain LoRA adapter with peft first.",
        )


def _table(values: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return list((values.get(name) or {}).items())


def _checked_pattern(pattern: str) -> str:
    if not _PATTERN.fullmatch(pattern) or pattern.count("*") > 2:
        raise ValueError(f"'{pattern[:40]}' is no name of a layer")
    re.compile(pattern)
    return pattern


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_RANK:
        raise ValueError(f"a rank of {str(value)[:20]}, where 1 to {MAX_RANK:,} can be")
    return value


def _alpha(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"an alpha of {str(value)[:20]}")
    if not number:
        raise ModelError(
            "The adapter has an alpha of 0, which switches it off: it changes nothing there.", ANOTHER_ADAPTER
        )
    return number
