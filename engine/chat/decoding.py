"""Several voices answer in one batch, token by token.

Each row of the batch is a prompt and the adapter that answers it (or the base). All rows go through the base's 4-bit
layers together: on the CPU reading them, on a GPU launching their kernels costs most of a step, and it is paid once for
all voices. The module knows token ids, not texts.
"""

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from engine.chat.adapters import AdapterBank
from engine.chat.records import Sampling, StoppedBy
from engine.chat.sampling import Sampler

if TYPE_CHECKING:
    from engine.chat.cuda_graphs.captured_step import CapturedStep

__all__ = ["DecodingBatch", "Row", "RowState", "Sampling", "decode"]


@dataclass(frozen=True, slots=True)
class Row:
    """One voice: what it is asked, and who it is."""

    prompt: tuple[int, ...]
    """Token ids, at least one."""
    adapter: str | None
    """A name from :meth:`engine.chat.adapters.AdapterBank.load`; None is the base."""


@dataclass(frozen=True, slots=True)
class RowState:
    """How far a row is."""

    tokens: tuple[int, ...]
    """The answer so far, without the token that ended it."""
    done: bool = False
    stopped_by: StoppedBy | None = None
    """None while it is being written."""


def decode(
    bank: AdapterBank,
    rows: Sequence[Row],
    sampling: Sampling,
    stop_ids: Collection[int],
    pad_id: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[RowState, ...]]:
    """Answer all rows in one batch.

    Args:
        bank: The base and its adapters.
        rows: At least one.
        sampling: How tokens are chosen, the same for all rows.
        stop_ids: Tokens that end an answer.
        pad_id: Fills the shorter prompts, and rows that have ended.
        should_stop: Looked at before every step; once it is true, the open rows end as 'cancelled'.

    Yields:
        The state of every row after each step; all are done in the last one.
    """
    length = max((len(row.prompt) for row in rows), default=0) + sampling.max_new_tokens
    with bank.recordings.acquire([row.adapter for row in rows], length) as recorded:
        batch = RecordedBatch(bank, rows, pad_id, recorded) if recorded else DecodingBatch(bank, rows, pad_id)
        yield from _decode(batch, Sampler(sampling, len(rows)), len(rows), sampling, stop_ids, pad_id, should_stop)


def _decode(
    batch: "DecodingBatch",
    sampler: Sampler,
    rows: int,
    sampling: Sampling,
    stop_ids: Collection[int],
    pad_id: int,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[RowState, ...]]:
    states = tuple(RowState(()) for _ in range(rows))
    scores: torch.Tensor | None = None
    fed: list[int] = []
    while not all(state.done for state in states):
        if should_stop():
            yield tuple(state if state.done else RowState(state.tokens, True, "cancelled") for state in states)
            return
        if scores is None:
            scores = batch.step(fed) if fed else batch.prefill()
        drawn = sampler.pick(scores)
        states = tuple(
            state if state.done else _extended(state, token, sampling.max_new_tokens, stop_ids)
            for state, token in zip(states, drawn, strict=True)
        )
        fed = [pad_id if state.done else token for state, token in zip(states, drawn, strict=True)]
        # a recorded step runs on while the words of this one are written
        runs_on = batch.is_recorded and not all(state.done for state in states)
        scores = batch.step(fed) if runs_on else None
        yield states


def _extended(state: RowState, token: int, longest: int, stop_ids: Collection[int]) -> RowState:
    if token in stop_ids:
        return RowState(state.tokens, True, "end")
    tokens = (*state.tokens, token)
    return RowState(tokens, True, "length") if len(tokens) >= longest else RowState(tokens)


class DecodingBatch:
    """The model's side of a batch: left-padded prompts, mask, positions and cache.

    A row that has ended keeps its place and is fed padding, so that shapes change only by one column a step.

    Args:
        bank: The base and its adapters.
        rows: At least one.
        pad_id: Fills the shorter prompts on the left.
    """

    def __init__(self, bank: AdapterBank, rows: Sequence[Row], pad_id: int) -> None:
        if not rows or not all(row.prompt for row in rows):
            raise ValueError("a batch needs at least one row, and every row a prompt")
        self._bank = bank
        self._adapters = tuple(row.adapter for row in rows)
        longest = max(len(row.prompt) for row in rows)
        padded = [[pad_id] * (longest - len(row.prompt)) + list(row.prompt) for row in rows]
        attended = [[0] * (longest - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
        self._prompts = torch.tensor(padded, device=bank.device)
        self._mask = torch.tensor(attended, device=bank.device)
        self._positions = (self._mask.cumsum(-1) - 1).clamp(min=0)
        self._cache: Any = None
        self._options = _options(bank.model)

    @property
    def is_recorded(self) -> bool:
        """Whether a step returns before the GPU has computed it."""
        return False

    def prefill(self) -> torch.Tensor:
        """Read the prompts; return the scores of the first token, shape (rows, vocabulary)."""
        return self._forward(self._prompts)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to every row; return the scores of the next one, shape (rows, vocabulary)."""
        self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        self._positions = self._positions[:, -1:] + 1
        return self._forward(torch.tensor(tokens, device=self._mask.device).unsqueeze(-1))

    def _forward(self, ids: torch.Tensor) -> torch.Tensor:
        optional = {"position_ids": self._positions, "logits_to_keep": 1}
        out = self._bank.forward(
            self._adapters,
            input_ids=ids,
            attention_mask=self._mask,
            past_key_values=self._cache,
            use_cache=True,
            **{name: value for name, value in optional.items() if name in self._options},
        )
        self._cache = out.past_key_values
        scores: torch.Tensor = out.logits[:, -1]
        return scores


class RecordedBatch(DecodingBatch):
    """A batch whose steps are replayed from a recording; its prompts are read as any other's.

    Args:
        bank: The base and its adapters.
        rows: At least one; the recording may have more, which are fed padding.
        pad_id: Fills the shorter prompts on the left.
        recorded: Lent for this batch, and begun.
    """

    def __init__(self, bank: AdapterBank, rows: Sequence[Row], pad_id: int, recorded: "CapturedStep") -> None:
        empty = [Row((pad_id,), None)] * (recorded.rows - len(rows))
        super().__init__(bank, [*rows, *empty], pad_id)
        self._rows, self._pad_id = len(rows), pad_id
        self._cache = recorded.cache
        self._recorded: CapturedStep | None = recorded

    @property
    def is_recorded(self) -> bool:
        """Whether a step returns before the GPU has computed it; not where the recording failed."""
        return self._recorded is not None

    def prefill(self) -> torch.Tensor:
        """Read the prompts; return the scores of the first token, shape (rows, vocabulary)."""
        scores = super().prefill()
        assert self._recorded is not None
        self._recorded.after_prompts(self._mask)
        return scores[: self._rows]

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to every row; return the scores of the next one, shape (rows, vocabulary)."""
        tokens = [*tokens, *[self._pad_id] * (self._mask.shape[0] - self._rows)]
        if self._recorded is not None:
            try:
                with self._bank.assigned(self._adapters):
                    return self._recorded.step(tokens)[: self._rows]
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # of a compiler, a driver, a model that is not what it seems: go on without
                self._recorded = None
                self._bank.recordings.refuse(error)
                for layer in self._cache.layers:
                    layer.cumulative_length.fill_(self._mask.shape[1])
        return super().step(tokens)[: self._rows]


def _options(model: Any) -> frozenset[str]:
    """The names of what the base's forward takes; position_ids and logits_to_keep are not known to every model."""
    return frozenset(inspect.signature(model.forward).parameters)
