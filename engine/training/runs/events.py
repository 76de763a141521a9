"""What a run reports while it goes: typed records, one JSON object a line.

``events.jsonl`` is append-only and the only truth; whoever reads it (a reloaded page, a second tab, a restarted
program) sees the same curve (history.py). The records know neither the trainer nor the window.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args

import orjson

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
    resident: int = 0
    """Layers of a streamed base that stay on the device; with ``streamed`` 0 where the whole base is there."""
    streamed: int = 0
    """Its layers that come from the computer's memory for each batch."""


@dataclass(frozen=True, slots=True)
class DryRunMeasured:
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
    tokens: int = 0
    """Real tokens since the last record, as they were counted; 0 in records of an earlier version."""
    stalled: float = 0.0
    """Seconds since the last record in which a streamed base waited for its layers; on several GPUs the longest."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The held-out tickets were checked; step 0 is the untouched base."""

    step: int
    loss: float
    """Mean over the agents' tokens of the held-out tickets, in nats."""


@dataclass(frozen=True, slots=True)
class GeneralChecked:
    """What the model knew before was checked (forgetting/); step 0 is the untouched base."""

    step: int
    texts: float
    """Loss on general texts, mean over their tokens, in nats."""
    instructions: float | None = None
    """Loss on the answers to plain instructions; None where the model's template takes none."""


@dataclass(frozen=True, slots=True)
class Replied:
    """A few held-out tickets were answered on the way; step 0 is the untouched base. The texts are in replies.jsonl."""

    step: int
    answers: int
    invented: int
    """Facts from nowhere, in all answers together."""
    seconds: float = 0.0
    """What answering took of the run."""


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint is complete on disk."""

    step: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A run in processes of its own waits at a step boundary, or goes on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The adapter is complete on disk."""

    step: int
    """The step whose weights were kept."""
    seconds: float


@dataclass(frozen=True, slots=True)
class LogNote:
    """A sentence for the log."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


Event = (
    Started
    | DryRunMeasured
    | Stepped
    | Evaluated
    | GeneralChecked
    | Replied
    | Checkpointed
    | Paused
    | Finished
    | LogNote
)
Emit = Callable[[Event], None]

_KINDS: dict[str, type[Event]] = {  # the words in events.jsonl, which stay when a class is renamed
    "started": Started,
    "rehearsed": DryRunMeasured,
    "step": Stepped,
    "evaluation": Evaluated,
    "general": GeneralChecked,
    "replies": Replied,
    "checkpoint": Checkpointed,
    "held": Paused,
    "finished": Finished,
    "note": LogNote,
}
_TYPES: dict[type[Event], dict[str, Any]] = {
    kind: {item.name: item.type for item in fields(kind)} for kind in _KINDS.values()
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
        values = _parsed(line)
        kind = _KINDS[values.pop("kind")]
        at, types = values.pop("at"), _TYPES[kind]
        if not (isinstance(at, int | float) and all(_fits(value, types[name]) for name, value in values.items())):
            raise TypeError("a value is of another type than its field")
        return Record(at, kind(**values))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        log.warning("an event could not be read: %.80r", line)
        return None


def _parsed(line: str | bytes) -> Any:
    """JSON, and the NaN and Infinity that Python writes into it."""
    try:
        return orjson.loads(line)
    except ValueError:
        return json.loads(line)


def _fits(value: object, kind: Any) -> bool:
    if isinstance(kind, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
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
