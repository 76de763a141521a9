"""Files -> a data set on disk: runs every stage in order and writes the result to the side before it is renamed.

Owns the order of the stages and the files of a data set; the stages themselves live in their own modules.

    train.jsonl, heldout.jsonl   {"ticket", "messages", "subject", "tags", "created_at"} a line
    report.json                  :class:`engine.tickets.report.Report`
    left_out.jsonl               {"ticket", "reason", "excerpt"} a line
    redactions.jsonl             {"ticket", "kind", "placeholder", "original", "before", "after"} a line; mode 0600
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, Generic, TypeVar

import orjson

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut
from engine.tickets.detect import Plan, plan
from engine.tickets.options import PrepareOptions
from engine.tickets.pool import tidy_all
from engine.tickets.reading import read_conversations
from engine.tickets.records import DAMAGED
from engine.tickets.report import Progress, Report
from engine.tickets.sources import find_sources
from engine.tickets.splitting import UnionFind, choose_heldout
from engine.tickets.tidying import Tidied
from engine.workspace import disk_errors

FILES = ("train.jsonl", "heldout.jsonl", "left_out.jsonl", "redactions.jsonl", "report.json")
"""The files of a data set; the report comes last, and a folder without it is none."""
Item = TypeVar("Item")
_TELL_EVERY = 0.1
_DUPLICATE = "the same ticket twice"
_CANNED = "same answer as many others"


def prepare(
    files: Sequence[Path],
    out: Path,
    options: PrepareOptions | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Turn export files into a data set.

    Args:
        files: The files that the person chose, of one or several formats.
        out: The folder of the data set; made when missing, an older data set in it is replaced at the end.
        options: What the person chose.
        progress: Told about ten times a second how far it is.
        should_stop: Asked as often; True ends the import and leaves nothing behind.

    Returns:
        What was read, kept, left out and masked.

    Raises:
        TicketsError: The files cannot be read, hold no conversation with an answer, or the import was stopped.
        ResourceError: The disk is full or cannot be written.
    """
    options = options or PrepareOptions()
    progress(Progress(0, None, "Looking into the files"))
    started = perf_counter()
    plans = plan(find_sources([Path(file) for file in files]), options.overrides)
    with disk_errors(out), _side_folder(out) as side:
        gathered = _gather(plans, side, options, progress, should_stop)
        gathered.stages = {"looking": gathered.began - started, **gathered.stages}
        report = _finish(plans, gathered, side, options, progress)
        (side / "spool.jsonl").unlink()
        (side / "redactions.spool").unlink()
        _swap(side, out)
    return report


@dataclass(slots=True)
class _Kept:
    """Where a kept conversation lies in the spool, and what decides its fate."""

    start: int
    length: int
    review: int
    review_length: int
    stamp: float | None
    customer: str
    answers_key: bytes
    words_key: bytes
    ticket: str
    messages: int
    answer_chars: tuple[int, ...]
    tags: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Gathered:
    """All that the first pass found out."""

    began: float
    kept: list[_Kept] = field(default_factory=list)
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    messages_left_out: Counter[str] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def _side_folder(out: Path) -> Iterator[Path]:
    out.parent.mkdir(parents=True, exist_ok=True)
    side = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    try:
        yield side
    finally:
        shutil.rmtree(side, ignore_errors=True)


def _swap(side: Path, out: Path) -> None:
    """Put the finished files in place: the report goes first and comes back last."""
    if not out.exists():
        # mkdtemp made the folder for its owner alone.
        side.chmod(0o755)
        side.rename(out)
        return
    (out / "report.json").unlink(missing_ok=True)
    for name in FILES:
        (side / name).replace(out / name)


def _gather(
    plans: Sequence[Plan],
    side: Path,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> _Gathered:
    """First pass: read, clean and mask every conversation into the spool."""
    gathered = _Gathered(perf_counter())
    meter = plans[0].source.meter
    meter.done, told = 0, 0.0
    with (
        (side / "spool.jsonl").open("wb") as spool,
        (side / "left_out.jsonl").open("wb") as left,
        _private_file(side / "redactions.spool") as review,
    ):
        reading = _Timed(read_conversations(plans))
        for item in tidy_all(reading, options, meter.total):
            _take(item, gathered, spool, left, review)
            now = perf_counter()
            if now - told > _TELL_EVERY:
                told = now
                if should_stop():
                    raise TicketsError("The import was stopped.", "Nothing was changed.")
                stage = f"Reading: {len(gathered.kept):,} conversations so far"
                progress(Progress(min(meter.done, meter.total), meter.total, stage))
    gathered.stages["reading"] = reading.seconds
    gathered.stages["reading, cleaning and masking together"] = perf_counter() - gathered.began
    return gathered


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


def _take(item: Tidied | LeftOut, gathered: _Gathered, spool: IO[bytes], left: IO[bytes], review: IO[bytes]) -> None:
    gathered.read += 1
    if isinstance(item, LeftOut):
        gathered.dropped[item.reason] += 1
        _write_left(left, item)
        return
    gathered.stages["cleaning"] = gathered.stages.get("cleaning", 0.0) + item.cleaning
    gathered.stages["masking"] = gathered.stages.get("masking", 0.0) + item.masking
    for message in item.left:
        gathered.messages_left_out[message.reason] += 1
        _write_left(left, message)
    if item.reason:
        gathered.dropped[item.reason] += 1
        _write_left(left, LeftOut(item.ticket, item.reason, item.shown))
        return
    gathered.kept.append(
        _Kept(
            spool.tell(),
            len(item.line),
            review.tell(),
            len(item.redactions),
            item.stamp,
            item.customer,
            item.answers_key,
            item.words_key,
            item.ticket,
            item.messages,
            item.answer_chars,
            item.tags,
            item.redaction_kinds,
        )
    )
    spool.write(item.line)
    review.write(item.redactions)


def _write_left(left: IO[bytes], item: LeftOut) -> None:
    value = {"ticket": item.ticket, "reason": item.reason, "excerpt": item.excerpt}
    try:
        left.write(orjson.dumps(value) + b"\n")
    except TypeError:
        left.write(orjson.dumps({key: text.encode("utf-8", "replace").decode() for key, text in value.items()}) + b"\n")


def _private_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")


def _finish(
    plans: Sequence[Plan],
    gathered: _Gathered,
    side: Path,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
) -> Report:
    """Second pass: duplicates, canned replies, the split, the files and the report."""
    began = perf_counter()
    progress(Progress(0, None, "Looking for duplicates"))
    with (side / "left_out.jsonl").open("ab") as left:
        kept = _without_repeats(gathered, options, left)
    if not kept:
        raise _nothing_kept(plans, gathered)
    groups = UnionFind(len(kept))
    groups.join_equal(entry.customer for entry in kept)
    groups.join_equal(entry.words_key for entry in kept)
    held, basis = choose_heldout([entry.stamp for entry in kept], groups, options.heldout, options.split, options.seed)
    gathered.stages["duplicates and split"] = perf_counter() - began
    began = perf_counter()
    _write_split(side, kept, held, progress)
    gathered.stages["writing"] = perf_counter() - began
    report = _report(plans, gathered, kept, held, basis)
    (side / "report.json").write_bytes(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    return report


def _without_repeats(gathered: _Gathered, options: PrepareOptions, left: IO[bytes]) -> list[_Kept]:
    """Leave out tickets that came twice and canned replies beyond the cap."""
    latest: dict[tuple[str, bytes], int] = {}
    for index, entry in enumerate(gathered.kept):
        latest.setdefault((entry.ticket, entry.words_key), index)
    answers: Counter[bytes] = Counter()
    kept = []
    for index, entry in enumerate(gathered.kept):
        reason = ""
        if latest[(entry.ticket, entry.words_key)] != index:
            reason = _DUPLICATE
        elif answers[entry.answers_key] >= options.canned_cap:
            reason = _CANNED
        if reason:
            gathered.dropped[reason] += 1
            _write_left(left, LeftOut(entry.ticket, reason))
        else:
            answers[entry.answers_key] += 1
            kept.append(entry)
    return kept


def _nothing_kept(plans: Sequence[Plan], gathered: _Gathered) -> TicketsError:
    names = ", ".join(dict.fromkeys(entry.source.path.name for entry in plans))
    if not gathered.read:
        return TicketsError(f"{names} holds no tickets.", "Check that the export finished and covers the right dates.")
    reasons = ", ".join(f"{reason}: {count}" for reason, count in gathered.dropped.most_common(5))
    remedy = "Choose an export that includes the agents' replies."
    if plans[0].mapping:
        remedy = "Check which columns hold the question and the answer."
    if gathered.dropped[DAMAGED] == gathered.read:
        remedy = "Download the export again."
    return TicketsError(
        f"None of the {gathered.read:,} tickets in {names} has an answer to learn from ({reasons}).", remedy
    )


def _write_split(side: Path, kept: Sequence[_Kept], held: set[int], progress: Callable[[Progress], None]) -> None:
    with (
        (side / "spool.jsonl").open("rb") as spool,
        (side / "train.jsonl").open("wb") as train,
        (side / "heldout.jsonl").open("wb") as heldout,
        (side / "redactions.spool").open("rb") as reviewed,
        _private_file(side / "redactions.jsonl") as review,
    ):
        for index, entry in enumerate(kept):
            spool.seek(entry.start)
            (heldout if index in held else train).write(spool.read(entry.length))
            if entry.review_length:
                reviewed.seek(entry.review)
                review.write(reviewed.read(entry.review_length))
            if index % 5000 == 0:
                progress(Progress(index, len(kept), "Writing the data set"))
        for stream in (train, heldout, review):
            stream.flush()
            os.fsync(stream.fileno())


def _report(plans: Sequence[Plan], gathered: _Gathered, kept: Sequence[_Kept], held: set[int], basis: str) -> Report:
    formats = Counter(entry.format for entry in plans)
    main = next(entry for entry in plans if entry.format == formats.most_common(1)[0][0])
    redactions: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    for entry in kept:
        redactions.update(dict(entry.kinds))
        tags.update(set(entry.tags))
    answers = [chars for entry in kept for chars in entry.answer_chars]
    return Report(
        format=main.format,
        tickets_read=gathered.read,
        conversations_kept=len(kept),
        dropped=dict(gathered.dropped.most_common()),
        redactions=dict(redactions.most_common()),
        label=main.label,
        evidence=main.evidence,
        files=[entry.source.name for entry in plans],
        train=len(kept) - len(held),
        heldout=len(held),
        messages_kept=sum(entry.messages for entry in kept),
        messages_left_out=dict(gathered.messages_left_out.most_common()),
        split_basis=basis,
        tags=dict(tags.most_common(50)),
        median_answer_chars=int(median(answers)),
        warnings=[],
        stages={name: round(taken, 3) for name, taken in gathered.stages.items()},
    )
