"""The index of a data set's training side: one file beside its conversations, of use as long as they do not change.

    lookup.npz   BM25 scores of every word in every ticket (bm25s), the words, the lines of train.jsonl, a sketch and a
                 customer's number of each ticket; masked text only, as in train.jsonl; mode 0600

Held-out tickets are never in it. It says which train.jsonl it was made of, and counts as none when that has changed.
How it is made, :mod:`engine.tickets.lookup.building` knows; how tickets are ranked with it, ranking.py.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from engine.tickets.dataset.files import LOOKUP, TRAIN
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.words import stop_words
from engine.workspace import disk_errors, private_file

if TYPE_CHECKING:
    import numpy as np
    from bm25s import BM25
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

VERSION = 1
K1, B = 1.2, 0.75
"""BM25's constants as Lucene has them; on the sample shop others between 0.6 and 2 and 0.3 and 0.75 found no more."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of the tickets of an index, one row a ticket, in the order of train.jsonl."""

    offsets: NDArray[np.int64]
    """Where each line begins, and the end of the last: one more than there are tickets."""
    keys: NDArray[np.uint64]
    customers: NDArray[np.int32]
    sketches: NDArray[np.uint32]
    """Shape (tickets, PERMUTATIONS); zeros where a ticket has none."""


class OutdatedError(Exception):
    """The conversations have changed since the index was opened: open it again."""


class TicketIndex:
    """An index, opened. It keeps no file open, so that edits can replace what it was made of.

    Args:
        folder: The folder of the data set.
        stamp: Which state of train.jsonl it was made of.
        scores: bm25s's retriever.
        columns: One row a ticket.
        languages: Whose stop words are left out.
        threshold: Below this score nothing counts as near.
        why: How the threshold was chosen, in words.
    """

    def __init__(
        self,
        folder: Path,
        stamp: Sequence[int],
        scores: BM25,
        columns: Columns,
        languages: tuple[str, ...],
        threshold: float = 0.0,
        why: str = "",
    ) -> None:
        self.folder = folder
        self.stamp = tuple(stamp)
        self.scores = scores
        self.columns = columns
        self.languages = languages
        self.stop = stop_words(languages)
        self.threshold = threshold
        self.why = why

    def __len__(self) -> int:
        return len(self.columns.keys)

    @property
    def is_current(self) -> bool:
        """Whether the conversations are still those that it was made of."""
        try:
            with (self.folder / TRAIN).open("rb") as stream:
                return stamp_of(stream) == self.stamp
        except OSError:
            return False

    def entries(self, rows: Iterable[int]) -> list[StoredConversation]:
        """Return tickets by their rows.

        Raises:
            OutdatedError: The conversations have changed.
            ResourceError: They cannot be read.
        """
        ends = self.columns.offsets
        found = []
        with disk_errors(self.folder), (self.folder / TRAIN).open("rb") as stream:
            if stamp_of(stream) != self.stamp:
                raise OutdatedError
            for row in rows:
                stream.seek(int(ends[row]))
                found.append(StoredConversation.of_line(stream.read(int(ends[row + 1] - ends[row])), TRAIN, row + 1))
        return found

    def save(self) -> None:
        """Write it beside the conversations, atomically.

        Raises:
            ResourceError: The disk is full or cannot be written.
        """
        import numpy as np

        about = {
            "version": VERSION,
            "train": self.stamp,
            "languages": self.languages,
            "threshold": self.threshold,
            "why": self.why,
        }
        words = "\n".join(self.scores.vocab_dict).encode("utf-8", "surrogatepass")
        scores = self.scores.scores
        temporary = self.folder / f".{LOOKUP}.{os.getpid()}.{time.time_ns()}"
        with disk_errors(self.folder):
            try:
                with private_file(temporary) as file:
                    np.savez(
                        file,
                        about=np.frombuffer(orjson.dumps(about), dtype=np.uint8),
                        words=np.frombuffer(words, dtype=np.uint8),
                        **{name: scores[name] for name in ("data", "indices", "indptr")},
                        offsets=self.columns.offsets,
                        keys=self.columns.keys,
                        customers=self.columns.customers,
                        sketches=self.columns.sketches,
                    )
                temporary.replace(self.folder / LOOKUP)
            finally:
                temporary.unlink(missing_ok=True)


def open_index(folder: Path) -> TicketIndex | None:
    """Open the index of a data set; None where it has none, or one of other conversations or of another version."""
    import numpy as np

    try:
        with np.load(folder / LOOKUP, allow_pickle=False) as saved:
            about = orjson.loads(saved["about"].tobytes())
            if about["version"] != VERSION:
                return None
            columns = Columns(*(saved[name] for name in ("offsets", "keys", "customers", "sketches")))
            words = saved["words"].tobytes().decode("utf-8", "surrogatepass").split("\n")
            parts = {name: saved[name] for name in ("data", "indices", "indptr")}
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged file: numpy and zipfile raise what they like
        log.warning("%s of %s cannot be read and is made again: %s", LOOKUP, folder, error)
        return None
    scores = retriever(words if words != [""] else [], parts, len(columns.keys))
    rest = tuple(about["languages"]), about["threshold"], about["why"]
    index = TicketIndex(folder, about["train"], scores, columns, *rest)
    return index if index.is_current else None


def stamp_of(stream: IO[bytes]) -> tuple[int, int]:
    """Return what tells one state of a file from another: bytes, and when it was written, in nanoseconds."""
    status = os.fstat(stream.fileno())
    return status.st_size, status.st_mtime_ns


def retriever(words: list[str], parts: Mapping[str, Any], tickets: int) -> BM25:
    """Give bm25s what it has computed before, as its own ``load`` does from several files."""
    from bm25s import BM25

    bm25 = BM25(k1=K1, b=B, method="lucene")
    bm25.scores = {**parts, "num_docs": tickets}
    bm25.vocab_dict = {word: number for number, word in enumerate(words)}
    bm25.nonoccurrence_array = None  # of other ways to score than Lucene's
    return bm25
