"""How far the run in progress is, as the status bar and the training tab show it: read off its events."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from types import MappingProxyType
from typing import Literal

from engine.training.runs.directory import RunDirectory
from engine.training.runs.history import History
from engine.training.runs.status import RunState

Phase = Literal["fetch", "load", "measure", "learn", "check"]

SHARES: Mapping[Phase, float] = MappingProxyType(
    {"fetch": 0.1, "load": 0.05, "measure": 0.05, "learn": 0.75, "check": 0.05}
)
"""Phase -> its part of the whole bar, in their order. Fixed, so that the bar never goes back; the time left is told
apart from it."""

RECENT = 50
"""Steps whose pace counts for the time that is left: an hour ago the computer may have had other work."""
FETCHING = ("Fetching", "Asking the model hub")
"""How the stages of a fetch begin (engine/model/fetching.py, hub.py and starter.py)."""
WORTH_TELLING = 0.02
"""The part of a fetch after which its time left is more than a guess."""


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A run in progress."""

    run: str
    """The run's id."""
    name: str
    state: RunState
    stage: str
    """What is going on, in words."""
    fraction: float | None
    """0 to 1 of the phase that is under way (of the training while it runs); None while unknown."""
    step: int
    steps: int
    """0 until it is known."""
    seconds_left: float | None
    """Of the fetch, or of all that is left once two steps have been measured; None while unknown."""
    phase: Phase = "load"

    @property
    def whole(self) -> float:
        """How far all of it is, 0 to 1, from the fetch to the last check."""
        if self.state == "queued":
            return 0.0
        order = list(SHARES)
        before = sum(SHARES[phase] for phase in order[: order.index(self.phase)])
        return before + SHARES[self.phase] * min(1.0, max(0.0, self.fraction or 0.0))


def snapshot(
    run: RunDirectory, state: RunState, stage: str, fraction: float | None, seconds: float = 0.0
) -> JobSnapshot:
    """Return a run as it is now.

    Args:
        run: Its folder.
        state: The queue's.
        stage: What is going on, in words, while it does not train.
        fraction: How far that is, 0 to 1 or None.
        seconds: How long it has been going on.
    """
    history = run.history.read()
    steps = history.started.steps if history.started else 0
    step = history.steps[-1].step if history.steps else 0
    phase = _phase(state, stage, history)
    if state == "running" and step:
        stage = f"Training: step {step} of {steps}" if step < steps else "Checking and saving after the last step"
    elif state == "stopping":
        stage = "Stopping after this step; the checkpoint is kept"
    if phase == "learn":
        fraction = step / steps
    left = None
    if state == "running":
        left = seconds_left(history, _since_last_event(run) if phase == "check" else 0.0)
    elif phase == "fetch" and fraction is not None and fraction > WORTH_TELLING:
        left = seconds / fraction * (1 - fraction)
    return JobSnapshot(run.id, run.status.name, state, stage, fraction, step, steps, left, phase)


def _phase(state: RunState, stage: str, history: History) -> Phase:
    if state in {"queued", "preparing"} or history.started is None:
        return "fetch" if stage.startswith(FETCHING) else "load"
    step = history.steps[-1].step if history.steps else 0
    if step >= history.started.steps:
        return "check"
    return "learn" if step else "measure"


def _since_last_event(run: RunDirectory) -> float:
    """Seconds since the run last told something."""
    try:
        return max(0.0, time.time() - run.events_file.stat().st_mtime)
    except OSError:
        return 0.0


def seconds_left(history: History, since: float = 0.0) -> float | None:
    """Return how long the steps and checks that are left take.

    The pace is the middle one of the newest steps, so that neither a check between them nor a moment in which the
    computer had other work makes it swing; what the checks took beyond it is what the next ones will take. At first it
    is what the dry run measured.

    Args:
        history: The curve so far.
        since: Seconds since the last event; counts when only the last check is left.

    Returns:
        Seconds; None while nothing has been measured, and once the last check has taken longer than those before it.
    """
    if history.started is None:
        return None
    steps = history.started.steps
    fresh = [seen for seen in history.steps if seen.step > history.started.first_step]
    if len(fresh) < 2:
        return history.dry_run.seconds if history.dry_run else None
    first, last = fresh[0], fresh[-1]
    paces = [(after.seconds - before.seconds) / (after.step - before.step) for before, after in pairwise(fresh)]
    pace = median(paces[-RECENT:])
    checks = [seen.step for seen in history.evaluations if seen.step > history.started.first_step]
    between = [step for step in checks if first.step <= step < last.step]
    beyond = last.seconds - first.seconds - median(paces) * (last.step - first.step)
    a_check = max(0.0, beyond) / len(between) if between else 0.0
    if last.step >= steps:
        done = steps in checks
        return a_check - since if a_check > since and not done else None
    gap = checks[0] - history.started.first_step if checks else steps
    coming = 1 + (steps - 1) // gap - last.step // gap if gap else 1
    return pace * (steps - last.step) + a_check * max(1, coming)
