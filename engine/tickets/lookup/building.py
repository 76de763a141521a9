"""Makes the index of a data set: reads its conversations, lets bm25s score their words, chooses the threshold."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import StudioError
from engine.task import Report
from engine.tickets.dataset.files import REPORT, TRAIN
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.index import K1, B, Columns, TicketIndex, open_index, retriever, stamp_of
from engine.tickets.lookup.question import UNKNOWN, customers_in, key_of, sketch_of
from engine.tickets.lookup.threshold import choose_threshold
from engine.tickets.lookup.words import languages_of, stop_words, words_of
from engine.tickets.preparing.duplicates import PERMUTATIONS
from engine.workspace import disk_errors, read_object

if TYPE_CHECKING:
    import numpy as np
    from bm25s import BM25
    from numpy.typing import NDArray

MAKING = "Making the look-up"
"""What is being done, in words."""


def build_index(
    folder: Path,
    report: Report = lambda *_: None,
    languages: Mapping[str, int] | None = None,
    sketches: Mapping[str, bytes] | None = None,
) -> TicketIndex:
    """Make the index of a data set and write it beside its conversations.

    Args:
        folder: The folder of a data set: train.jsonl, and where they are there heldout.jsonl, report.json (for the
            languages) and customers.json.
        report: Told now and then how far it is; what it raises ends the work.
        languages: Language code -> conversations in it; those of report.json where None.
        sketches: Key of a conversation -> its sketch, where preparing has made them: half of the work otherwise.

    Returns:
        The index, opened.

    Raises:
        StudioError: The conversations are damaged, or the disk is full.
    """
    spoken = languages_of(languages) if languages is not None else _languages(folder)
    with disk_errors(folder), (folder / TRAIN).open("rb") as stream:
        index = TicketIndex(folder, stamp_of(stream), *_indexed(stream, folder, spoken, report, sketches or {}), spoken)
    index.threshold, index.why = choose_threshold(index, folder)
    index.save()
    return index


def index_of(folder: Path, report: Report = lambda *_: None) -> TicketIndex:
    """Open the index of a data set; make it first where it has none that fits.

    Raises:
        StudioError: As :func:`build_index`.
    """
    return open_index(folder) or build_index(folder, report)


def _languages(folder: Path) -> tuple[str, ...]:
    try:
        counts = read_object(folder / REPORT).get("languages")
    except StudioError:
        counts = None
    return languages_of(counts if isinstance(counts, Mapping) and counts else {"en": 1})


class _Numbers(dict[str, int]):
    """Word -> its number, in the order of their first use."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def _indexed(
    stream: IO[bytes], folder: Path, languages: tuple[str, ...], report: Report, prepared: Mapping[str, bytes]
) -> tuple[BM25, Columns]:
    import numpy as np

    stop, numbers = stop_words(languages), _Numbers()
    numbers_of = customers_in(folder)
    tickets: list[NDArray[np.int32]] = []
    offsets, keys, customers, sketches = array("q", [0]), array("Q"), array("i"), list[bytes]()
    for end, entry in _entries(stream, report):
        words = words_of((message.content for message in entry.messages), stop)
        tickets.append(np.fromiter(map(numbers.__getitem__, words), dtype=np.int32, count=len(words)))
        offsets.append(end)
        keys.append(key_of(entry))
        customers.append(numbers_of.get(entry.key, UNKNOWN))
        sketch = prepared[entry.key] if entry.key in prepared else sketch_of(entry)
        sketches.append(sketch or bytes(PERMUTATIONS * 4))
    columns = Columns(
        np.array(offsets, dtype=np.int64),
        np.array(keys, dtype=np.uint64),
        np.array(customers, dtype=np.int32),
        np.frombuffer(b"".join(sketches), dtype=np.uint32).reshape(-1, PERMUTATIONS),
    )
    return _scored(tickets, numbers), columns


def _entries(stream: IO[bytes], report: Report) -> Iterator[tuple[int, StoredConversation]]:
    """Yield every conversation with the place where its line ends."""
    size, place = os.fstat(stream.fileno()).st_size, 0
    stream.seek(0)
    for number, line in enumerate(stream, 1):
        place += len(line)
        yield place, StoredConversation.of_line(line, TRAIN, number)
        if number % 1000 == 0:
            report(MAKING, place / max(1, size))


def _scored(tickets: list[NDArray[np.int32]], numbers: Mapping[str, int]) -> BM25:
    """Let bm25s score every word in every ticket."""
    import numpy as np
    from bm25s import BM25

    words = list(numbers)
    if not words:
        empty = {"data": np.zeros(0, np.float32), "indices": np.zeros(0, np.int32), "indptr": np.zeros(1, np.int32)}
        return retriever(words, empty, len(tickets))
    bm25 = BM25(k1=K1, b=B, method="lucene")
    bm25.index((tickets, dict(numbers)), create_empty_token=False, show_progress=False)
    return bm25
