"""The order of the examples in each epoch, a function of the seed and the epoch alone; and who of several takes which.

transformers' sampler by length draws from torch's global random state, so that a run resumed in the middle of an epoch
would see other batches than one that was not.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler

from engine.training.data.examples import IGNORED

WINDOW = 50
"""Batches within which similar lengths are put together, at most, as in transformers' LengthGroupedSampler."""
WINDOWS = 4
"""Windows that an epoch has at least, where it has as many batches: with one alone the batches of every epoch would be
the same, since sorting undoes the shuffling."""


class EpochOrder(Sampler[int]):
    """Yields the indices of all examples, shuffled anew in each epoch.

    Args:
        lengths: Tokens of each example.
        batch_size: Examples of one batch.
        seed: The recipe's seed.
        by_length: Whether a batch holds examples of similar length; the batch with the longest then comes first, so
            that a lack of memory shows at once.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, *, by_length: bool) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.by_length = by_length
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0; accelerate calls it before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        if not self.by_length:
            yield from order
            return
        batches = list(self._grouped(order))
        first, *others = sorted(range(len(batches)), key=lambda n: -max(self.lengths[i] for i in batches[n]))
        whole = [n for n in others if len(batches[n]) == self.batch_size]
        short = [n for n in others if len(batches[n]) < self.batch_size]
        shuffled = [whole[n] for n in torch.randperm(len(whole), generator=generator).tolist()]
        for n in [first, *shuffled, *short]:
            yield from batches[n]

    def _grouped(self, order: Sequence[int]) -> Iterator[list[int]]:
        batches = len(order) // self.batch_size
        window = max(1, min(WINDOW, batches // WINDOWS)) * self.batch_size
        for start in range(0, len(order), window):
            near = sorted(order[start : start + window], key=lambda index: -self.lengths[index])
            for begin in range(0, len(near), self.batch_size):
                yield near[begin : begin + self.batch_size]


class RankBatches:
    """Yields the micro-batches of one of several processes; over all of them a step holds the rows it holds on one.

    accelerate's own sharding repeats rows at the end of an epoch so that all processes have as many; here the rest of
    an epoch is dealt out evenly, and a process that gets nothing takes the number after the last row, which stands for
    a row that teaches nothing (:class:`WithBlank`).

    Args:
        sampler: The order of the rows; :class:`EpochOrder`, or any sequence of indices.
        micro_batch: Rows of one batch.
        accumulation: Batches of a step, for each process.
        rank: Which process.
        ranks: How many there are; a step holds ``micro_batch x accumulation x ranks`` rows.
    """

    def __init__(
        self, sampler: EpochOrder | Sequence[int], micro_batch: int, accumulation: int, rank: int, ranks: int
    ) -> None:
        self.sampler = sampler  # by this name accelerate finds the order, to tell it the epoch
        self.batch_size = micro_batch
        self.drop_last = False
        self.accumulation = accumulation
        self.rank = rank
        self.ranks = ranks

    @property
    def _step(self) -> int:
        return self.batch_size * self.accumulation * self.ranks

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self._step)
        return whole * self.accumulation + math.ceil(rest / (self.batch_size * self.ranks))

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self.sampler)
        for start in range(0, len(order), self._step):
            rows = order[start : start + self._step]
            count = math.ceil(len(rows) / (self.batch_size * self.ranks)) * self.ranks
            bounds = [len(rows) * n // count for n in range(count + 1)]
            for n in range(self.rank, count, self.ranks):
                yield rows[bounds[n] : bounds[n + 1]] or [len(order)]


class WithBlank:
    """A data set with one more row at its end, two tokens long, of which nothing is learnt."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        if number < len(self.rows):
            return dict(self.rows[number])
        row = self.rows[0]
        ids = np.asarray(row["input_ids"])[:2]
        blank = {"input_ids": ids, "labels": np.full(len(ids), IGNORED, dtype=np.int64)}
        return {**blank, "seq_lengths": np.array([len(ids)])} if "seq_lengths" in row else blank
