"""First pass over an export: conversations, cleaned and masked, into a spool on disk; their facts into memory."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

import orjson

from engine.errors import TicketsError
from engine.tickets.conversation import BROKEN_OFF, TWICE, LeftOut
from engine.tickets.dataset.files import LEFT_OUT, PREFERENCES, TRAIN
from engine.tickets.dataset.stored import StoredConversation, json_line
from engine.tickets.importing.planned import Plan
from engine.tickets.importing.reading import read_conversations
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.conversation_step import Tidied
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.report import Progress
from engine.tickets.preparing.workers import tidy_all
from engine.workspace import private_file

Item = TypeVar("Item")
TELL_EVERY = 0.1
"""Seconds between two looks at the clock for the progress bar."""
_TOPICS_KEPT = 50_000


@dataclass(slots=True)
class Gathered:
    """All that the first pass found out."""

    facts: list[Facts] = field(default_factory=list)
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Where each lies: start and length in the spool, start and length in the spool of redactions."""
    kinds: list[tuple[tuple[str, int], ...]] = field(default_factory=list)
    """What was masked in each."""
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    messages_left_out: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    broken_off: list[str] = field(default_factory=list)
    """A sentence for each file that ends too early."""
    stages: dict[str, float] = field(default_factory=dict)


class Spool:
    """The files that both passes share, in the folder beside the data set."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self.conversations = self._stack.enter_context(private_file(folder / "conversations.spool"))
        self.review = self._stack.enter_context(private_file(folder / "redactions.spool"))
        self.left = self._stack.enter_context(private_file(folder / LEFT_OUT))
        self.pairs = self._stack.enter_context(private_file(folder / "preferences.spool"))
        self._folder = folder

    def leave_out(self, item: LeftOut) -> None:
        """Write down what is left out, and why."""
        self.left.write(json_line({"ticket": item.ticket, "reason": item.reason, "excerpt": item.excerpt}))

    def conversation(self, place: tuple[int, int, int, int]) -> StoredConversation:
        """Return a conversation."""
        return StoredConversation.of_line(self.line(place), TRAIN)

    def line(self, place: tuple[int, int, int, int]) -> bytes:
        """Return the line of a conversation, as it is going to stand in the data set."""
        self.conversations.seek(place[0])
        return self.conversations.read(place[1])

    def redactions(self, place: tuple[int, int, int, int]) -> bytes:
        """Return the lines of what was masked in a conversation."""
        self.review.seek(place[2])
        return self.review.read(place[3])

    def write_pairs(self, keys: Collection[str]) -> int:
        """Write the preference pairs of some conversations, by their keys, and return how many these are."""
        self.pairs.seek(0)
        written = 0
        with private_file(self._folder / PREFERENCES) as stream:
            for line in self.pairs:
                if orjson.loads(line)["key"] in keys:
                    stream.write(line)
                    written += 1
            stream.flush()
            os.fsync(stream.fileno())
        return written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        for name in ("conversations.spool", "redactions.spool", "preferences.spool"):
            (self._folder / name).unlink(missing_ok=True)


def gather(
    plans: Sequence[Plan],
    spool: Spool,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Gathered:
    """Run every conversation through the first pass.

    Raises:
        TicketsError: A file cannot be read any further, or the person stopped it.
    """
    gathered, began, told = Gathered(), perf_counter(), 0.0
    meter = plans[0].source.meter
    meter.done = 0
    reading = _Timed(read_conversations(plans))
    for item in tidy_all(reading, options, meter.total):
        _take(item, gathered, spool)
        now = perf_counter()
        if now - told > TELL_EVERY:
            told = now
            if should_stop():
                raise TicketsError("The import was stopped.", "Nothing was changed.")
            stage = f"Reading: {len(gathered.facts):,} conversations so far"
            progress(Progress(min(meter.done, meter.total), meter.total, stage))
    gathered.stages["reading"] = reading.seconds
    gathered.stages["first pass, all processes"] = perf_counter() - began
    return gathered


def _take(item: Tidied | LeftOut, gathered: Gathered, spool: Spool) -> None:
    if isinstance(item, LeftOut) and item.reason == TWICE:
        gathered.messages_left_out[item.reason] += 1
        spool.leave_out(item)
        return
    gathered.read += 1
    if isinstance(item, LeftOut):
        gathered.dropped[item.reason] += 1
        if item.reason == BROKEN_OFF:
            gathered.broken_off.append(item.excerpt)
        spool.leave_out(item)
        return
    for name, taken in zip(("cleaning", "masking", "sketching"), item.seconds, strict=True):
        gathered.stages[name] = gathered.stages.get(name, 0.0) + taken
    for message in item.left:
        gathered.messages_left_out[message.reason] += 1
        spool.leave_out(message)
    if item.facts is None:
        gathered.dropped[item.reason] += 1
        spool.leave_out(LeftOut(item.ticket, item.reason, item.shown))
        return
    place = (spool.conversations.tell(), len(item.line), spool.review.tell(), len(item.redactions))
    spool.conversations.write(item.line)
    spool.review.write(item.redactions)
    spool.pairs.write(item.pairs)
    gathered.places.append(place)
    gathered.facts.append(item.facts)
    gathered.kinds.append(item.redaction_kinds)
    gathered.topics.update(map(sys.intern, item.facts.topic_words))
    if len(gathered.topics) > _TOPICS_KEPT * 2:
        gathered.topics = Counter(dict(gathered.topics.most_common(_TOPICS_KEPT)))


class _Timed(Generic[Item]):
    """An iterator that knows how long its source has taken."""

    def __init__(self, source: Iterable[Item]) -> None:
        self._source = iter(source)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        began = perf_counter()
        try:
            return next(self._source)
        finally:
            self.seconds += perf_counter() - began
