"""The long actions that are under way, by purpose.

All pages share it, so that a reload or a second tab of the browser sees the same progress. It knows nothing of what an
action does.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from engine.errors import StudioError
from engine.task import Task, TaskSnapshot

Result = TypeVar("Result")

PREPARE = "prepare"
"""Purpose: reading an export."""

EXPORT = "export"
"""Purpose: packing an adapter."""

IMPORT = "import"
"""Purpose: bringing an adapter or a model in."""


def counting(dataset: str, *of: object) -> str:
    """Purpose: counting the tokens of a data set; ``of`` says of which state of it, and for what."""
    return f"count {dataset} {hash(of)}"


def answering(session: str) -> str:
    """Purpose: letting voices answer many questions of a page."""
    return f"answer {session}"


def judging(run: str) -> str:
    """Purpose: judging a run."""
    return f"judge {run}"


def testing_leaks(run: str) -> str:
    """Purpose: testing whether a run's recipe lets private data come out."""
    return f"leaks {run}"


def looking(session: str) -> str:
    """Purpose: looking into the files that a page has dropped."""
    return f"look {session}"


def repreparing(dataset: str) -> str:
    """Purpose: preparing a data set again."""
    return f"again {dataset}"


class TaskRegistry:
    """The newest task of each purpose."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, Task[Any]] = {}

    def start(self, purpose: str, begin: Callable[[], Task[Any]]) -> None:
        """Begin a task, unless one of the same purpose is under way.

        Raises:
            StudioError: One is under way.
        """
        with self._lock:
            known = self._tasks.get(purpose)
            if known is not None and known.snapshot().state == "running":
                raise StudioError(f"{known.title}: this is still under way.", "Wait for it to end, or cancel it.")
            self._tasks[purpose] = begin()

    def replace(self, purpose: str, begin: Callable[[], Task[Result]]) -> Task[Result]:
        """Begin a task in place of the one of the same purpose, which is cancelled."""
        with self._lock:
            if known := self._tasks.get(purpose):
                known.cancel()
            begun = begin()
            self._tasks[purpose] = begun
            return begun

    def is_newest(self, purpose: str, task: Task[Any]) -> bool:
        """Say whether no other task has taken the place of this one."""
        with self._lock:
            return self._tasks.get(purpose) is task

    def ensure(self, purpose: str, begin: Callable[[], Task[Any]]) -> TaskSnapshot[Any]:
        """Return the task of a purpose; begin it if there is none that runs or is done."""
        with self._lock:
            known = self._tasks.get(purpose)
            if known is None or known.snapshot().state in ("failed", "cancelled"):
                known = self._tasks[purpose] = begin()
            return known.snapshot()

    def seen(self, purpose: str) -> TaskSnapshot[Any] | None:
        """Return the state of the newest task of a purpose, or None."""
        with self._lock:
            known = self._tasks.get(purpose)
        return known.snapshot() if known else None

    def forget_others(self, purpose: str, beginning: str) -> None:
        """Let go of what has been overtaken: cancel and drop all but ``purpose`` that begins with ``beginning``."""
        with self._lock:
            others = [known for known in self._tasks if known.startswith(beginning) and known != purpose]
            for known in others:
                self._tasks.pop(known).cancel()

    def cancel(self, purpose: str) -> None:
        """Ask the task of a purpose to end."""
        with self._lock:
            known = self._tasks.get(purpose)
        if known:
            known.cancel()
