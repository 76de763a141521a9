"""The states of a run, which may follow which, and the record that status.json holds.

    queued -> preparing -> running <-> paused
       any of these -> stopping -> cancelled
       any of them ends as finished, cancelled, failed or interrupted
    cancelled, failed, interrupted -> queued again, by Resume

Nothing here reads or writes a file: directory.py does.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from engine.errors import RunError

RunState = Literal[
    "queued", "preparing", "running", "paused", "stopping", "finished", "cancelled", "failed", "interrupted"
]
ACTIVE: frozenset[RunState] = frozenset({"queued", "preparing", "running", "paused", "stopping"})
"""States in which a process is responsible for the run."""
RESUMABLE: frozenset[RunState] = frozenset({"cancelled", "failed", "interrupted"})

ENDED: frozenset[RunState] = frozenset({"finished", "cancelled", "failed", "interrupted"})
_AGAIN: frozenset[RunState] = frozenset({"queued", "running"})
"""'running' at once is what processes do that a person has launched on several computers (worker.py)."""

FOLLOWS: dict[RunState, frozenset[RunState]] = {
    "queued": (ENDED - {"finished"}) | {"preparing", "running", "stopping"},
    "preparing": ENDED | {"running", "paused", "stopping"},
    "running": ENDED | {"paused", "stopping"},
    "paused": ENDED | {"running", "stopping"},
    "stopping": ENDED,
    "finished": frozenset(),
    "cancelled": _AGAIN,
    "failed": _AGAIN,
    "interrupted": _AGAIN,
}
"""State -> the states that may follow it; staying in one is always allowed. A run whose last step was under way when
somebody pressed Stop is 'finished', so 'stopping' may become that; nothing leads back from it to 'running'."""

_IN_VAIN: dict[RunState, str] = {
    "queued": "there is nothing to resume",
    "preparing": "it cannot begin",
    "running": "it cannot go on",
    "paused": "there is nothing to pause",
    "stopping": "there is nothing to stop",
}


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of status.json."""

    name: str
    state: RunState
    created_at: float
    """Unix seconds."""
    message: str = ""
    """Why it ended, in words; empty where there is nothing to say."""
    dataset: str = ""
    """The data set's id and name at the time of the start."""
    dataset_name: str = ""
    process: int = 0
    """Process id of the program that trains it, while the state is active."""
    process_started: float = 0.0
    """When that process was started, so that a recycled process id is not mistaken for it."""
    lower_rate: float = 0.0
    """The learning rate to start again with, where the loss is no longer a number; else 0."""
    started_by: str = ""
    """The person who has started it, where people log in; else empty."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value, kind = getattr(self, item.name), item.type
            if not _fits(value, kind):
                raise TypeError(f"{item.name} of a run's status is {value!r:.80}")


def check_step(status: Status, wanted: RunState) -> None:
    """Make sure that a run may go from the state it is in to another.

    Raises:
        RunError: It may not; in words.
    """
    if wanted != status.state and wanted not in FOLLOWS[status.state]:
        reason = _IN_VAIN.get(wanted, f"it cannot become {wanted}")
        raise RunError(f"'{status.name}' is {status.state}; {reason}.")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value out of status.json is of a field's type."""
    if kind is RunState:
        return value in get_args(RunState)
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)
