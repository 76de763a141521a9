"""How many training answers state each fact: one file beside the conversations, of use as long as they do not change.

facts.json    {"version", "train", "answers", "counts": {reading: answers}}; masked text only; mode 0600
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from engine.tickets.dataset.files import FACTS, TRAIN
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.index import stamp_of
from engine.tickets.lookup.ranking import answers_of
from engine.verdict.facts.reading import taught_by
from engine.workspace import disk_errors, private_file

log = logging.getLogger(__name__)

VERSION = 1
LEAST = 2
"""Training answers that have to state a fact before an answer may have learnt it: what stands once may be a slip, or
one customer's own."""

Report = Callable[[int, int], None]
"""Told how many bytes of how many are done; what it raises ends the work."""


class FactIndex:
    """The facts of the training answers.

    Args:
        counts: Reading of a fact -> answers that teach it; those below :data:`LEAST` are not kept.
        answers: How many answers there are.
        stamp: Which state of train.jsonl it was made of.
    """

    def __init__(self, counts: Mapping[str, int], answers: int, stamp: Sequence[int] = ()) -> None:
        self._counts = counts
        self.answers = answers
        self.stamp = tuple(stamp)

    def count(self, reading: str) -> int:
        """Return in how many training answers a fact stands; 0 below :data:`LEAST`."""
        return self._counts.get(reading, 0)

    def save(self, folder: Path) -> None:
        """Write it beside the conversations, atomically.

        Raises:
            ResourceError: The disk is full or cannot be written.
        """
        value = {"version": VERSION, "train": self.stamp, "answers": self.answers, "counts": self._counts}
        temporary = folder / f".{FACTS}.{os.getpid()}.{time.time_ns()}"
        with disk_errors(folder):
            try:
                with private_file(temporary) as file:
                    file.write(orjson.dumps(value))
                temporary.replace(folder / FACTS)
            finally:
                temporary.unlink(missing_ok=True)


def fact_index(folder: Path, report: Report = lambda *_: None) -> FactIndex:
    """Open the facts of a data set; read them first where there are none that fit.

    Raises:
        StudioError: The conversations are damaged, or the disk is full.
    """
    return open_facts(folder) or build_facts(folder, report)


def open_facts(folder: Path) -> FactIndex | None:
    """Open the facts of a data set; None where there are none, or of other conversations or of another version."""
    try:
        saved = orjson.loads((folder / FACTS).read_bytes())
        made = FactIndex(saved["counts"], saved["answers"], saved["train"]) if saved["version"] == VERSION else None
        return made if made is not None and is_current(made, folder) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s of %s cannot be read and is made again: %s", FACTS, folder, error)
        return None


def is_current(index: FactIndex, folder: Path) -> bool:
    """Say whether the conversations of a data set are still those that its facts were read from."""
    try:
        with (folder / TRAIN).open("rb") as stream:
            return index.stamp == stamp_of(stream)
    except OSError:
        return False


def build_facts(folder: Path, report: Report = lambda *_: None) -> FactIndex:
    """Read the facts of all training answers and write them beside the conversations.

    Raises:
        StudioError: The conversations are damaged, or the disk is full.
    """
    counts: Counter[str] = Counter()
    answers = place = 0
    with disk_errors(folder), (folder / TRAIN).open("rb") as stream:
        stamp, size = stamp_of(stream), os.fstat(stream.fileno()).st_size
        for number, line in enumerate(stream, 1):
            place += len(line)
            for answer in answers_of(StoredConversation.of_line(line, TRAIN, number)):
                counts.update(taught_by(answer))
                answers += 1
            if number % 200 == 0:
                report(place, size)
    kept: dict[str, Any] = {reading: count for reading, count in counts.items() if count >= LEAST}
    index = FactIndex(kept, answers, stamp)
    index.save(folder)
    return index
