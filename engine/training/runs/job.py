"""Job: a run that waits or is in progress, and what passes between those who watch it and the thread that trains it.

Pause, stop and a copy of the weights are asked for by any thread, and looked at between steps by the one that trains.
The job knows nothing of the queue that it stands in.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import ResourceError, RunError
from engine.training.distributed.control import ControlRequest
from engine.training.runs.directory import RunDirectory
from engine.training.runs.progress import JobSnapshot, snapshot
from engine.training.runs.status import RunState

if TYPE_CHECKING:
    from engine.model.snapshot import Snapshot

log = logging.getLogger(__name__)

PAUSED: tuple[RunState, str] = "paused", "Paused"
BEGUN: tuple[RunState, str] = "running", "Checking the held-out tickets with the untouched base"


@dataclass
class Job:
    """One run that waits or is in progress."""

    run: RunDirectory
    paused: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    state: RunState = "queued"
    stage: str = "Waiting for the run before it"
    fraction: float | None = None
    _wake: threading.Event = field(default_factory=threading.Event)
    _changing: threading.RLock = field(default_factory=threading.RLock)
    """Held while the state changes, so that what a person asks and what the training does come one after the other."""
    _ended: bool = False
    _asked: list["Future[Snapshot]"] = field(default_factory=list)
    """Who waits for the weights as they are; only touched while ``_changing`` is held."""
    _take: "Callable[[], Snapshot] | None" = None
    """Copies the weights; called between steps, by the thread that trains."""
    _began: float = field(default_factory=time.monotonic)
    """When what the fraction tells of began."""

    # ---- what any thread asks

    @property
    def is_held(self) -> bool:
        """Whether the training is to hold at its next step boundary."""
        return self.paused.is_set() and not self.stopped.is_set()

    @property
    def can_be_asked(self) -> bool:
        """Whether it trains in this process, so that its weights can be copied at the end of a step."""
        return self._take is not None

    def progress(self) -> JobSnapshot:
        """Return how far it is."""
        return snapshot(self.run, self.state, self.stage, self.fraction, time.monotonic() - self._began)

    def unpause(self) -> None:
        """Let it go on.

        Raises:
            RunError: It is being stopped.
        """
        if self.stopped.is_set():
            raise RunError(f"'{self.run.status.name}' is being stopped.", "Press Resume again when it has ended.")
        self.paused.clear()
        self._wake.set()

    def stop(self) -> None:
        """Ask for its end at the next step boundary.

        Raises:
            RunError: It is not in progress any more.
        """
        with self._changing:
            if self._ended:
                raise not_in_progress()
            self.stopped.set()
            self._wake.set()
            self.state = "stopping"
            self.run.update(state="stopping")

    def ask_for_weights(self) -> "Future[Snapshot]":
        """Ask for the weights as they are at the end of the step under way.

        Raises:
            RunError: It is not in progress, or not in this process.
        """
        with self._changing:
            if self._ended or self._take is None:
                raise _no_snapshot(self.run)
            asked: Future[Snapshot] = Future()
            self._asked.append(asked)
            self._wake.set()
            return asked

    def requested(self) -> ControlRequest:
        """Return what is asked of it, for the processes that share it."""
        return ControlRequest(self.paused.is_set(), self.stopped.is_set())

    # ---- what the training says

    def report(self, stage: str, fraction: float | None) -> None:
        """Note how far the preparation is."""
        if fraction is None or self.fraction is None or fraction < self.fraction:
            self._began = time.monotonic()
        self.stage, self.fraction = stage, fraction

    def show(self, state: RunState, stage: str) -> None:
        """Say what the training does; nothing once the run is to stop, which is the last that is said of it."""
        with self._changing:
            if not self.stopped.is_set():
                self.run.update(state=state)
                self.state, self.stage, self.fraction = state, stage, None

    def take_snapshots(self, take: "Callable[[], Snapshot] | None") -> None:
        """Note how weights are copied from now on; where that is over, those who wait are told."""
        with self._changing:
            self._take = take
            left, self._asked = (self._asked, []) if take is None else ([], self._asked)
        for asked in left:
            asked.set_exception(_no_snapshot(self.run))

    def between_steps(self) -> bool:
        """Hold while paused, hand out the weights to who has asked; return whether to end."""
        self._hand_out()
        while self.is_held:
            self.show(*PAUSED)
            self.wait()
            self._hand_out()
            if not self.paused.is_set():
                self.show("running", "Training")
        return self.stopped.is_set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until something is asked, for as many seconds at most."""
        self._wake.wait(seconds)
        self._wake.clear()

    @contextmanager
    def last_change(self) -> Iterator[None]:
        """Let nobody change the state of the run after this."""
        with self._changing:
            self._ended = True
            yield

    def _hand_out(self) -> None:
        """Copy the weights once for all who wait for them; what fails is theirs, and never the run's."""
        with self._changing:
            waiting, self._asked = self._asked, []
        if not waiting or self._take is None:
            return
        try:
            copied = self._take()
        except Exception as error:
            log.warning("the weights of %s could not be copied", self.run.id, exc_info=error)
            for asked in waiting:
                asked.set_exception(
                    ResourceError("There is no memory for a copy of the weights just now.", "Ask again.")
                )
            return
        for asked in waiting:
            asked.set_result(copied)


def not_in_progress() -> RunError:
    """Say that a run has ended meanwhile."""
    return RunError("This run is not in progress any more.")


def _no_snapshot(run: RunDirectory) -> RunError:
    return RunError(
        f"'{run.status.name}' is not training in this program just now.", "Ask its newest checkpoint, or its result."
    )
