"""Recordings: the recorded steps (captured_step.py) of one bank of adapters, and which answer uses which.

A recording belongs to one batch at a time, since the keys and values of its rows lie in it. A few are kept, so that the
next batch of as many rows begins at once. Where nothing can be recorded, nothing is lent, and the answer is decoded
step by step.
"""

import inspect
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.chat.adapted_linear import AdaptedLinear, LoraWeights
from engine.chat.cuda_graphs import attention
from engine.chat.cuda_graphs.captured_step import (
    LENGTH_STEP,
    MOST_RANKS,
    MOST_ROWS,
    CapturedStep,
    can_record,
    fits_memory,
    fuse_norms,
    row_bucket,
)

if TYPE_CHECKING:
    import threading

    import torch

    from engine.chat.adapted_linear import RowAssignment

log = logging.getLogger(__name__)

KEPT = 3
"""Recordings that wait for their next answer; each holds a cache."""


class RecordedBank(Protocol):
    """What a recording is made of (adapters.py)."""

    model: Any
    assignment: "RowAssignment"
    lock: "threading.RLock"

    @property
    def device(self) -> "torch.device":
        """Where the weights are."""

    def packed_layers(self) -> "dict[str, Any]":
        """Its 4-bit layers, by name."""

    def adapted_layer(self, where: str) -> AdaptedLinear:
        """A layer as one on which rows may bring adapters."""

    def layers_of(self, name: str) -> frozenset[str]:
        """The layers that an adapter changes."""


_TAKEN = frozenset({"position_ids", "logits_to_keep", "attention_mask", "past_key_values"})
"""What a recorded step gives to the model's forward."""

_TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Layers that read the same input wherever they have these names."""


def grouped(names: Sequence[str]) -> list[list[str]]:
    """Put layers that read the same input together.

    Args:
        names: Of linear layers, as modules are named.

    Returns:
        All names in groups of one to three.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        parent, _, child = name.rpartition(".")
        key = next((f"{parent}.{family[0]}" for family in _TOGETHER if child in family), name)
        groups.setdefault(key, []).append(name)
    return list(groups.values())


def rank_of(weights: Sequence[LoraWeights | None]) -> int:
    """Return the largest rank of an adapter's layers."""
    return max((pair.down.shape[0] for pair in weights if pair), default=0)


class Recordings:
    """See the module.

    Args:
        bank: Whose model and adapters they are of; its lock is held by whoever calls.
    """

    def __init__(self, bank: RecordedBank) -> None:
        self._bank = bank
        self._groups: list[dict[str, AdaptedLinear]] | None = None
        """The layers that are recorded, by name, those of one input together; None until it has been looked at, empty
        where nothing can be recorded."""
        self._free: list[CapturedStep] = []

    def acquire(self, adapters: Sequence[str | None], length: int) -> CapturedStep | None:
        """Lend a recording until :meth:`release` gets it back.

        Args:
            adapters: A name for each row that is known, as for :meth:`AdapterBank.forward`.
            length: Tokens of the longest prompt and its answer.

        Returns:
            One without rows, or None where the answers are to be decoded step by step.
        """
        with self._bank.lock:
            return self._step_for(adapters, length)

    def release(self, step: CapturedStep) -> None:
        """Take a recording back."""
        with self._bank.lock:
            self._free = [*self._free, step][-KEPT:] if self._groups else []

    def weights(self, adapter: str | None) -> list[LoraWeights | None] | None:
        """Return an adapter's weights of each layer; None where it has what the kernels do not know."""
        layers = {name: layer for group in self._groups or () for name, layer in group.items()}
        if adapter is None:
            return [None] * len(layers)
        if not self._bank.layers_of(adapter) <= layers.keys():
            return None
        found = [layer.slots.get(adapter) for layer in layers.values()]
        plain = all(pair is None or (pair.bias is None and pair.down.shape[0] <= MOST_RANKS) for pair in found)
        return found if plain else None

    def refuse(self, error: Exception) -> None:
        """Record nothing any more: it failed on this computer or with this model."""
        log.warning("answers are decoded step by step: %s", error, exc_info=error)
        with self._bank.lock:
            self._groups, self._free = [], []

    def give_back(self) -> None:
        """Give the memory of the recordings back that no answer uses."""
        with self._bank.lock:
            self._free = []

    def _step_for(self, adapters: Sequence[str | None], length: int) -> CapturedStep | None:
        if self._groups is None:
            self._groups = self._recordable()
        if not self._groups or len(adapters) > MOST_ROWS:
            return None
        weights = [self.weights(adapter) for adapter in dict.fromkeys(adapters)]
        if None in weights:
            return None
        largest = max((rank_of(of_layers) for of_layers in weights if of_layers), default=0)
        rows, length = row_bucket(len(adapters)), -(-length // LENGTH_STEP) * LENGTH_STEP
        step = self._kept(rows, length, largest) or self._made(rows, length, largest)
        if step is not None:
            step.empty()
        return step

    def _recordable(self) -> list[dict[str, AdaptedLinear]]:
        """The layers of the model where all can be recorded, made ready; else none."""
        model = self._bank.model
        if not can_record(model) or _TAKEN - set(inspect.signature(model.forward).parameters):
            return []
        from transformers import StaticCache
        from transformers.cache_utils import StaticLayer

        from engine.chat.cuda_graphs.kernels import fits

        packed = self._bank.packed_layers()
        cache = StaticCache(config=model.config, max_cache_len=LENGTH_STEP)
        if not packed or not all(map(fits, packed.values())) or {type(each) for each in cache.layers} != {StaticLayer}:
            return []
        fuse_norms(model, self._bank.assignment)
        attention.use(model)
        return [{name: self._bank.adapted_layer(name) for name in names} for names in grouped(list(packed))]

    def _kept(self, rows: int, length: int, largest: int) -> CapturedStep | None:
        """Take the shortest that does, so that a long one is there for who needs it."""
        fitting = [
            step for step in self._free if step.rows == rows and step.length >= length and step.most_ranks >= largest
        ]
        if not fitting:
            return None
        step = min(fitting, key=lambda step: step.length)
        self._free.remove(step)
        return step

    def _made(self, rows: int, length: int, largest: int) -> CapturedStep | None:
        bank, groups = self._bank, [list(group.values()) for group in self._groups or ()]
        if not fits_memory(bank.model, rows, length, bank.device):
            self._free = []
            if not fits_memory(bank.model, rows, length, bank.device):
                return None
        ranks = max(16, row_bucket(max(1, largest)))
        return CapturedStep(bank.model, groups, bank.assignment, rows, length, ranks)
