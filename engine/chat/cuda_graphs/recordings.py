"""Recordings: the recorded steps (captured_step.py) of one bank of adapters, and which answer uses which.

A recording belongs to one answer at a time, since the answer's keys and values lie in it. A few are kept, so that the
next answer of as many voices begins at once. Where nothing can be recorded, nothing is lent, and the answer is decoded
step by step.
"""

import inspect
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    found: dict[str, list[str]] = {}
    for name in names:
        parent, _, child = name.rpartition(".")
        key = next((f"{parent}.{family[0]}" for family in _TOGETHER if child in family), name)
        found.setdefault(key, []).append(name)
    return list(found.values())


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

    @contextmanager
    def acquire(self, adapters: Sequence[str | None], length: int) -> Iterator[CapturedStep | None]:
        """Lend a recording for one answer.

        Args:
            adapters: A name for each row, as for :meth:`AdapterBank.forward`.
            length: Tokens of the longest prompt and its answer.

        Yields:
            One that is ready for the prompts, or None where the answer is to be decoded step by step.
        """
        with self._bank.lock:
            step = self._step_for(adapters, length)
        try:
            yield step
        finally:
            if step is not None:
                with self._bank.lock:
                    self._free = [*self._free, step][-KEPT:] if self._groups else []

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
        rows = row_bucket(len(adapters))
        weights = self._weights([*adapters, *[None] * (rows - len(adapters))])
        if weights is None:
            return None
        length = -(-length // LENGTH_STEP) * LENGTH_STEP
        largest = max((pair.down.shape[0] for of_rows in weights for pair in of_rows if pair), default=0)
        step = self._kept(rows, length, largest) or self._made(rows, length, largest)
        if step is not None:
            step.begin(weights)
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

    def _weights(self, adapters: Sequence[str | None]) -> list[list[LoraWeights | None]] | None:
        """Each layer's weights for each row; None where an adapter has what the kernels do not know."""
        layers = {name: layer for group in self._groups or () for name, layer in group.items()}
        for name in {name for name in adapters if name is not None}:
            if not self._bank.layers_of(name) <= layers.keys():
                return None
        found = [[layer.slots.get(name) if name else None for name in adapters] for layer in layers.values()]
        plain = all(
            pair is None or (pair.bias is None and pair.down.shape[0] <= MOST_RANKS) for of in found for pair in of
        )
        return found if plain else None

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
