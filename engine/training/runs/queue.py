"""TrainingQueue: the background thread that trains one run after the other, and what the window sees of it.

The thread calls ``run_training`` and passes it the run's own ``emit`` and ``should_stop``, or looks after the processes
of a run on several GPUs (launcher.py); the window polls :meth:`TrainingQueue.current` and never holds a run alive.
What is asked of a run is noted in its :class:`~engine.training.runs.job.Job`. The queue knows neither Gradio nor what a
step does.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base_holder import BaseHolder
from engine.errors import DivergedError, LostGpuError, ResourceError, RunError, StudioError
from engine.hardware import device_report
from engine.model.libraries import import_all
from engine.model.sources import resolve
from engine.recipe import Recipe
from engine.task import Report
from engine.training.distributed.launcher import processes_for, train_together
from engine.training.memory.estimate import has_to_stream
from engine.training.replies import AskReplies
from engine.training.runs import checkpoints
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import LogNote, Started
from engine.training.runs.job import BEGUN, PAUSED, Job, not_in_progress
from engine.training.runs.progress import JobSnapshot
from engine.workspace import default_root

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.model.snapshot import Snapshot
    from engine.training.runs.events import Event
    from engine.training.runs.history import History
    from engine.training.trainer import TrainingData

log = logging.getLogger(__name__)

MakeAsker = Callable[[RunDirectory, "BaseModel", Callable[[], bool]], AskReplies | None]
"""Given a run, its base and whether the run is being stopped; returns who answers tickets on its way."""


class TrainingQueue:
    """Trains one run at a time in a background thread.

    Args:
        bases: Lends the base model of a recipe; makes room for a run that takes several GPUs.
        cache: Where fetched models are kept, for runs in processes of their own; None means the user's data folder.
    """

    def __init__(self, bases: BaseHolder, cache: Path | None = None) -> None:
        self._bases = bases
        self._cache = cache or default_root() / "cache"
        self._lock = threading.Condition()
        self._jobs: list[Job] = []
        self._thread: threading.Thread | None = None
        self._closing = False
        self._lost: LostGpuError | None = None
        """Why no run can be trained until the program is started again."""
        self.make_asker: MakeAsker = lambda *_: None
        """Set by who knows how to answer, which this does not."""

    def add(self, run: RunDirectory) -> None:
        """Queue a run; it starts at once when nothing is before it. A run with checkpoints goes on from the newest.

        Raises:
            RunError: It is in the queue already, another program trains it, or it is finished.
            LostGpuError: The GPU stopped answering this program.
        """
        with self._lock:
            if self._lost:
                raise self._lost
            if self._closing:
                raise RunError("The program is being closed.", "Start it again, then press Resume.")
            if self._find(run.id):
                raise RunError(f"'{run.status.name}' is in progress already.")
            run.release()  # whoever held it in this program does not train it: it is not in the queue
            run.update(state="queued", message="", lower_rate=0.0)
            self._jobs.append(Job(run))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="training", daemon=True)
                self._thread.start()

    def knows(self, run: str) -> bool:
        """Whether the run waits or is in progress."""
        with self._lock:
            return self._find(run) is not None

    def waiting(self) -> tuple[str, ...]:
        """Ids of the runs behind the one in progress."""
        with self._lock:
            return tuple(job.run.id for job in self._jobs[1:])

    def current(self) -> JobSnapshot | None:
        """Return the run in progress as it is now, or None."""
        with self._lock:
            if not self._jobs:
                return None
            job = self._jobs[0]
        return job.progress()

    @contextmanager
    def kept_out(self, run: RunDirectory) -> Iterator[None]:
        """Keep a run that nobody trains out of the queue, and out of other programs', while it is moved away.

        Raises:
            RunError: It waits or is in progress, here or in another program.
        """
        with self._lock:
            if self._find(run.id):
                raise RunError(f"'{run.status.name}' is in progress.", "Stop it first.")
            try:
                run.claim()
            except ResourceError as error:  # no room for a lock: then no other program has one either
                log.warning("%s is moved without a lock: %s", run.id, error)
            if os.name == "nt":  # no folder with an open file in it can be moved there
                run.release()
            try:
                yield
            finally:
                run.release()

    def pause(self, run: str) -> None:
        """Hold a run at its next step boundary."""
        self._the(run).paused.set()

    def unpause(self, run: str) -> None:
        """Let a paused run go on.

        Raises:
            RunError: It is being stopped, or is not in progress any more.
        """
        self._the(run).unpause()

    def stop(self, run: str) -> None:
        """End a run at its next step boundary with a checkpoint; one that waits leaves the queue.

        Raises:
            RunError: It is not in progress any more.
        """
        with self._lock:
            job = self._the(run)
            if job is not self._jobs[0]:
                self._jobs.remove(job)
                self._lock.notify_all()
                self._ended_early(job.run, "Taken out of the queue.", "The program was closed before its turn came.")
                return
        job.stop()

    def can_be_asked(self, run: str) -> bool:
        """Whether the run trains in this process, so that its weights can be copied at the end of a step."""
        with self._lock:
            return bool(self._jobs) and self._jobs[0].run.id == run and self._jobs[0].can_be_asked

    def snapshot(self, run: str) -> "Future[Snapshot]":
        """Ask for the weights of the run in progress; they come at the end of the step under way, in a pause at once.

        Returns:
            A future with the weights, or with the RunError that the run ended before.

        Raises:
            RunError: It is not in progress, or not in this process.
        """
        return self._the(run).ask_for_weights()

    def wait(self, run: str, timeout: float | None = None) -> bool:
        """Wait until the run has left the queue; whether it has, within ``timeout`` seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: self._find(run) is None, timeout)

    def close(self, timeout: float = 30.0) -> None:
        """End everything; called when the program does. Runs in progress and waiting ones read 'interrupted' then.

        Args:
            timeout: Seconds to wait for the step under way; a run that takes longer is cut off without a checkpoint of
                that step.
        """
        with self._lock:
            self._closing = True
            ids = [job.run.id for job in reversed(self._jobs)]
        for identifier in ids:
            try:
                self.stop(identifier)
            except StudioError as error:  # it has just ended by itself, or the disk is full
                log.warning("run %s at the end of the program: %s", identifier, error)
        if ids:
            self.wait(ids[-1], timeout)

    def _ended_early(self, run: RunDirectory, by_hand: str, by_closing: str) -> None:
        if self._closing:
            run.update(state="interrupted", message=by_closing)
        else:
            run.update(state="cancelled", message=by_hand)

    def _the(self, run: str) -> Job:
        with self._lock:
            job = self._find(run)
        if job is None:
            raise not_in_progress()
        return job

    def _find(self, run: str) -> Job | None:
        return next((job for job in self._jobs if job.run.id == run), None)

    def _work(self) -> None:
        """The thread: one run after the other until none is left."""
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                job = self._jobs[0]
            try:
                self._train(job)
            except Exception as error:  # the disk may be so full that not even the failure can be written
                log.exception("run %s could not be closed properly", job.run.id, exc_info=error)
            with self._lock:
                self._jobs.remove(job)
                job.run.release()
                if self._lost:
                    self._send_away(self._lost)
                self._lock.notify_all()

    def _send_away(self, reason: LostGpuError) -> None:
        """Let no run begin that would fail like the one before it; all can be resumed."""
        while self._jobs:
            run = self._jobs.pop().run
            try:
                run.update(state="interrupted", message=str(reason))
            except StudioError:
                log.warning("it could not be written that %s has not begun", run.id)

    def _train(self, job: Job) -> None:
        """Train one run and write how it ended."""
        try:
            job.show("preparing", "Preparing")
            outcome_stopped = self._run(job)
        except StudioError as error:
            log.warning("run %s failed: %s", job.run.id, error, exc_info=error)
            if isinstance(error, LostGpuError):
                self._lost = LostGpuError(error.message, error.remedy)  # without what the failed run held
            _note_failure(job.run, error)
            lower_rate = error.lower_rate if isinstance(error, DivergedError) else 0.0
            with job.last_change():
                job.run.update(state="failed", message=str(error), lower_rate=lower_rate)
        except BaseException as error:  # a library may even want to end the program
            log.exception("run %s failed", job.run.id)
            with job.last_change():
                message = f"The run failed unexpectedly ({type(error).__name__}: {error})."
                job.run.update(state="failed", message=message)
        else:
            with job.last_change():
                self._ended(job.run, stopped=outcome_stopped)

    def _ended(self, run: RunDirectory, *, stopped: bool) -> None:
        if stopped:
            by_hand = "Stopped by hand; Resume goes on from here."
            self._ended_early(run, by_hand, "The program was closed; Resume goes on from here.")
        else:
            run.update(state="finished", message="")

    def _run(self, job: Job) -> bool:
        """Load what is needed and train; return whether it was stopped by hand."""
        from engine.training.trainer import TrainingData

        recipe, report = job.run.recipe, job.report
        data = TrainingData.load(job.run.data, recipe, report)

        if (processes := processes_for(recipe, job.run.emit)) > 1:
            return self._run_together(job, processes, report)
        import_all()  # or nobody knows yet whether there is a GPU
        streamed = has_to_stream(recipe, device_report())
        with self._bases.use(recipe, job.run.status.name, report, job.stopped.is_set, streamed=streamed) as base:
            if base is None:
                return True
            report("Counting tokens", None)
            return self._train_on(base, job, recipe, data)

    def _train_on(self, base: "BaseModel", job: Job, recipe: Recipe, data: "TrainingData") -> bool:
        """Train; return whether it was stopped by hand."""
        from engine.training.trainer import run_training

        def emit(event: "Event") -> None:
            job.run.emit(event)
            if isinstance(event, Started):
                job.show(*BEGUN)

        base.make_room()
        resume_step = _newest_sound(job.run)
        outcome = run_training(
            recipe,
            data,
            base,
            job.run.path,
            emit,
            job.between_steps,
            resume_step,
            lambda: job.is_held,
            take_snapshots=job.take_snapshots,
            ask_replies=self.make_asker(job.run, base, job.stopped.is_set),
        )
        return outcome.stopped

    def _run_together(self, job: Job, processes: int, report: Report) -> bool:
        """Train in processes of its own; return whether it was stopped by hand."""
        resolve(job.run.recipe.model, self._cache, report)  # the starter model is fetched once, and here
        if not self._bases.make_room(job.run.status.name, report, job.stopped.is_set):
            return True
        job.run.emit(LogNote(f"{processes} processes share the run; the playground's model makes room for them."))
        report(f"Starting {processes} processes", None)

        def seen(history: "History") -> None:
            state, stage = PAUSED if history.paused else BEGUN
            if state != job.state:
                job.show(state, stage)

        _newest_sound(job.run)
        return train_together(job.run, processes, self._cache, job.requested, seen, job.wait)


def _note_failure(run: RunDirectory, error: StudioError) -> None:
    try:
        run.emit(LogNote(str(error), "error"))
    except StudioError:
        log.warning("the failure of %s could not be written to its log", run.id)


def _newest_sound(run: RunDirectory) -> int:
    """The step to go on from; says so in the log where newer checkpoints are damaged or gone."""
    written = run.history.read().checkpoints
    newest, damaged = checkpoints.newest_sound(run.checkpoints), []
    for step in run.checkpoint_steps():
        if step > newest:
            damaged.append(step)
            checkpoints.set_aside(run.checkpoints, step)
    where = f"from step {newest}" if newest else "from the beginning"
    if damaged:
        names = ", ".join(map(str, damaged))
        run.emit(LogNote(f"The checkpoint of step {names} is damaged; the run goes on {where}.", "warning"))
    elif written and written[-1] > newest:
        run.emit(LogNote(f"The checkpoint of step {written[-1]} is gone; the run goes on {where}.", "warning"))
    return newest
