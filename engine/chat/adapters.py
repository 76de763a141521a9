"""AdapterBank: many LoRA adapters in slots over one frozen base, swapped without touching the base.

The bank owns a weight-sharing copy of the base and puts an AdaptedLinear in front of each layer that an adapter adapts.
Every row of a batch is answered by the base or by one of the adapters. It knows neither prompts nor sampling.

Loading draws no random numbers and changes no shared parameter, because a run may be training in another thread: peft
would draw first values from torch's global random state, and would write an adapter's biases (``bias="all"``) into the
base.
"""

import inspect
import re
import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.chat.adapted_linear import AdaptedLinear, LoraWeights, RowAssignment
from engine.chat.cpu_step.step import CpuStep
from engine.chat.cuda_graphs.recordings import Recordings
from engine.chat.prefix_cache import PrefixCache
from engine.chat.weights import mark_of
from engine.errors import ModelError
from engine.model.adapter_config import ANOTHER_ADAPTER, CONFIG
from engine.model.adapter_files import Adapter, LoraPair, read_adapter, weights_file
from engine.model.base import BaseModel
from engine.model.snapshot import Snapshot

_EXPERTS = re.compile(r"(^|\.)experts(\.|$)")
_OTHER_BASE = "Pick the base model that it was trained on."


@dataclass(eq=False, slots=True)
class _Slot:
    """A loaded adapter."""

    source: Path | Snapshot
    stamp: tuple[int, ...]
    """Sizes and times of its files: an adapter that is written anew counts as another one."""
    layers: tuple[str, ...]
    """Where its weights are."""
    users: int = field(default=0)
    mark: str = ""
    """Of the weights themselves (:meth:`AdapterBank.mark`); empty until somebody asks."""


def bank_of(base: BaseModel) -> "AdapterBank":
    """Return the one bank of a loaded base, which lives as long as it."""
    return base.companion(_bank_over)


def _bank_over(base: BaseModel) -> "AdapterBank":
    return AdapterBank(base.copy())


class AdapterBank:
    """Adapters over one base.

    Args:
        model: A weight-sharing copy of the base, the bank's own from now on.
        slots: How many adapters are kept loaded.
    """

    def __init__(self, model: Any, slots: int = 8) -> None:
        self.model = model.eval()
        self._linear: dict[str, Any] = {
            name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)
        }
        self._adapted: dict[str, AdaptedLinear] = {}
        self._capacity = slots
        self._slots: dict[str, _Slot] = {}  # the least recently used first
        self.assignment = RowAssignment()
        self.lock = threading.RLock()
        self.recordings = Recordings(self)
        self.prefixes = PrefixCache()
        self.options = frozenset(inspect.signature(model.forward).parameters)
        """What the model's forward takes; position_ids and logits_to_keep are not known to every model."""
        self.cpu_step = CpuStep(self)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        parameter: torch.Tensor = next(iter(self.model.parameters()))
        return parameter.device

    def make_room(self) -> None:
        """Give back the memory of recorded steps that no answer uses, and of what was read for the next turns."""
        self.recordings.give_back()
        with self.lock:
            self.cpu_step.forget()
            self.prefixes.forget()

    @property
    def bytes(self) -> int:
        """Memory held beside the base: adapters, what was read for the next turns, and what steps are computed from.

        Recorded steps are not counted: they go as soon as somebody needs their memory.
        """
        adapters = sum(pair.bytes for layer in list(self._adapted.values()) for pair in list(layer.slots.values()))
        return adapters + self.prefixes.bytes + self.cpu_step.bytes

    def load(self, source: Path | Snapshot) -> str:
        """Load an adapter; one that is loaded already takes less than a millisecond.

        Args:
            source: A PEFT adapter folder, or the weights of a run as they were at a step.

        Returns:
            The name under which :meth:`forward` knows it, made here and never from outside.

        Raises:
            ModelError: It is gone, damaged, unsafe, of another method, or does not fit; or every slot is in use.
        """
        with self.lock:
            source, stamp = (source.resolve(), _stamp(source)) if isinstance(source, Path) else (source, ())
            for name, slot in self._slots.items():
                if (slot.source, slot.stamp) == (source, stamp):
                    self._slots[name] = self._slots.pop(name)
                    return name
            adapter = _read(source) if isinstance(source, Path) else source.adapter
            pairs = _with_biases(adapter, self._linear)
            self._check_fit(pairs, source.name if isinstance(source, Path) else source.run)
            stale = [name for name, slot in self._slots.items() if _replaces(source, slot.source) and not slot.users]
            self._drop(stale)
            name = self._free_name()
            self._install(name, pairs, adapter)
            self._slots[name] = _Slot(source, stamp, tuple(pairs))
            return name

    def mark(self, name: str) -> str:
        """Return what tells a loaded adapter's weights from others: eight hexadecimal digits, of the slot's own bytes.

        Two adapters of the same numbers have the same mark, wherever they came from and whatever holds them.
        """
        with self.lock:
            slot = self._slots[name]
            if not slot.mark:
                slot.mark = mark_of({where: self._adapted[where].slots[name] for where in slot.layers})
            return slot.mark

    @contextmanager
    def acquire(self, sources: Sequence[Path | Snapshot | None]) -> Iterator[tuple[str | None, ...]]:
        """Load adapters and keep them loaded for as long as the context lasts.

        Args:
            sources: As for :meth:`load`; None stands for the base.

        Yields:
            Names for :meth:`forward`, one a source.

        Raises:
            ModelError: As in :meth:`load`.
        """
        held: list[_Slot] = []
        names: list[str | None] = []
        try:
            for source in sources:
                with self.lock:
                    names.append(None if source is None else self.load(source))
                    if names[-1] is not None:
                        held.append(self._slots[names[-1]])
                        held[-1].users += 1
            yield tuple(names)
        finally:
            with self.lock:
                for slot in held:
                    slot.users -= 1

    @torch.no_grad()
    def forward(self, adapters: Sequence[str | None], **inputs: Any) -> Any:
        """Call the model with an adapter of its own for each row.

        Args:
            adapters: Names from :meth:`load`, one a row of the batch; None is the base.
            inputs: As the base's own forward takes them; ``input_ids`` has shape (rows, length).

        Returns:
            What the base's forward returns.

        Raises:
            ModelError: An adapter is not loaded.
        """
        with self.assigned(adapters):
            return self.model(**inputs)

    def step(
        self,
        adapters: Sequence[str | None],
        cache: Any,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
    ) -> torch.Tensor | None:
        """Append a token to each row by a step made for the processor; arguments and result as CpuStep.step has them.

        Raises:
            ModelError: An adapter is not loaded.
        """
        with self.assigned(adapters):
            return self.cpu_step.step(adapters, cache, tokens, mask, positions)

    @contextmanager
    def assigned(self, adapters: Sequence[str | None]) -> Iterator[None]:
        """Let the rows of a batch be answered by these adapters, and by nobody else meanwhile.

        Args:
            adapters: As for :meth:`forward`.

        Raises:
            ModelError: An adapter is not loaded.
        """
        with self.lock:
            if any(name is not None and name not in self._slots for name in adapters):
                raise ModelError("That adapter is no longer loaded.", "Ask again.")
            assignment = RowAssignment.of(adapters, self.device)
            self.assignment.rows, self.assignment.places = assignment.rows, assignment.places
            try:
                yield
            finally:
                self.assignment.rows, self.assignment.places = 0, ()

    def _check_fit(self, pairs: Mapping[str, LoraPair], called: str) -> None:
        """Compare every weight with the layer it is meant for, before anything is changed."""
        for name, pair in pairs.items():
            layer = self._linear.get(name)
            if layer is None:
                raise ModelError(
                    f"{called} does not fit this base model, which has no linear layer {name[-80:]}.", _OTHER_BASE
                )
            wanted, there = (pair.down.shape[1], pair.up.shape[0]), (layer.in_features, layer.out_features)
            if wanted != there:
                raise ModelError(
                    f"{called} does not fit this base model: its {name[-80:]} goes from {wanted[0]} to {wanted[1]}, "
                    f"the base's from {there[0]} to {there[1]}.",
                    _OTHER_BASE,
                )
            if _EXPERTS.search(name):
                raise ModelError(
                    f"{called} adapts single experts, which cannot answer side by side with the base.", ANOTHER_ADAPTER
                )

    def _free_name(self) -> str:
        if len(self._slots) >= self._capacity:
            idle = next((name for name, slot in self._slots.items() if not slot.users), None)
            if idle is None:
                raise ModelError(
                    f"All {self._capacity} places for adapters are in use.", "Compare fewer adapters at a time."
                )
            self._drop([idle])
        return next(name for n in range(self._capacity) if (name := f"slot{n}") not in self._slots)

    def _install(self, name: str, pairs: Mapping[str, LoraPair], adapter: Adapter) -> None:
        """Bring the weights to the base's device first, so that nothing is half done when memory runs out."""
        ready = {
            where: _on_device(pair, self.device, adapter.config.scale(where, pair.down.shape[0]))
            for where, pair in pairs.items()
        }
        for where, weights in ready.items():
            self.adapted_layer(where).slots[name] = weights

    def packed_layers(self) -> dict[str, Any]:
        """Return the base's 4-bit layers by name."""
        from bitsandbytes.nn import Linear4bit

        return {name: layer for name, layer in self._linear.items() if isinstance(layer, Linear4bit)}

    def layers_of(self, name: str) -> frozenset[str]:
        """Return where a loaded adapter has weights."""
        return frozenset(self._slots[name].layers)

    def linear_layer(self, where: str) -> Any:
        """Return the base's own linear layer of that name."""
        return self._linear[where]

    def weights_at(self, where: str, name: str) -> LoraWeights | None:
        """Return a loaded adapter's part of a linear layer; None where it has none there."""
        adapted = self._adapted.get(where)
        return None if adapted is None else adapted.slots.get(name)

    def adapted_layer(self, where: str) -> AdaptedLinear:
        """Return the stand-in for a linear layer, put there if it is not yet."""
        if where not in self._adapted:
            parent, _, child = where.rpartition(".")
            self._adapted[where] = AdaptedLinear(self._linear[where], self.assignment)
            setattr(self.model.get_submodule(parent), child, self._adapted[where])
        return self._adapted[where]

    def reader(self, name: str | None) -> Hashable:
        """Return what tells the weights behind a name from all that were ever behind it; None is the base.

        Raises:
            ModelError: The adapter is not loaded.
        """
        with self.lock:
            if name is None:
                return None
            if name not in self._slots:
                raise ModelError("That adapter is no longer loaded.", "Ask again.")
            return self._slots[name]

    def knows(self, reader: Hashable) -> bool:
        """Whether weights, as from :meth:`reader`, are still loaded."""
        with self.lock:
            return reader is None or any(slot is reader for slot in self._slots.values())

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            slot = self._slots.pop(name)
            self.prefixes.forget(slot)
            self.cpu_step.forget()
            for where in slot.layers:
                del self._adapted[where].slots[name]


def _replaces(newer: Path | Snapshot, older: Path | Snapshot) -> bool:
    """Whether nobody will ask for ``older`` again once ``newer`` is there."""
    if isinstance(newer, Snapshot):
        return isinstance(older, Snapshot) and older.run == newer.run
    return newer == older


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        seen = [file.stat() for file in (weights_file(path), path / CONFIG)]
    except OSError as error:
        raise _gone(path) from error
    return tuple(value for stat in seen for value in (stat.st_mtime_ns, stat.st_size))


def _read(path: Path) -> Adapter:
    try:
        return read_adapter(path)
    except OSError as error:
        raise _gone(path) from error


def _gone(path: Path) -> ModelError:
    return ModelError(f"The adapter {path.name} is not here any more.", "Pick another one from the list.")


def _with_biases(adapter: Adapter, linear: Mapping[str, Any]) -> dict[str, LoraPair]:
    """Turn trained biases of the base into biases of the adapter: what was added, divided by the scale.

    Raises:
        ModelError: A bias belongs to a layer that cannot carry an adapter, such as a norm.
    """
    pairs = dict(adapter.layers)
    for name, trained in adapter.base_biases.items():
        base: torch.Tensor | None = getattr(linear.get(name), "bias", None)
        if base is None or base.shape != trained.shape:
            raise ModelError(
                f"The adapter changes the bias of {name[-80:]}, which cannot be done side by side with the base.",
                "Train it again with bias set to none.",
            )
        added = trained.float() - base.detach().cpu().float()
        if not added.any():
            continue
        pair = pairs.get(name) or _empty_pair(linear[name])
        added = added / adapter.config.scale(name, pair.down.shape[0])
        pairs[name] = LoraPair(pair.down, pair.up, added if pair.bias is None else pair.bias.float() + added)
    return pairs


def _empty_pair(layer: Any) -> LoraPair:
    return LoraPair(
        torch.zeros(1, layer.in_features, dtype=torch.float32), torch.zeros(layer.out_features, 1, dtype=torch.float32)
    )


def _on_device(pair: LoraPair, device: torch.device, scale: float) -> LoraWeights:
    def ready(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(device, torch.float32, copy=True)  # a copy, since the file may be mapped into memory

    return LoraWeights(ready(pair.down), ready(pair.up), None if pair.bias is None else ready(pair.bias), scale)
