"""CpuStep: the next token of every row on the processor, beside transformers' own forward and with the same result.

transformers' modules spend as long on calling each other as on a small model's arithmetic, and read the weights as
float32. Here a step is a list of products (product_code.py) that read the packed values themselves, once for all rows,
with the attention between them (attention_code.py); keys and values stay in transformers' cache. The first step is
compared with the model's own. What a step does not know (other families, more rows, adapters with biases) is computed
by the model.
"""

import copy
import logging
import operator
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import torch

from engine.chat.adapted_linear import LoraWeights
from engine.chat.cpu_step.attention import Sight, StepAttention, lanes_of
from engine.chat.cpu_step.decoder_layers import (
    LayerShape,
    ModelShape,
    Norm,
    linear_names,
    positions_of,
    rms_norm,
    shape_of,
)
from engine.chat.cpu_step.grouped_product import MOST_TOGETHER, GroupedProduct, RowBlocks, Scratch
from engine.chat.cpu_step.growing_cache import GrowingLayer
from engine.chat.cpu_step.machine import Lanes, lanes_here
from engine.chat.cpu_step.matrices import Weights, weights_of

if TYPE_CHECKING:
    import threading

log = logging.getLogger(__name__)

MOST_ROWS = 32
"""As many as a batch has (batch.py). One thread, AVX-512, 42 M values: 11 ms for every 8 rows, where MKL's products of
unpacked values take 45, 42, 52 and 58 ms for 8, 16, 24 and 32."""
KEPT = 3
"""Numbers of rows whose program is kept, with a copy of the adapters that answer in it; made in about 30 ms."""
TOLERANCE = 1e-3
"""How far the first step's scores may be from the model's own, as a share of their size. Sums in another order differ
by 2e-6 (starter model)."""


class SteppedBank(Protocol):
    """Whose steps are computed (adapters.py)."""

    model: Any
    lock: "threading.RLock"

    def layers_of(self, name: str) -> frozenset[str]:
        """The layers that an adapter changes."""

    def weights_at(self, where: str, name: str) -> LoraWeights | None:
        """An adapter's part of a layer."""

    def linear_layer(self, where: str) -> Any:
        """The base's own layer."""

    def reader(self, name: str | None) -> Hashable:
        """What tells an adapter's weights from all others that are or were loaded."""

    def forward(self, adapters: Sequence[str | None], **inputs: Any) -> Any:
        """The model's own forward."""


class CpuStep:
    """See the module.

    Args:
        bank: Its lock is held by whoever calls.
        lanes: Of the vectors; None is what this processor has.
    """

    def __init__(self, bank: SteppedBank, lanes: Lanes | None = None) -> None:
        self._bank, self._wanted = bank, lanes
        self._shape: ModelShape | None = None
        self._weights: dict[str, Weights] | None = None
        """Of every linear layer; None until it has been looked at, empty where the model is not known."""
        self._lanes: Lanes = 16
        self._programs: dict[int, _Program] = {}  # by rows, the least recently used first
        self._caches: WeakKeyDictionary[Any, list[GrowingLayer]] = WeakKeyDictionary()
        self._checked = False
        self.steps = 0
        """How many steps have been computed here, not by the model's own layers."""

    def refuse(self, why: object = "") -> None:
        """Leave all steps to the model itself."""
        log.warning("answers are decoded by the model's own layers: %s", why)
        self._weights = {}
        self._programs.clear()

    def step(
        self,
        adapters: Sequence[str | None],
        cache: Any,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
    ) -> torch.Tensor | None:
        """Append a token to each row.

        Args:
            adapters: A name or None a row, all loaded.
            cache: transformers' DynamicCache of what has been read; grows by a column.
            tokens: Shape (rows, 1).
            mask: Shape (rows, columns with the new one), 1 where there is a token.
            positions: Shape (rows, 1).

        Returns:
            The scores of the next token, shape (rows, vocabulary); None where the model has to compute the step, and
            nothing has been changed.
        """
        if not _can_grow(cache):
            return None
        try:
            program = self._ready(adapters)
        except (RuntimeError, OSError, AssertionError) as error:  # of LLVM on a processor that it does not know
            self.refuse(error)
            return None
        if program is None:
            return None
        self.steps += 1
        if not self._checked:
            return self._first(program, adapters, cache, tokens, mask, positions)
        return program.run(self._growing(cache), tokens, mask, positions)

    @property
    def bytes(self) -> int:
        """Memory that steps are computed from, beside the base's own: scales, the output layer, copies of adapters."""
        weights = sum(each.copied_bytes for each in list((self._weights or {}).values()))
        return weights + sum(program.bytes for program in list(self._programs.values()))

    def forget(self) -> None:
        """Give the memory back that the next step would make anew: copies of adapters, and who is to answer."""
        self._programs.clear()

    def _first(
        self,
        program: "_Program",
        adapters: Sequence[str | None],
        cache: Any,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
    ) -> torch.Tensor:
        """Compare a step with the model's own; where they differ, the model's own is what counts from here on."""
        own = copy.deepcopy(cache)
        wanted = self._own(adapters, own, tokens, mask, positions)
        scores = program.run(self._growing(cache), tokens, mask, positions)
        self._checked = True
        apart = float((scores - wanted).norm() / wanted.norm())
        log.info("a step on the processor differs from the model's own by %.1e", apart)
        if not apart <= TOLERANCE:
            self.refuse(f"a step differs from the model's own by {apart:.1e}")
            for layer, right in zip(cache.layers, own.layers, strict=True):
                layer.keys, layer.values = right.keys, right.values
        return wanted

    def _ready(self, adapters: Sequence[str | None]) -> "_Program | None":
        """The program for these rows, with their adapters; None where there can be none."""
        weights = self._known_weights()
        if not weights or len(adapters) > MOST_ROWS:
            return None
        readers = [self._bank.reader(name) for name in adapters]
        program = self._programs.pop(len(adapters), None)
        if program is not None and program.threads != torch.get_num_threads():
            program = None
        if program is not None and all(map(operator.is_, readers, program.readers)):
            self._programs[len(adapters)] = program
            return program
        if not self._fits(adapters, weights.keys()):
            return None
        if program is None:
            assert self._shape is not None
            program = _Program(self._bank.model, self._shape, weights, len(adapters), self._lanes)
        program.assign(adapters, self._bank)
        program.readers = readers
        self._programs[len(adapters)] = program
        for rows in list(self._programs)[:-KEPT]:
            del self._programs[rows]
        return program

    def _known_weights(self) -> dict[str, Weights]:
        if self._weights is None:
            self._weights = self._found_weights() or {}
        return self._weights

    def _found_weights(self) -> dict[str, Weights] | None:
        model = self._bank.model
        lanes = self._wanted or (lanes_here() if model.device.type == "cpu" else None)
        if lanes is None or model.device.type != "cpu" or model.dtype is not torch.float32:
            return None
        self._lanes, self._shape = lanes, shape_of(model)
        if self._shape is None or any(lanes_of(layer.head_size, lanes) is None for layer in self._shape.layers):
            return None
        weights: dict[str, Weights] = {}
        for group in linear_names(self._shape):
            of_group = [weights_of(self._bank.linear_layer(name)) for name in group]
            if None in of_group or len({each.kind for each in of_group if each}) > 1:
                return None
            weights.update((name, each) for name, each in zip(group, of_group, strict=True) if each)
        return weights

    def _fits(self, adapters: Sequence[str | None], known: Collection[str]) -> bool:
        for name in {name for name in adapters if name is not None}:
            pairs = {where: self._bank.weights_at(where, name) for where in self._bank.layers_of(name)}
            if not pairs.keys() <= set(known) or any(pair is None or pair.bias is not None for pair in pairs.values()):
                return False
        return True

    def _growing(self, cache: Any) -> list[GrowingLayer]:
        growing = self._caches.get(cache)
        if growing is None or not all(layer.is_current() for layer in growing):
            growing = self._caches[cache] = [GrowingLayer(layer) for layer in cache.layers]
        return growing

    def _own(
        self,
        adapters: Sequence[str | None],
        cache: Any,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
    ) -> torch.Tensor:
        out = self._bank.forward(
            adapters,
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        scores: torch.Tensor = out.logits[:, -1]
        return scores


def _can_grow(cache: Any) -> bool:
    """Whether a cache is of the kinds that a column can be appended to, and not empty."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    known = (DynamicLayer, DynamicSlidingWindowLayer)
    return type(cache) is DynamicCache and all(type(each) in known and each.is_initialized for each in cache.layers)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A decoder layer's products."""

    shape: LayerShape
    qkv: GroupedProduct | RowBlocks
    output: GroupedProduct | RowBlocks
    gate_up: GroupedProduct | RowBlocks
    down: GroupedProduct | RowBlocks


class _Room:
    """What a layer's products hand on, the same memory for all layers.

    Args:
        layer: Any of the model's; all have the same widths.
        rows: Of the batch.
    """

    def __init__(self, layer: _Layer, rows: int) -> None:
        shape, width = layer.shape, layer.output.out_features
        self.hidden, self.apart = _room(rows, width), _room(rows, width)
        self.qkv = _room(rows, layer.qkv.out_features)
        self.attended = _room(rows, shape.heads * shape.head_size)
        self.gate_up = _room(rows, layer.gate_up.out_features)
        self.gate, self.up = self.gate_up.chunk(2, dim=-1)


class _Program:
    """The products of all layers for a number of rows, and room for what they hand on.

    Args:
        model: For its embeddings and positions.
        shape: Of it.
        weights: Of every linear layer.
        rows: Of the batch.
        lanes: Of this processor.
    """

    def __init__(self, model: Any, shape: ModelShape, weights: dict[str, Weights], rows: int, lanes: Lanes) -> None:
        self._model, self._shape, self._rows = model, shape, rows
        scratch = Scratch.of(rows, max(each.in_features for each in weights.values()))
        self.threads = scratch.threads
        self.readers: list[Hashable] = [None] * rows
        """Whose weights answer each row: the base's, to begin with."""
        self._groups: list[tuple[tuple[str, ...], GroupedProduct | RowBlocks]] = []

        def product(names: tuple[str, ...], norm: Any = None, *, adds: bool = False) -> GroupedProduct | RowBlocks:
            group = [weights[name] for name in names]

            def of_rows(count: int) -> GroupedProduct:
                return GroupedProduct(group, count, lanes, scratch, norm, adds=adds)

            made = of_rows(rows) if rows <= MOST_TOGETHER else RowBlocks(rows, of_rows)
            self._groups.append((names, made))
            return made

        self._layers = [
            _Layer(
                each,
                product(each.qkv, each.before_attention),
                product((each.output,), adds=each.after_attention is None),
                product(each.gate_up, each.before_feed_forward),
                product((each.down,), adds=each.after_feed_forward is None),
            )
            for each in shape.layers
        ]
        self._head = product((shape.head,), shape.final_norm)
        self._room = room = _Room(self._layers[0], rows)
        self._attentions = [
            StepAttention(each, room.qkv, room.attended, lanes, scratch.threads) for each in shape.layers
        ]
        self._key_heads = max(each.key_heads for each in shape.layers)

    @property
    def bytes(self) -> int:
        """Memory of the copies of adapters."""
        return sum(product.bytes for _, product in self._groups)

    def assign(self, adapters: Sequence[str | None], bank: SteppedBank) -> None:
        """Let adapters answer, one a row."""
        for names, product in self._groups:
            product.assign([[bank.weights_at(name, who) if who else None for who in adapters] for name in names])

    @torch.no_grad()
    def run(
        self, cache: Sequence[GrowingLayer], tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        """Append a token to each row; return the scores of the next, shape (rows, vocabulary)."""
        room = self._room
        room.hidden.copy_(self._model.model.embed_tokens(tokens)[:, 0])
        turned = positions_of(self._model, self._shape, positions)
        sight = Sight(mask, self._key_heads)
        for layer, attention, kept in zip(self._layers, self._attentions, cache, strict=True):
            layer.qkv.run(room.hidden, room.qkv)
            attention.run(kept, turned[layer.shape.kind], sight)
            self._add(layer.output, room.attended, layer.shape.after_attention)
            layer.gate_up.run(room.hidden, room.gate_up)
            self._add(layer.down, layer.shape.activation(room.gate).mul_(room.up), layer.shape.after_feed_forward)
        scores = self._head.run(room.hidden, _room(self._rows, self._head.out_features))
        cap = self._shape.softcap
        return scores if cap is None else scores.div_(cap).tanh_().mul_(cap)

    def _add(self, product: GroupedProduct | RowBlocks, source: torch.Tensor, norm: Norm | None) -> None:
        if norm is None:
            product.run(source, self._room.hidden)
        else:
            self._room.hidden.add_(rms_norm(product.run(source, self._room.apart), norm))


def _room(*shape: int) -> torch.Tensor:
    """Room for results; of a type that is named, as torch's default is whatever a loading model has made it."""
    return torch.empty(*shape, dtype=torch.float32)
