"""Runs: all runs of a workspace: begun under a name of their own, listed, renamed, moved to the trash.

A run in progress belongs to the queue (queue.py); this is where everything else is done to runs.
"""

import contextlib
import shutil
import threading
from collections import OrderedDict
from pathlib import Path

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.training.runs import changes
from engine.training.runs.directory import RunDirectory
from engine.training.runs.index import Listing, RunIndex, RunInfo
from engine.training.runs.keeping import take_checkpoint
from engine.training.runs.queue import TrainingQueue
from engine.workspace import Deleted, Workspace, checked_name

PRESSES = 1000
"""Presses of Start that are kept in mind."""


class Runs:
    """All runs of a workspace.

    Args:
        workspace: Where they are.
        queue: What trains them.
    """

    def __init__(self, workspace: Workspace, queue: TrainingQueue) -> None:
        self._workspace = workspace
        self._queue = queue
        self._index = RunIndex(workspace.runs, self.get)
        self._open: dict[str, RunDirectory] = {}
        self._outside: dict[str, RunDirectory] = {}
        """Runs that lie elsewhere, known here until the program ends."""
        self._registry = threading.Lock()
        self._beginning = threading.Lock()
        """Held from the choice of a name until the run has it."""
        self._presses: OrderedDict[str, str] = OrderedDict()

    # ---- what is there

    def listing(self) -> Listing:
        """Return all runs, the newest first, and a number that changes when a list of them should."""
        return self._index.listing()

    def info(self, identifier: str) -> RunInfo:
        """Return one run as the list shows it.

        Raises:
            StudioError: It is not there any more.
        """
        run = self.get(identifier)
        for info in self.listing().runs:
            if info.id == run.id:
                return info
        raise StudioError(f"'{identifier[:80]}' is not here any more.", "Pick another one from the list.")

    def get(self, identifier: str) -> RunDirectory:
        """Return a run's folder; the same object each time, so that its history is read once.

        Raises:
            StudioError: It is not there any more.
        """
        with self._registry:
            if identifier in self._outside:
                return self._outside[identifier]
        folder = self._workspace.child(self._workspace.runs, identifier)
        with self._registry:
            known = self._open.get(identifier)
            if known is None:
                known = self._open[identifier] = RunDirectory(folder)
            return known

    def take_in(self, run: RunDirectory) -> None:
        """Know a run that lies outside the workspace by its id, as those inside; it is in no list."""
        with self._registry:
            self._outside[run.id] = run

    # ---- begun

    def begin(
        self, recipe: Recipe, data: Path, dataset_name: str, name: str = "", press: str = "", started_by: str = ""
    ) -> str:
        """Make a run and queue it.

        Args:
            recipe: Its hyperparameters.
            data: A prepared data set's folder.
            dataset_name: What that is called.
            name: What the run is to be called; a number is added where another one is, and chosen where empty.
            press: Names the press of a button; a second call for the same one begins nothing.
            started_by: The person who starts it, where people log in.

        Returns:
            The run's id.

        Raises:
            StudioError: The disk is full, or the GPU no longer answers this program.
        """
        with self._beginning:
            if press in self._presses:
                return self._presses[press]
            run = self._made(recipe, data, dataset_name, name, started_by)
            if press:
                self._presses[press] = run.id
                while len(self._presses) > PRESSES:
                    self._presses.popitem(last=False)
        try:
            self._queue.add(run)
        except StudioError as error:
            if self._queue.knows(run.id):  # it is in the list already, and somebody was quick to press Resume
                return run.id
            # Where it cannot be written it waits all the same; the reason is told to who has pressed.
            with contextlib.suppress(StudioError), self._queue.kept_out(run):
                run.update(state="interrupted", message=str(error))
            raise
        return run.id

    def _made(self, recipe: Recipe, data: Path, dataset_name: str, name: str, started_by: str) -> RunDirectory:
        """A run's folder; one that could not be filled leaves nothing behind."""
        name = self._free_name(name)
        with self._registry:
            run = RunDirectory(self._workspace.new_folder(self._workspace.runs, name))
            self._open[run.id] = run
        try:
            run.fill(recipe, data, name, dataset_name, started_by)
        except BaseException:
            self._forget(run)
            shutil.rmtree(run.path, ignore_errors=True)
            changes.note_change(run.path)
            raise
        return run

    def _free_name(self, wanted: str) -> str:
        """A name that no run has."""
        taken = {run.status.name for run in self.listing().runs}
        if not wanted:
            return next(name for n in range(1, 1_000_000) if (name := f"Run {n}") not in taken)
        wanted = checked_name(wanted)
        if wanted not in taken:
            return wanted
        return next(name for n in range(2, 1_000_000) if (name := f"{wanted} ({n})") not in taken)

    # ---- changed

    def rename(self, identifier: str, name: str) -> None:
        """Give a run another name."""
        self.get(identifier).update(name=checked_name(name))

    def take_checkpoint(self, identifier: str, step: int) -> None:
        """Let the result of a run be that of another of its checkpoints.

        Raises:
            RunError: It is in progress, has no result, or has no such checkpoint.
        """
        run = self.get(identifier)
        with self._queue.kept_out(run):
            take_checkpoint(run, step)
        changes.note_change(run.path)

    def delete(self, identifier: str) -> Deleted:
        """Move a run to the trash.

        Raises:
            RunError: It is in progress, here or in another program.
        """
        run = self.get(identifier)
        label = run.status.name
        with self._queue.kept_out(run):
            deleted = self._workspace.discard(run.path, label)
            self._forget(run)
        changes.note_change(run.path)
        return deleted

    def _forget(self, run: RunDirectory) -> None:
        run.release()
        with self._registry:
            self._open.pop(run.id, None)
