"""CpuStep: the next token of every row on the processor, beside transformers' own forward and with the same result.

transformers' modules spend as long on calling each other as on a small model's arithmetic, and read the weights as
float32. Here a step is a list of products (product_code.py) that read the packed values themselves, once for all rows,
with torch's attention between them; keys and values stay in transformers' cache. The first step is compared with the
model's own. What a step does not know (other families, more rows, adapters with biases) is computed by the model.
"""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import torch

from engine.chat.adapted_linear import LoraWeights
from engine.chat.cpu_step.decoder_layers import LayerShape, ModelShape, linear_names, positions_of, rms_norm, shape_of
from engine.chat.cpu_step.grouped_product import GroupedProduct, Scratch
from engine.chat.cpu_step.growing_cache import GrowingLayer
from engine.chat.cpu_step.machine import Lanes, lanes_here
from engine.chat.cpu_step.matrices import Weights, weights_of

if TYPE_CHECKING:
    import threading

log = logging.getLogger(__name__)

MOST_ROWS = 8
"""More rows keep the processor busy with sums; then MKL's products of unpacked weights are as quick."""
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
        self._programs: dict[int, _Program] = {}
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
        weights = self._known_weights()
        if not weights or len(adapters) > MOST_ROWS or not self._fits(adapters, weights.keys(), cache):
            return None
        program = self._program(len(adapters), weights)
        program.assign(adapters, self._bank)
        wanted = None if self._checked else self._own(adapters, copy.deepcopy(cache), tokens, mask, positions)
        scores = program.run(self._growing(cache), tokens, mask, positions)
        self.steps += 1
        if wanted is None:
            return scores
        self._checked = True
        apart = float((scores - wanted).norm() / wanted.norm())
        log.info("a step on the processor differs from the model's own by %.1e", apart)
        if not apart <= TOLERANCE:
            self.refuse(f"a step differs from the model's own by {apart:.1e}")
        return wanted

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
        if self._shape is None:
            return None
        found: dict[str, Weights] = {}
        for group in linear_names(self._shape):
            of_group = [weights_of(self._bank.linear_layer(name)) for name in group]
            if None in of_group or len({each.kind for each in of_group if each}) > 1:
                return None
            found.update((name, each) for name, each in zip(group, of_group, strict=True) if each)
        return found

    def _fits(self, adapters: Sequence[str | None], known: Any, cache: Any) -> bool:
        from transformers import DynamicCache
        from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

        kinds = {type(layer) for layer in cache.layers} if type(cache) is DynamicCache else {None}
        if not kinds <= {DynamicLayer, DynamicSlidingWindowLayer} or not all(
            each.is_initialized for each in cache.layers
        ):
            return False
        for name in {name for name in adapters if name is not None}:
            layers = self._bank.layers_of(name)
            if not layers <= known or any(self._has_bias(where, name) for where in layers):
                return False
        return True

    def _has_bias(self, where: str, name: str) -> bool:
        pair = self._bank.weights_at(where, name)
        return pair is not None and pair.bias is not None

    def _program(self, rows: int, weights: dict[str, Weights]) -> "_Program":
        program = self._programs.get(rows)
        if program is None or program.threads != torch.get_num_threads():
            assert self._shape is not None
            program = self._programs[rows] = _Program(self._bank.model, self._shape, weights, rows, self._lanes)
        return program

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


@dataclass(frozen=True, slots=True)
class _Layer:
    """A decoder layer's products."""

    shape: LayerShape
    qkv: GroupedProduct
    output: GroupedProduct
    gate_up: GroupedProduct
    down: GroupedProduct


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
        self._groups: list[tuple[tuple[str, ...], GroupedProduct]] = []
        self._assigned: tuple[LoraWeights | None, ...] = ()

        def product(names: tuple[str, ...], norm: Any = None, *, adds: bool = False) -> GroupedProduct:
            made = GroupedProduct([weights[name] for name in names], rows, lanes, scratch, norm, adds=adds)
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
        first = self._layers[0]
        self._qkv = torch.empty(rows, first.qkv.out_features)
        self._gate_up = torch.empty(rows, first.gate_up.out_features)
        self._apart = torch.empty(rows, first.output.out_features)

    def assign(self, adapters: Sequence[str | None], bank: SteppedBank) -> None:
        """Let adapters answer, one a row."""
        found = [
            [[bank.weights_at(name, who) if who else None for who in adapters] for name in names]
            for names, _ in self._groups
        ]
        flat = tuple(pair for of_group in found for of_layer in of_group for pair in of_layer)
        if len(flat) == len(self._assigned) and all(a is b for a, b in zip(flat, self._assigned, strict=True)):
            return
        for (_, product), of_group in zip(self._groups, found, strict=True):
            product.assign(of_group)
        self._assigned = flat

    @torch.no_grad()
    def run(
        self, cache: Sequence[GrowingLayer], tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        """Append a token to each row; return the scores of the next, shape (rows, vocabulary)."""
        hidden = self._model.model.embed_tokens(tokens)[:, 0].contiguous()
        turned = positions_of(self._model, self._shape, positions)
        seen = None if bool(mask.all()) else mask.bool()[:, None, None]
        for layer, kept in zip(self._layers, cache, strict=True):
            attended = self._attend(layer, kept, hidden, turned[layer.shape.kind], seen)
            self._add(layer.output, attended, hidden, layer.shape.after_attention)
            gate, up = layer.gate_up.run(hidden, self._gate_up).chunk(2, dim=-1)
            self._add(layer.down, layer.shape.activation(gate).mul_(up), hidden, layer.shape.after_feed_forward)
        scores = self._head.run(hidden, torch.empty(self._rows, self._head.out_features))
        cap = self._shape.softcap
        return scores if cap is None else scores.div_(cap).tanh_().mul_(cap)

    def _add(self, product: GroupedProduct, source: torch.Tensor, hidden: torch.Tensor, norm: Any) -> None:
        if norm is None:
            product.run(source, hidden)
        else:
            hidden.add_(rms_norm(product.run(source, self._apart), norm))

    def _attend(
        self,
        layer: _Layer,
        kept: GrowingLayer,
        hidden: torch.Tensor,
        turned: tuple[torch.Tensor, torch.Tensor],
        seen: torch.Tensor | None,
    ) -> torch.Tensor:
        shape, rows = layer.shape, self._rows
        made = layer.qkv.run(hidden, self._qkv).view(rows, -1, shape.head_size)
        heads, key_heads = shape.heads, shape.key_heads
        if shape.query_norm is not None and shape.key_norm is not None:
            made[:, :heads] = rms_norm(made[:, :heads], shape.query_norm)
            made[:, heads : heads + key_heads] = rms_norm(made[:, heads : heads + key_heads], shape.key_norm)
        _turn(made[:, : heads + key_heads], *turned)
        keys, values = kept.append(made[:, heads:].view(rows, 2, key_heads, -1).transpose(0, 1))
        queries = made[:, :heads].view(rows, key_heads, heads // key_heads, -1)
        mask = None if seen is None else seen[..., -keys.shape[2] :]
        if shape.cap is not None:
            return _capped_attention(queries, keys, values, mask, shape.scale, shape.cap).view(rows, -1)
        attended = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, mask, scale=shape.scale)
        return attended.reshape(rows, -1)


def _capped_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    cap: float,
) -> torch.Tensor:
    """Attend with bounded scores, which torch's own attention cannot (Gemma2)."""
    scores = (queries @ keys.transpose(2, 3)).mul_(scale / cap).tanh_().mul_(cap)
    if mask is not None:
        scores.masked_fill_(~mask, -torch.inf)
    return scores.softmax(-1) @ values


def _turn(values: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> None:
    """Turn queries and keys by their positions, in place.

    Args:
        values: Shape (rows, heads, size); what is beyond the size of the angles stays.
        cosines: Shape (rows, 1, size).
        sines: The same; the first half is negative.
    """
    part = values if values.shape[-1] == cosines.shape[-1] else values[..., : cosines.shape[-1]]
    swapped = part.roll(part.shape[-1] // 2, -1)
    part.mul_(cosines).addcmul_(swapped, sines)
