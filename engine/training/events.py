"""What a run reports while it goes: typed records, one JSON object a line.

``events.jsonl`` is append-only and the only source of the charts; whoever reads it (a reloaded page, a second tab, a
restarted program) sees the same curve. The records know neither the trainer nor the window.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args

from engine.workspace import disk_errors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """Training is about to take its first step (or its first after a resume)."""

    trainable: int
    """Parameters that are trained."""
    total: int
    """Parameters of base and adapter together, counted before they were packed into 4 bit."""
    steps: int
    """Optimizer steps in the whole run."""
    first_step: int
    """0, or the step of the checkpoint that was resumed."""
    train_examples: int
    heldout_examples: int
    device: str


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The longest rows have been tried, before the first step."""

    peak_gib: float
    """Peak of allocated GPU memory with the optimizer's; 0 without a GPU."""
    seconds: float
    """How long the steps and checks that are left will take."""


@dataclass(frozen=True, slots=True)
class Stepped:
    """One logged optimizer step."""

    step: int
    epoch: float
    loss: float
    """Mean over the learnt tokens, in nats."""
    learning_rate: float
    grad_norm: float
    tokens_per_second: float
    """Real tokens, padding not counted, since the last record."""
    memory_gib: float
    """Peak memory: allocated on the GPU, or resident in this process without one."""
    seconds: float
    """Training time since the start or the last resume, pauses left out."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The held-out tickets were checked; step 0 is the untouched base."""

    step: int
    loss: float
    """Mean over the agents' tokens of the held-out tickets, in nats."""


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint is complete on disk."""

    step: int


@dataclass(frozen=True, slots=True)
class Held:
    """A run in processes of its own waits at a step boundary, or goes on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The adapter is complete on disk."""

    step: int
    """The step whose weights were kept."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for the log."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


Event = Started | Rehearsed | Stepped | Evaluated | Checkpointed | Held | Finished | Noted
Emit = Callable[[Event], None]

_KINDS: dict[str, type[Event]] = {
    "started": Started,
    "rehearsed": Rehearsed,
    "step": Stepped,
    "evaluation": Evaluated,
    "checkpoint": Checkpointed,
    "held": Held,
    "finished": Finished,
    "note": Noted,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """An event with the time it was written."""

    at: float
    """Unix seconds."""
    event: Event


def to_line(record: Record) -> str:
    """Return the record as one line of JSON with its newline."""
    named = {"at": round(record.at, 3), "kind": _NAMES[type(record.event)], **asdict(record.event)}
    return json.dumps(named, ensure_ascii=False) + "\n"


def from_line(line: str | bytes) -> Record | None:
    """Read one line; None for one that is torn, damaged or of a later version (it is logged)."""
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("kind")]
        at = values.pop("at")
        types = {item.name: item.type for item in fields(kind)}
        if not (isinstance(at, int | float) and all(_fits(value, types[name]) for name, value in values.items())):
            raise TypeError("a value is of another type than its field")
        return Record(at, kind(**values))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        log.warning("an event could not be read: %.80r", line)
        return None


def _fits(value: object, kind: object) -> bool:
    if kind is float:
        return isinstance(value, int | float)
    return isinstance(value, kind) if isinstance(kind, type) else value in get_args(kind)


def append(path: Path, record: Record) -> None:
    """Add a record at the end of ``path``; a torn last line, left by a crash, is closed first.

    Raises:
        ResourceError: The disk is full.
    """
    with disk_errors(path), path.open("ab+") as file:
        if file.tell() and not _ends_with_newline(path):
            file.write(b"\n")
        file.write(to_line(record).encode())


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


@dataclass(frozen=True, slots=True)
class History:
    """A run's curve, as its events tell it.

    After a resume the steps from the checkpoint on are told a second time; the later telling counts.
    """

    started: Started | None = None
    steps: tuple[Stepped, ...] = ()
    evaluations: tuple[Evaluated, ...] = ()
    checkpoints: tuple[int, ...] = ()
    notes: tuple[tuple[float, Noted], ...] = ()
    """Unix seconds and sentence."""
    finished: Finished | None = None
    rehearsed: Rehearsed | None = None
    held: bool = False
    """Whether the run, in processes of its own, waits at a step boundary."""

    @property
    def best(self) -> Evaluated | None:
        """The lowest held-out loss after the first step."""
        trained = [seen for seen in self.evaluations if seen.step > 0]
        return min(trained, key=lambda seen: (seen.loss, seen.step), default=None)

    @property
    def before(self) -> Evaluated | None:
        """The held-out loss of the untouched base."""
        return next((seen for seen in self.evaluations if seen.step == 0), None)


@dataclass
class HistoryReader:
    """Reads an events file as it grows; each call of :meth:`read` looks only at what is new."""

    path: Path
    _offset: int = 0
    """Bytes that have been taken in."""
    _seen: int = -1
    """Bytes that there were at the last look; more than were taken in where the last line is not complete."""
    _history: History = field(default_factory=History)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> History:
        """Return the history up to the last complete line; pages and the training thread may ask at once."""
        with self._lock:
            try:
                self._read()
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warning("%s could not be read: %s", self.path, error)
            return self._history

    def _read(self) -> None:
        size = self.path.stat().st_size
        if size == self._seen:
            return
        if size < self._offset:  # another file has taken its place
            self._offset, self._history = 0, History()
        with self.path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        self._seen = self._offset + len(fresh)
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        records = [record for line in complete.split(b"\n") if line and (record := from_line(line))]
        if records:
            self._history = extend(self._history, records)


def extend(history: History, records: Iterable[Record]) -> History:
    """Return ``history`` with ``records`` added."""
    started, rehearsed, finished = history.started, history.rehearsed, history.finished
    steps = {seen.step: seen for seen in history.steps}
    evaluations = {seen.step: seen for seen in history.evaluations}
    checkpoints, notes, held = set(history.checkpoints), list(history.notes), history.held
    for record in records:
        match record.event:
            case Started() as event:
                started, rehearsed, finished, held = event, None, None, False
                steps = {step: seen for step, seen in steps.items() if step <= event.first_step}
                evaluations = {step: seen for step, seen in evaluations.items() if step <= event.first_step}
                checkpoints = {step for step in checkpoints if step <= event.first_step}
            case Rehearsed() as event:
                rehearsed = event
            case Stepped() as event:
                steps[event.step] = event
            case Evaluated() as event:
                evaluations[event.step] = event
            case Checkpointed() as event:
                checkpoints.add(event.step)
            case Held() as event:
                held = event.on
            case Finished() as event:
                finished = event
            case Noted() as event:
                notes.append((record.at, event))
    return History(
        started,
        tuple(steps[step] for step in sorted(steps)),
        tuple(evaluations[step] for step in sorted(evaluations)),
        tuple(sorted(checkpoints)),
        tuple(notes),
        finished,
        rehearsed,
        held,
    )
