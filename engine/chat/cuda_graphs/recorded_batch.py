"""RecordedBatch: a batch whose steps are replayed from a recording; its prompts are read as any other's."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch

from engine.chat.batch import DecodingBatch, ReadTokens, keep_read
from engine.chat.cuda_graphs.recordings import rank_of
from engine.chat.prefill import Row, read_prompts

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.chat.cuda_graphs.captured_step import CapturedStep


class RecordedBatch:
    """A :class:`engine.chat.batch.Batch` over a recording, whose number of rows and positions is fixed.

    Args:
        bank: The base and its adapters.
        pad_id: Fills the shorter prompts on the left, and empty places.
        recorded: Lent for this batch, and empty.
    """

    def __init__(self, bank: "AdapterBank", pad_id: int, recorded: "CapturedStep") -> None:
        self._bank, self._pad_id, self._recorded = bank, pad_id, recorded
        self._places: list[int] = []
        """Where each row is computed."""
        self._adapters: list[str | None] = [None] * recorded.rows
        """Who answers, or answered last, at each place."""
        self._read: list[ReadTokens] = []
        self._step_by_step: DecodingBatch | None = None
        """Where the rows have gone on, since the recording failed."""

    @property
    def is_recorded(self) -> bool:
        """Whether a step returns before the GPU has computed it; not where the recording failed."""
        return self._step_by_step is None

    def room(self, row: Row, longest: int, beside: int) -> bool:
        """Whether a row may join now."""
        if self._step_by_step is not None:
            return self._step_by_step.room(row, longest, beside)
        if len(self._places) + beside >= self._recorded.rows or longest > self._recorded.length:
            return False
        weights = self._bank.recordings.weights(row.adapter)
        return weights is not None and rank_of(weights) <= self._recorded.most_ranks

    def prefill(self, rows: Sequence[Row]) -> torch.Tensor:
        """Let rows join behind the others, and read their prompts."""
        if self._step_by_step is not None:
            return self._step_by_step.prefill(rows)
        read, scores = read_prompts(self._bank, rows, self._pad_id)
        places = [self._take(row.adapter) for row in rows]
        weights = [self._bank.recordings.weights(row.adapter) or [] for row in rows]
        with self._bank.lock:
            self._recorded.insert(read, places, weights)
        self._read += [ReadTokens.of(self._bank, row) for row in rows]
        return scores

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to each row."""
        if self._step_by_step is not None:
            return self._step_by_step.step(tokens)
        fed = [self._pad_id] * self._recorded.rows
        for place, token in zip(self._places, tokens, strict=True):
            fed[place] = token
        try:
            with self._bank.assigned(self._adapters):
                scores = self._recorded.step(fed)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # of a compiler, a driver, a model that is not what it seems: go on without
            self._bank.recordings.refuse(error)
            self._step_by_step = self._gone_on()
            return self._step_by_step.step(tokens)
        for read, token in zip(self._read, tokens, strict=True):
            read.ids.append(token)
        return scores if self._places == list(range(len(fed))) else scores[self._places]

    def remove(self, rows: Collection[int], keep: Collection[int] = ()) -> None:
        """Take rows out."""
        if self._step_by_step is not None:
            self._step_by_step.remove(rows, keep)
            return
        for row in keep:
            place = self._places[row]
            read = self._recorded.rows_read([place], [self._adapters[place]])
            keep_read(self._bank, self._read[row], read, 0)
        self._recorded.remove([self._places[row] for row in rows])
        left = [row for row in range(len(self._places)) if row not in rows]
        self._places, self._read = [self._places[row] for row in left], [self._read[row] for row in left]

    def _take(self, adapter: str | None) -> int:
        """Take a free place, one that the adapter had last where there is any, so that the table stays as it is."""
        free = [place for place in range(self._recorded.rows) if place not in self._places]
        place = next((place for place in free if self._adapters[place] == adapter), free[0])
        self._adapters[place] = adapter
        self._places.append(place)
        return place

    def _gone_on(self) -> DecodingBatch:
        adapters = [self._adapters[place] for place in self._places]
        read = self._recorded.rows_read(self._places, adapters)
        return DecodingBatch(self._bank, self._pad_id, self._recorded.rows, read, self._read)
