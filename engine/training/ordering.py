"""The order of the examples in each epoch, a function of the seed and the epoch alone.

transformers' sampler by length draws from torch's global random state, so that a run resumed in the middle of an epoch
would see other batches than one that was not.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

WINDOW = 50
"""Batches within which similar lengths are put together, as in transformers' LengthGroupedSampler."""


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
        window = WINDOW * self.batch_size
        for start in range(0, len(order), window):
            near = sorted(order[start : start + window], key=lambda index: -self.lengths[index])
            for begin in range(0, len(near), self.batch_size):
                yield near[begin : begin + self.batch_size]
