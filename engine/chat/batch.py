"""The model's side of answers: rows that are read, written to token by token, and taken out.

Rows may join and leave between any two steps. A step goes through the base's layers once for all rows: on the CPU
reading the weights, on a GPU launching kernels costs most of it. The module knows token ids, not texts, and not which
token is chosen.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import psutil
import torch

from engine.chat.prefill import Row, forward, new_cache, read_prompts
from engine.chat.row_cache import CachedRows
from engine.hardware import CACHE_SHARE, RECORDED_CACHE_SHARE, free_bytes
from engine.model.streaming.layer_stream import stream_of

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank

MOST_ROWS = 32
"""Rows that are answered at a time, where a step is not recorded; from here on its products cost about what the rows
cost apart."""
STREAMED_ROWS = 256
"""The same for a streamed base: a step takes as long as its layers take to come, however many rows share them."""
ODD_ROWS = 4
"""The same for models whose cache is of a kind that rows cannot join, and of a size that is not known here."""


def most_rows(bank: "AdapterBank", longest: int) -> int:
    """Return how many rows of so many tokens a step that is not recorded may have, at least 1.

    At most as many as pay, and as memory has room for: they are copied when one joins or leaves.
    """
    if new_cache(bank) is None:
        return ODD_ROWS
    most = STREAMED_ROWS if stream_of(bank.model) is not None else MOST_ROWS
    return max(1, min(most, _room(bank, longest, CACHE_SHARE)))


def most_recorded(bank: "AdapterBank", longest: int) -> int:
    """Return how many rows of so many tokens a recorded step may have; 0 where there is none."""
    from engine.chat.cuda_graphs.captured_step import MOST_ROWS as MOST_RECORDED
    from engine.chat.cuda_graphs.captured_step import can_record

    if new_cache(bank) is None or not can_record(bank.model):
        return 0
    return min(MOST_RECORDED, _room(bank, longest, RECORDED_CACHE_SHARE))


def _room(bank: "AdapterBank", longest: int, share: float) -> int:
    """Rows of so many tokens that a share of the free memory holds."""
    from engine.chat.cuda_graphs.captured_step import bytes_of_cache

    free = free_bytes(bank.device) if bank.device.type == "cuda" else psutil.virtual_memory().available
    return int(share * free) // bytes_of_cache(bank.model, 1, longest)


class Batch(Protocol):
    """Rows that are answered together, numbered from 0 in the order in which they came; the later ones move up."""

    @property
    def is_recorded(self) -> bool:
        """Whether a step returns before the GPU has computed it."""

    def room(self, row: Row, longest: int, beside: int) -> bool:
        """Whether a row may join now.

        Args:
            row: Its prompt and its adapter.
            longest: Tokens of its prompt and its longest answer.
            beside: Rows that will join with it.
        """

    def prefill(self, rows: Sequence[Row]) -> torch.Tensor:
        """Let rows join behind the others, and read their prompts.

        Returns:
            The scores of their first tokens, shape (new rows, vocabulary).
        """

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to each row.

        Returns:
            The scores of the next one, shape (rows, vocabulary); may be overwritten by the next step.
        """

    def remove(self, rows: Collection[int], keep: Collection[int] = ()) -> None:
        """Take rows out.

        Args:
            rows: Their numbers.
            keep: Those of them that are likely to be asked again, so that what they have read is kept
                (prefix_cache.py).
        """


@dataclass(frozen=True, slots=True)
class ReadTokens:
    """What a row has in the cache."""

    ids: list[int]
    reader: Hashable
    """The weights that read it (:meth:`engine.chat.adapters.AdapterBank.reader`)."""

    @classmethod
    def of(cls, bank: "AdapterBank", row: Row) -> "ReadTokens":
        """What a row has in the cache once its prompt is read."""
        return cls(list(row.prompt), bank.reader(row.adapter))


def keep_read(bank: "AdapterBank", read: ReadTokens, rows: CachedRows, row: int) -> None:
    """Keep what a row has read for the next turn, unless its adapter has been let go of meanwhile."""
    if bank.knows(read.reader):
        bank.prefixes.keep(read.reader, read.ids, rows, row)


class DecodingBatch:
    """A batch whose steps are the model's own forward, layer by layer.

    Where the model's cache is of a kind that rows cannot join (state space models), rows join an empty batch only, and
    one that has left is fed padding until the last one leaves.

    Args:
        bank: The base and its adapters.
        pad_id: Fills the shorter prompts on the left.
        most_rows: Rows that memory has room for.
        rows: Those that are there already.
        read: What each of them has in the cache.
    """

    def __init__(
        self,
        bank: "AdapterBank",
        pad_id: int,
        most_rows: int,
        rows: CachedRows | None = None,
        read: Sequence[ReadTokens] = (),
    ) -> None:
        self._bank, self._pad_id, self._most_rows = bank, pad_id, most_rows
        self._can_change = new_cache(bank) is not None
        self._rows = rows
        self._places = list(range(len(read)))
        """Where each row lies in the cache."""
        self._read = list(read)

    @property
    def is_recorded(self) -> bool:
        """Whether a step returns before the GPU has computed it."""
        return False

    def room(self, row: Row, longest: int, beside: int) -> bool:
        """Whether a row may join now."""
        may_join = self._rows is None or self._can_change
        return may_join and len(self._places) + beside < self._most_rows

    def prefill(self, rows: Sequence[Row]) -> torch.Tensor:
        """Let rows join behind the others, and read their prompts."""
        joining, scores = read_prompts(self._bank, rows, self._pad_id)
        if self._rows is None:
            self._rows = joining
        else:
            self._rows.join(joining)
        self._places += range(len(self._rows) - len(rows), len(self._rows))
        self._read += [ReadTokens.of(self._bank, row) for row in rows]
        return scores

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append a token to each row."""
        assert self._rows is not None
        fed = [self._pad_id] * len(self._rows)
        for place, read, token in zip(self._places, self._read, tokens, strict=True):
            fed[place] = token
            read.ids.append(token)
        ids = torch.tensor(fed, dtype=torch.long, device=self._bank.device).unsqueeze(-1)
        mask = torch.nn.functional.pad(self._rows.mask, (0, 1), value=1)
        scores = forward(self._bank, self._rows, ids, mask, self._rows.positions)
        return scores if len(fed) == len(tokens) else scores[self._places]

    def remove(self, rows: Collection[int], keep: Collection[int] = ()) -> None:
        """Take rows out."""
        assert self._rows is not None
        if self._can_change:
            for row in keep:
                keep_read(self._bank, self._read[row], self._rows, row)
        left = [row for row in range(len(self._places)) if row not in rows]
        self._places, self._read = [self._places[row] for row in left], [self._read[row] for row in left]
        if not left:
            self._rows = None
        elif self._can_change:
            self._rows.keep(self._places)
            self._places = list(range(len(left)))
