"""How far the run in progress is, as the status bar and the training tab show it: read off its events."""

from dataclasses import dataclass

from engine.training.runs.directory import RunDirectory
from engine.training.runs.history import History
from engine.training.runs.status import RunState


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
    """0 to 1 of the stage that is under way (of the training while it runs); None while unknown."""
    step: int
    steps: int
    """0 until it is known."""
    seconds_left: float | None
    """None until two steps have been measured."""


def snapshot(run: RunDirectory, state: RunState, stage: str, fraction: float | None) -> JobSnapshot:
    """Return a run as it is now.

    Args:
        run: Its folder.
        state: The queue's.
        stage: What is going on, in words, while it does not train.
        fraction: How far that is, 0 to 1 or None.
    """
    history = run.history.read()
    steps = history.started.steps if history.started else 0
    step = history.steps[-1].step if history.steps else 0
    training = state in {"running", "paused"} and steps > 0
    if state == "running" and step:
        stage = f"Training: step {step} of {steps}" if step < steps else "Checking and saving after the last step"
    elif state == "stopping":
        stage = "Stopping after this step; the checkpoint is kept"
    done = step / steps if training else fraction
    left = seconds_left(history) if state == "running" else None
    return JobSnapshot(run.id, run.status.name, state, stage, done, step, steps, left)


def seconds_left(history: History) -> float | None:
    """Steps left times the mean pace since the start or the last resume; at first what the dry run measured.

    None after the last step too: what remains then, the last check and the saving, has a pace of its own.
    """
    if history.started is None:
        return None
    fresh = [seen for seen in history.steps if seen.step > history.started.first_step]
    if len(fresh) < 2:
        return history.dry_run.seconds if history.dry_run else None
    if fresh[-1].step >= history.started.steps:
        return None
    pace = (fresh[-1].seconds - fresh[0].seconds) / (fresh[-1].step - fresh[0].step)
    return pace * (history.started.steps - fresh[-1].step)
