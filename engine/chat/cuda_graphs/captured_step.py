"""CapturedStep: one decoding step, recorded once as a CUDA graph and replayed for every token.

A step of a 7B launches some thousand kernels, and a processor that launches them one by one keeps the GPU waiting nine
tenths of the time. Recorded, they run one after the other. What a recording cannot change is fixed: so many rows, so
long a cache, the same memory. What does change lies in that memory: the tokens, the mask, the adapters' table.

Only where a GPU and Triton are, and only for models whose layers are those that the kernels know; everything else is
decoded step by step (decoding.py), which is also what each recording is compared with before it is used.
"""

import functools
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from engine.chat.adapted_linear import AdaptedLinear, LoraWeights, RowAssignment
from engine.chat.cuda_graphs import attention
from engine.chat.cuda_graphs.slot_table import SlotTable
from engine.hardware import GIB, RECORDED_CACHE_SHARE, builds_kernels, free_bytes
from engine.model.streaming.layer_stream import stream_of

if TYPE_CHECKING:
    from engine.chat.row_cache import CachedRows

log = logging.getLogger(__name__)

MOST_ROWS = 128
"""Rows of one step. 64 questions to two voices of a 7B (H200, torch 2.11): 64 rows at a time take 12.1 ms a step and
write 2,590 tokens/s, reading the questions included; 128 rows 18.9 ms and 2,990."""
MOST_RANKS = 64
LENGTH_STEP = 256
"""Lengths of caches are multiples of this, so that one does for answers of about one length."""
TOLERANCE = 0.15
"""How far a recorded step's scores may be from those of the same step computed one by one, as a share of their size.
Measured on a 7B with an adapter: 0.01; bfloat16 has eight bits, and kernels add up in another order."""


def row_bucket(rows: int) -> int:
    """Return the number of rows that are recorded for so many: a power of two."""
    return 1 << (rows - 1).bit_length()


def can_record(model: Any) -> bool:
    """Whether this computer and this model can have recorded steps; quick."""
    device = next(model.parameters()).device
    if stream_of(model) is not None:  # its layers are in other places in each step
        return False
    if device.type != "cuda" or torch.version.hip is not None or torch.cuda.get_device_capability(device) < (8, 0):
        return False
    return model.dtype is torch.bfloat16 and builds_kernels()


class CapturedStep:
    """See the module.

    Args:
        model: The bank's copy of the base, whose linear layers all are AdaptedLinear.
        groups: Those layers, those that read the same input together; each fits the kernels.
        assignment: Shared with them.
        rows: How many rows, from :func:`row_bucket`.
        length: Positions of the cache, a multiple of :data:`LENGTH_STEP`.
        most_ranks: The largest rank that can be assigned.
    """

    def __init__(
        self,
        model: Any,
        groups: Sequence[Sequence[AdaptedLinear]],
        assignment: RowAssignment,
        rows: int,
        length: int,
        most_ranks: int,
    ) -> None:
        from transformers import StaticCache

        device = next(model.parameters()).device
        self.rows, self.length, self.most_ranks = rows, length, most_ranks
        self.cache = StaticCache(config=model.config, max_cache_len=length)
        self._model, self._groups, self._assignment = model, groups, assignment
        self._table = SlotTable(sum(map(len, groups)), rows, most_ranks, device)
        self._tokens = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self._positions = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self._mask = torch.zeros(rows, 1, 1, length, dtype=torch.bool, device=device)
        self._scores: torch.Tensor | None = None
        self._graph: Any = None
        self._starts: dict[int, int] = {}
        """The first column of each row that is there, by its place."""
        self._filled = 0
        """Columns that are in use; every row ends at the last of them."""
        self._fused: list[Any] = []
        """What the recording reads beside the model: its memory is this step's for as long as it is replayed."""

    def empty(self) -> None:
        """Forget all rows."""
        self.cache.reset()
        self._table.clear()
        self._mask.zero_()
        self._positions.zero_()
        self._starts.clear()
        self._filled = 0

    def insert(
        self, rows: "CachedRows", places: Sequence[int], weights: Sequence[Sequence[LoraWeights | None]]
    ) -> None:
        """Put rows that have been read beside those that are there.

        Args:
            rows: Of at most :attr:`length` columns.
            places: Where each goes: numbers below :attr:`rows` that no row has.
            weights: Who answers each: an adapter's weights for each layer.
        """
        self._table.assign(dict(zip(places, weights, strict=True)))
        for layer, new in zip(self.cache.layers, rows.cache.layers, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(
                    *(each[:1, :, :0].expand(self.rows, -1, -1, -1) for each in (new.keys, new.values))
                )
        self._make_columns(rows.columns)
        where, first = torch.tensor(places, dtype=torch.long, device=self._mask.device), self._filled - rows.columns
        for layer, new in zip(self.cache.layers, rows.cache.layers, strict=True):
            layer.keys[where, :, first : self._filled] = new.keys
            layer.values[where, :, first : self._filled] = new.values
        self._mask[where] = False
        self._mask[where, 0, 0, first : self._filled] = rows.mask.bool()
        self._positions[where] = rows.positions
        starts = (self._filled - rows.positions[:, 0]).tolist()
        self._starts |= zip(places, starts, strict=True)

    def remove(self, places: Sequence[int]) -> None:
        """Free places; they are computed on, and what they say is nobody's."""
        for place in places:
            del self._starts[place]
            self._mask[place] = False

    def rows_read(self, places: Sequence[int], adapters: Sequence[str | None]) -> "CachedRows":
        """Return copies of the rows at some places, for those who keep what has been read.

        Args:
            places: Of rows that are there.
            adapters: Who answers them.
        """
        from transformers import DynamicCache

        from engine.chat.row_cache import CachedRows, fill

        cache, first = DynamicCache(config=self._model.config), min(self._starts[place] for place in places)
        for layer, mine in zip(cache.layers, self.cache.layers, strict=True):
            pairs = [
                tuple(tensor[place : place + 1, :, first : self._filled] for tensor in (mine.keys, mine.values))
                for place in places
            ]
            fill(layer, pairs, self._filled - first)
        mask = self._mask[list(places), 0, 0, first : self._filled].long()
        return CachedRows(cache, mask, list(adapters))

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to each place.

        Args:
            tokens: One a place; that of an empty one does not matter.

        Returns:
            The scores of the next one, shape (rows, vocabulary); overwritten by the next step.
        """
        if self._filled == self.length:
            self._move(-min(self._starts.values()))
        self._tokens.copy_(torch.tensor(tokens, dtype=torch.long).unsqueeze(-1))
        scores = self._computed()
        self._filled += 1
        return scores

    def _computed(self) -> torch.Tensor:
        """Replay the recorded step, recorded now where it is not yet."""
        if self._graph is None:
            self._record()
        self._graph.replay()
        assert self._scores is not None
        return self._scores

    def _make_columns(self, columns: int) -> None:
        """Have at least so many columns in use; as many where no row is there."""
        if not self._starts:
            self._mask.zero_()
            self._filled = 0
        if columns > self._filled:
            self._move(columns - self._filled)

    def _move(self, by: int) -> None:
        """Move all rows by so many columns to the right, or to the left where it is below 0."""
        if self._starts:
            for layer in self.cache.layers:
                layer.keys.copy_(layer.keys.roll(by, 2))
                layer.values.copy_(layer.values.roll(by, 2))
            self._mask.copy_(self._mask.roll(by, 3))
        self._starts = {place: start + by for place, start in self._starts.items()}
        self._filled += by
        self._mask[..., self._filled :] = False
        for layer in self.cache.layers:
            layer.cumulative_length.fill_(self._filled)

    def _record(self) -> None:
        """Compare a step with the same step computed one by one, then record it.

        Raises:
            RuntimeError: They differ by more than rounding.
        """
        self._fuse()
        wanted = self._one_by_one()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            found = self._forward()
            self._undo()
        torch.cuda.current_stream().wait_stream(side)
        apart = float((found.float() - wanted.float()).norm() / wanted.float().norm())
        if not apart <= TOLERANCE:
            raise RuntimeError(f"a recorded step differs from one computed one by one by {apart:.3f}")
        log.info("recorded %d rows over %d positions; scores differ by %.4f", self.rows, self.length, apart)
        graph = torch.cuda.CUDAGraph()
        # 'thread_local': another thread may be training meanwhile, and asks for memory as it likes
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._scores = self._forward()
        self._graph = graph

    def _fuse(self) -> None:
        from engine.chat.cuda_graphs.kernels import FusedGroup

        number = 0
        for layers in self._groups:
            group = FusedGroup([layer.base_layer for layer in layers], self._table.layer(number))
            self._fused.append(group)
            for place, layer in enumerate(layers):
                layer.fused = group.member(place)
            number += len(layers)

    @torch.no_grad()
    def _forward(self, *, recorded: bool = True) -> torch.Tensor:
        filled = self.cache.layers[0].cumulative_length.view(1)
        self._mask.index_fill_(-1, filled, True)
        self._assignment.recorded = recorded
        try:
            with attention.recorded(filled) if recorded else nullcontext():
                scores: torch.Tensor = self._model(
                    input_ids=self._tokens,
                    attention_mask=self._mask,
                    position_ids=self._positions,
                    past_key_values=self.cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits[:, -1]
        finally:
            self._assignment.recorded = False
        self._positions.add_(1)
        return scores

    def _one_by_one(self) -> torch.Tensor:
        """Return the scores of the next step, computed by the layers themselves, and leave the cache as it was.

        The caller has assigned the rows' adapters for them.
        """
        scores = self._forward(recorded=False)
        self._undo()
        return scores

    def _undo(self) -> None:
        """Take a step back; what it wrote is written over by the next."""
        self._positions.sub_(1)
        for layer in self.cache.layers:
            layer.cumulative_length.sub_(1)


def fuse_norms(model: Any, assignment: RowAssignment) -> None:
    """Let root mean square norms be one kernel each in recorded steps, where that computes the same."""
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm") and _is_plain(module):
            module.forward = functools.partial(_norm, module, type(module).forward, assignment)


def _norm(module: Any, one_by_one: Any, assignment: RowAssignment, x: torch.Tensor) -> torch.Tensor:
    if not assignment.recorded:
        return one_by_one(module, x)  # type: ignore[no-any-return]
    from engine.chat.cuda_graphs.kernels import rms_norm

    return rms_norm(x, module.weight, module.variance_epsilon)


@torch.no_grad()
def _is_plain(module: Any) -> bool:
    """Whether a norm is weight * x / rms(x), which its name does not tell (Gemma's adds one to the weight)."""
    from engine.chat.cuda_graphs.kernels import rms_norm

    weight = getattr(module, "weight", None)
    if weight is None or not hasattr(module, "variance_epsilon"):
        return False
    x = torch.linspace(-3, 3, weight.shape[0], device=weight.device, dtype=weight.dtype)[None]
    wanted = module(x).float()
    found = rms_norm(x, weight, module.variance_epsilon).float()
    return bool((found - wanted).norm() <= 0.01 * wanted.norm())


def bytes_of_cache(model: Any, rows: int, length: int) -> int:
    """Return the memory that keys and values of so many positions take."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * rows * length * heads * width * model.dtype.itemsize)


def fits_memory(model: Any, rows: int, length: int, device: torch.device) -> bool:
    """Whether a cache of that size leaves enough for everything else."""
    needed = bytes_of_cache(model, rows, length) + GIB // 4
    return needed <= RECORDED_CACHE_SHARE * free_bytes(device)
