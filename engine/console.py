"""What the command line says, and how it waits: progress on stderr, one JSON object on stdout, signals.

It knows tasks and runs of the services and no command.
"""

import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from engine.errors import StudioError

if TYPE_CHECKING:
    from engine.studio import Studio
    from engine.task import Task

T = TypeVar("T")
LOOK = 0.1
"""Seconds between two looks at a task."""
LOOK_AT_RUN = 0.5

_last_said = ""


def say(stage: str, fraction: float | None = None) -> None:
    """Write progress to stderr: on one line of a terminal, else a line whenever something changes."""
    global _last_said
    text = stage if fraction is None else f"{stage} ({fraction:.0%})"
    if text == _last_said:
        return
    _last_said = text
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def result(value: dict[str, Any]) -> None:
    """Write what a command has done, the last line on stdout."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(value, ensure_ascii=False), flush=True)


def fail(error: StudioError) -> NoReturn:
    """Write why a command has failed, on one line, and leave with 1."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(" ".join(str(error).split()), file=sys.stderr)
    sys.exit(1)


def end(*_: Any) -> NoReturn:
    """End as Ctrl+C does, so that what is half made, with text of tickets in it, is removed on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def follow(task: "Task[T]") -> T:
    """Say how far a task is until it has ended, and return its result; whoever ends the program calls it off.

    Raises:
        StudioError: It failed.
    """
    try:
        while not task.ended(LOOK):
            seen = task.snapshot()
            if seen.stage:
                say(seen.stage, seen.fraction)
        return task.wait()
    finally:
        task.cancel()
        task.ended()


def train(studio: "Studio", run: str) -> dict[str, Any]:
    """Train a run in the queue's thread, so that Ctrl+C and SIGTERM end at a step boundary with a checkpoint.

    Args:
        studio: Whose runs it is one of.
        run: Its id.

    Returns:
        How it ended.

    Raises:
        StudioError: It failed, or there is nothing to go on from.
    """
    studio.runs.resume(run)
    asked: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        # No more than this: a second signal comes in the middle of what the first one does, where a lock of
        # threading.Event would wait for itself.
        signal.signal(name, lambda number, _: asked.append(number))
    told = False
    while not studio.runs.wait(run, LOOK_AT_RUN):
        if asked and not told:
            told = True
            with contextlib.suppress(StudioError):  # it has ended in this very moment, or the disk is full: it stops
                studio.runs.stop(run)
            say("Stopping after this step; the checkpoint is kept")
        seen = studio.snapshot().job
        if seen:
            left = f", {seen.seconds_left:.0f} s left" if seen.seconds_left is not None else ""
            say(seen.stage + left, seen.fraction)
    return _how_it_ended(studio, run)


def _how_it_ended(studio: "Studio", identifier: str) -> dict[str, Any]:
    run = studio.runs.get(identifier)
    status, history = run.status, run.history.read()
    if status.state == "failed":
        raise StudioError(status.message)
    return {
        "run": str(run.path),
        "state": status.state,
        "steps": history.steps[-1].step if history.steps else 0,
        "kept_step": history.finished.step if history.finished else None,
        "heldout_before": history.before.loss if history.before else None,
        "heldout_best": history.best.loss if history.best else None,
        "seconds": history.finished.seconds if history.finished else None,
    }
