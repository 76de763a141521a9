"""Answers token by token: many questions through one batch, whose free places are taken by whoever waits.

Each row is a prompt and the adapter that answers it (or the base), with its own settings and its own chance. What a row
says depends neither on who is answered beside it nor on when it joined. The module knows token ids, not texts.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from engine.chat.batch import Batch, DecodingBatch, most_rows
from engine.chat.prefill import Row
from engine.chat.records import Sampling, StoppedBy
from engine.chat.sampling import RowSampler, pick

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.chat.cuda_graphs.captured_step import CapturedStep

__all__ = ["ContinuousBatch", "Request", "Row", "RowState", "Sampling", "decode"]


@dataclass(frozen=True, slots=True)
class RowState:
    """How far a row is."""

    tokens: tuple[int, ...]
    """The answer so far, without the token that ended it."""
    done: bool = False
    stopped_by: StoppedBy | None = None
    """None while it is being written."""


@dataclass(eq=False, slots=True)
class Request:
    """A row that waits for its answer, or is getting it."""

    row: Row
    sampling: Sampling
    stop_ids: Collection[int]
    """Tokens that end the answer."""
    talks_on: bool = False
    """Whether a next turn is likely, so that what was read is kept for it."""
    state: RowState = RowState(())
    sampler: RowSampler = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = RowSampler(self.sampling, self.row.prompt)

    @property
    def longest(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.row.prompt) + self.sampling.max_new_tokens

    def say(self, token: int) -> None:
        """Add a token to the answer, or end it."""
        if token in self.stop_ids:
            self.end("end")
            return
        self.state = RowState((*self.state.tokens, token))
        if len(self.state.tokens) >= self.sampling.max_new_tokens:
            self.end("length")

    def end(self, why: StoppedBy) -> None:
        """End the answer where it is."""
        if not self.state.done:
            self.state = RowState(self.state.tokens, True, why)


class ContinuousBatch:
    """Requests that are answered together; one that has ended makes room for the next.

    Args:
        bank: The base and its adapters.
        pad_id: Fills what is shorter than the rest.
        rows: The most rows at a time; None is what memory has room for.
    """

    def __init__(self, bank: "AdapterBank", pad_id: int, rows: int | None = None) -> None:
        self._bank, self._pad_id, self._most = bank, pad_id, rows
        self._waiting: deque[Request] = deque()
        self._open: list[Request] = []
        self._batch: Batch | None = None
        self._recorded: CapturedStep | None = None
        self._scores: torch.Tensor | None = None
        """Of the step after the last token, where it was begun ahead; a row each of ``_open``."""

    def add(self, requests: Sequence[Request]) -> None:
        """Let requests wait for their place, in this order."""
        self._waiting.extend(requests)

    def advance(self) -> bool:
        """Write one token of every answer that has a place, once those who wait have taken what is free.

        Returns:
            Whether there is more to do.
        """
        self._clear()
        scores = [] if not self._open else [self._step()]
        joining = self._admitted()
        if joining:
            assert self._batch is not None
            scores.append(self._batch.prefill([request.row for request in joining]))
            self._open += joining
        if not self._open:
            return False
        tokens = pick(torch.cat(scores), [request.sampler for request in self._open])
        for request, token in zip(self._open, tokens, strict=True):
            request.say(token)
        self._clear()
        if self._open and self._batch is not None and self._batch.is_recorded:
            self._scores = self._step()  # a recorded step runs on while the words of this one are written
        return bool(self._open or self._waiting)

    def close(self) -> None:
        """Let go of the batch's memory; nobody is answered any more."""
        self._waiting.clear()
        self._open.clear()
        self._leave()

    def _step(self) -> torch.Tensor:
        if self._scores is not None:
            scores, self._scores = self._scores, None
            return scores
        assert self._batch is not None
        return self._batch.step([request.state.tokens[-1] for request in self._open])

    def _admitted(self) -> list[Request]:
        """Take those from the line for whom there is room, and open a batch where there is none."""
        self._waiting = deque(request for request in self._waiting if not request.state.done)
        if self._waiting and self._batch is None:
            self._open_batch()
        joining: list[Request] = []
        while self._waiting and self._batch is not None:
            first = self._waiting[0]
            if not self._batch.room(first.row, first.longest, len(joining)):
                break
            joining.append(self._waiting.popleft())
        return joining

    def _open_batch(self) -> None:
        longest = max(request.longest for request in self._waiting)
        most = self._most or most_rows(self._bank, longest)
        first = [request.row.adapter for request in self._waiting][:most]
        self._recorded = self._bank.recordings.acquire(first, longest)
        if self._recorded is None:
            self._batch = DecodingBatch(self._bank, self._pad_id, most)
        else:
            from engine.chat.cuda_graphs.recorded_batch import RecordedBatch

            self._batch = RecordedBatch(self._bank, self._pad_id, self._recorded)

    def _clear(self) -> None:
        """Take the rows out whose answers have ended."""
        ended = [place for place, request in enumerate(self._open) if request.state.done]
        if not ended or self._batch is None:
            return
        left = [place for place in range(len(self._open)) if place not in ended]
        if self._scores is not None:
            self._scores = self._scores[left]
        self._batch.remove(ended, [place for place in ended if self._open[place].talks_on])
        self._open = [self._open[place] for place in left]
        if not left:
            self._leave()

    def _leave(self) -> None:
        self._batch, self._scores = None, None
        if self._recorded is not None:
            recorded, self._recorded = self._recorded, None
            self._bank.recordings.release(recorded)


def decode(
    bank: "AdapterBank",
    rows: Sequence[Row],
    sampling: Sampling,
    stop_ids: Collection[int],
    pad_id: int,
    should_stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
) -> Iterator[tuple[RowState, ...]]:
    """Answer all rows.

    Args:
        bank: The base and its adapters.
        rows: At least one.
        sampling: How tokens are chosen, the same for all rows.
        stop_ids: Tokens that end an answer.
        pad_id: Fills the shorter prompts.
        should_stop: Looked at before every step; once it is true, the open rows end as 'cancelled'.
        most: The most rows at a time; None is what memory has room for.

    Yields:
        The state of every row after each step; all are done in the last one.
    """
    if not rows or not all(row.prompt for row in rows):
        raise ValueError("a batch needs at least one row, and every row a prompt")
    requests = [Request(row, sampling, stop_ids) for row in rows]
    batch = ContinuousBatch(bank, pad_id, most)
    batch.add(requests)
    try:
        goes_on = True
        while goes_on:
            if should_stop():
                for request in requests:
                    request.end("cancelled")
                yield tuple(request.state for request in requests)
                return
            goes_on = batch.advance()
            yield tuple(request.state for request in requests)
    finally:
        batch.close()
