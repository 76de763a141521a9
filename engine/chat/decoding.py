"""Answers token by token, for all who ask at the same time.

The module knows token ids, not texts, and neither how a step is computed (batch.py) nor who has a place in it
(continuous_batch.py).
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.chat.continuous_batch import ContinuousBatch, Request, RowState
from engine.chat.prefill import Row
from engine.chat.records import Sampling

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.model.base import BaseModel

__all__ = ["Request", "Row", "RowState", "SharedBatch", "batch_of", "decode"]


def batch_of(base: "BaseModel") -> "SharedBatch":
    """Return the one batch of a loaded base, which lives as long as it."""
    return base.companion(_batch_over)


def _batch_over(base: "BaseModel") -> "SharedBatch":
    from engine.chat.adapters import bank_of

    return SharedBatch(bank_of(base), base.chat.pad_id)


class SharedBatch:
    """A batch for all who ask at the same time, each in a thread of its own.

    There is no thread that computes: whoever wants the next token, and finds that nobody has written it yet, computes
    one for all. So an answer that nobody listens to any more holds up no other.

    Args:
        bank: The base and its adapters.
        pad_id: Fills what is shorter than the rest.
        rows: The most rows at a time; None is what memory has room for.
    """

    def __init__(self, bank: "AdapterBank", pad_id: int, rows: int | None = None) -> None:
        self._batch = ContinuousBatch(bank, pad_id, rows)
        self._coming: deque[Request] = deque()
        """Those who have come while a step was being computed. They do not wait for the lock one after the other, each
        of them to read its prompt alone: the next step finds all of them, and reads their prompts together."""
        self._lock = threading.Lock()

    def make_room(self) -> None:
        """Nothing is kept here that is not answered just now."""

    @property
    def bytes(self) -> int:
        """Nothing that lasts: keys and values come and go with the answers."""
        return 0

    def answer(
        self, requests: Sequence[Request], should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[RowState, ...]]:
        """Answer some requests beside those of others.

        Args:
            requests: At least one.
            should_stop: Looked at before every step; once it is true, the open ones end as 'cancelled'.

        Yields:
            The state of every request after each step; all are done in the last one. A request that is dropped
            meanwhile ends as 'cancelled' where it is.

        Raises:
            Exception: What made an answer impossible.
        """
        self._coming.extend(requests)
        try:
            yield from self._states(requests, should_stop)
        finally:
            for request in requests:
                request.dropped = True
            self._tidy()

    def _states(self, requests: Sequence[Request], should_stop: Callable[[], bool]) -> Iterator[tuple[RowState, ...]]:
        told = [request.state for request in requests]
        shown: tuple[RowState, ...] = ()
        while not (shown and all(state.done for state in shown)):
            if should_stop():
                for request in requests:
                    request.dropped = True
            with self._lock:
                is_news = any(request.state is not seen for request, seen in zip(requests, told, strict=True))
                if not is_news and any(request.is_open for request in requests):
                    self._let_in()
                    self._batch.advance()
            failed = next((request.error for request in requests if request.error), None)
            if failed is not None:
                raise failed
            told = [request.state for request in requests]
            shown = tuple(request.told for request in requests)
            yield shown

    def _let_in(self) -> None:
        came = [self._coming.popleft() for _ in range(len(self._coming))]
        if came:
            self._batch.add(came)

    def _tidy(self) -> None:
        """Take the rows out that have ended.

        The garbage collector may call this in a thread that is computing, where waiting for the lock would be for ever:
        whoever has the lock looks again once it has given it back.
        """
        while self._batch.has_ended and self._lock.acquire(blocking=False):
            try:
                self._batch.clear()
            finally:
                self._lock.release()


def decode(
    bank: "AdapterBank",
    rows: Sequence[Row],
    sampling: Sampling,
    stop_ids: Collection[int],
    pad_id: int,
    should_stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
) -> Iterator[tuple[RowState, ...]]:
    """Answer rows in a batch of their own.

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
    yield from SharedBatch(bank, pad_id, most).answer(requests, should_stop)
