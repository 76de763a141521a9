"""One long action in a background thread: progress, cancel, a result or a sentence.

Used for what takes seconds to minutes (reading an export, fetching the starter model, packing a bundle). Training has
its own queue. A task knows nothing of what it runs and nothing of the window, which polls :meth:`Task.snapshot`.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from engine.errors import Cancelled, StudioError

log = logging.getLogger(__name__)

Report = Callable[[str, float | None], None]
"""Takes a stage in words and how far it is, 0 to 1 or None where that is not known."""

T = TypeVar("T")


def part(report: Report, start: float, end: float) -> Report:
    """Return what reports a part of a longer action: 0 and 1 of it are ``start`` and ``end`` of the whole."""

    def reporting(stage: str, fraction: float | None) -> None:
        report(stage, None if fraction is None else start + fraction * (end - start))

    return reporting


TaskState = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class TaskSnapshot(Generic[T]):
    """What the window shows of a task."""

    title: str
    state: TaskState
    stage: str
    """What is being done now, in words."""
    fraction: float | None
    """0 to 1, or None while the total is unknown."""
    seconds: float
    """Since the start."""
    result: T | None
    error: StudioError | None


class Task(Generic[T]):
    """Run ``action(task)`` in a thread that a closed browser does not stop.

    Args:
        title: Shown while it runs.
        action: Gets the task, calls :meth:`report` as it goes, and returns the result. A report ends an action that was
            cancelled; one that is long without a report looks at :attr:`cancelled` as well.
    """

    def __init__(self, title: str, action: "Callable[[Task[T]], T]") -> None:
        self.title = title
        self._action = action
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._state: TaskState = "running"
        self._stage = ""
        self._fraction: float | None = None
        self._result: T | None = None
        self._error: StudioError | None = None
        self._started = time.monotonic()
        threading.Thread(target=self._work, name=f"task: {title}", daemon=True).start()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the end; the action looks at it."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the action to end at its next report."""
        self._cancel.set()

    def report(self, stage: str, fraction: float | None = None) -> None:
        """Say what is being done, and how far (0 to 1).

        Raises:
            Cancelled: Somebody has asked for the end.
        """
        if self.cancelled:
            raise Cancelled
        with self._lock:
            self._stage, self._fraction = stage, fraction

    def wait(self, timeout: float | None = None) -> T:
        """Wait for the end and return the result.

        Args:
            timeout: Seconds; None waits for ever.

        Raises:
            StudioError: The action failed, was cancelled, or is still running after ``timeout``.
        """
        self._over.wait(timeout)
        ended = self.snapshot()
        if ended.error:
            raise ended.error
        if ended.state != "done":
            raise StudioError(f"{self.title}: {ended.state}.")
        return ended.result  # type: ignore[return-value]  # state 'done' means that the action has returned a T

    def ended(self, timeout: float | None = None) -> bool:
        """Wait for the end, for so many seconds at most or for ever; say whether it has come.

        An exception of a signal handler may break the wait off, and whoever tidies up then waits again. That is why it
        is no join of the thread: Python 3.11 takes a thread for ended whose join was broken off (bpo-45274).
        """
        return self._over.wait(timeout)

    def snapshot(self) -> TaskSnapshot[T]:
        """Return an immutable view of the task as it is now."""
        with self._lock:
            seconds = time.monotonic() - self._started
            return TaskSnapshot(
                self.title, self._state, self._stage, self._fraction, seconds, self._result, self._error
            )

    def _work(self) -> None:
        try:
            self._run()
        finally:
            self._over.set()

    def _run(self) -> None:
        result: T | None = None
        error: StudioError | None = None
        try:
            result = self._action(self)
        except StudioError as known:
            error = known
        except Exception as unknown:
            log.exception("%s failed", self.title)
            error = StudioError(
                f"{self.title} failed unexpectedly ({type(unknown).__name__}: {unknown}).",
                "The details are in the log; please report it.",
            )
        with self._lock:
            self._result, self._error = result, error
            self._state = "cancelled" if self.cancelled and result is None else "failed" if error else "done"
            if self._state == "cancelled":
                self._error = None
