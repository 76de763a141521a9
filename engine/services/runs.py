"""Runs: started, held, stopped, gone on with; listed, renamed and deleted."""

from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base_holder import BaseHolder
from engine.damage import Damaged
from engine.errors import StudioError, TicketsError
from engine.model.sources import check
from engine.recipe import Recipe
from engine.tickets.dataset.files import TRAIN
from engine.tickets.library import DataSets
from engine.training.runs.catalogue import Runs
from engine.training.runs.directory import RunDirectory
from engine.training.runs.index import RunInfo
from engine.training.runs.queue import TrainingQueue
from engine.workspace import Deleted, Workspace

if TYPE_CHECKING:
    from engine.model.snapshot import Snapshot


class RunService:
    """All runs of a workspace, those that train and those that wait among them.

    Args:
        workspace: Where they are.
        tickets: The data sets that they learn from.
        bases: Who lends the base model.
    """

    def __init__(self, workspace: Workspace, tickets: DataSets, bases: BaseHolder) -> None:
        self._workspace = workspace
        self._tickets = tickets
        self.queue = TrainingQueue(bases, workspace.cache)
        self._runs = Runs(workspace, self.queue)

    # ---- what is there

    def all(self) -> list[RunInfo]:
        """Return all runs, the newest first; looks at the disk only for what may be new."""
        return list(self._runs.listing().runs)

    def revision(self) -> int:
        """Return a number that changes when what a list of runs shows does."""
        return self._runs.listing().revision

    def info(self, run: str) -> RunInfo:
        """Return one run as the list shows it.

        Raises:
            StudioError: It is not there any more.
        """
        return self._runs.info(run)

    def get(self, run: str) -> RunDirectory:
        """Return a run's folder; the same object each time, so that its history is read once.

        Raises:
            StudioError: It is not there any more.
        """
        return self._runs.get(run)

    def open_at(self, folder: Path) -> str:
        """Know a run that lies outside the workspace, and return its id; it is in no list.

        Raises:
            StudioError: There is no run.
        """
        if not (folder / "recipe.json").exists():
            raise StudioError(
                f"{folder} is no run (recipe.json is missing).", "Name the folder given to 'train --run'."
            )
        run = RunDirectory(folder.resolve())
        self._runs.take_in(run)
        return run.id

    def make_at(self, folder: Path, recipe: Recipe, data: Path) -> str:
        """Make a run outside the workspace, ready to be started with :meth:`resume`, and return its id.

        Args:
            folder: Where; it must hold no run.
            recipe: Its hyperparameters.
            data: The folder of a prepared data set.

        Raises:
            StudioError: There is no data set, the folder holds a run, or the disk is full.
        """
        if not (data / TRAIN).exists():
            raise TicketsError(f"{data} holds no {TRAIN}.", "Run 'python -m engine prepare' first.")
        run = RunDirectory.create_at(folder, recipe, data, folder.resolve().name)
        self._runs.take_in(run)
        return run.id

    def damaged(self) -> list[Damaged]:
        """Return what lies among the runs and is none."""
        stray = (path for path in self._workspace.entries(self._workspace.runs) if not path.is_dir())
        return [Damaged(path, "It is no folder of a run.") for path in stray]

    # ---- training

    def start(self, recipe: Recipe, dataset: str, name: str = "", press: str = "", started_by: str = "") -> str:
        """Start a run, or queue it behind the one in progress.

        Args:
            recipe: Its hyperparameters.
            dataset: The data set's id.
            name: What it is to be called; chosen where empty. A number is added where another run is called that.
            press: Names the press of a button: a second call for the same one returns the run of the first.
            started_by: The person who starts it, where people log in.

        Returns:
            The run's id.

        Raises:
            StudioError: The data set is gone, there is no such model, the disk is full, or the GPU no longer answers
                this program.
        """
        check(recipe.model)
        data, info = self._tickets.get(dataset), self._tickets.info(dataset)
        return self._runs.begin(recipe, data.folder, info.name, name, press, started_by)

    def pause(self, run: str) -> None:
        """Hold at the next step boundary.

        Raises:
            RunError: It is not in progress here.
        """
        self._check_here(run)
        self.queue.pause(run)

    def resume(self, run: str) -> None:
        """Go on: a paused run at once, one that has ended from its newest sound checkpoint.

        Raises:
            RunError: There is nothing to go on from, or another program trains it.
        """
        if self.queue.knows(run):
            self.queue.unpause(run)
            return
        directory = self.get(run)
        _ = directory.recipe  # a damaged one is said at once
        self.queue.add(directory)

    def stop(self, run: str) -> None:
        """End a run at the next step boundary; its last checkpoint stays.

        Raises:
            RunError: It is not in progress here.
        """
        self._check_here(run)
        self.queue.stop(run)

    def can_be_asked(self, run: str) -> bool:
        """Whether a run trains here, so that it can be asked as it is after the step under way."""
        return self.queue.can_be_asked(run)

    def snapshot(self, run: str) -> "Future[Snapshot]":
        """Ask for the weights of a run as they are after the step under way.

        Raises:
            RunError: It does not train here.
        """
        return self.queue.snapshot(run)

    def wait(self, run: str, timeout: float) -> bool:
        """Wait until a run has ended or left the queue; say whether it has, within ``timeout`` seconds."""
        return self.queue.wait(run, timeout)

    def _check_here(self, run: str) -> None:
        """Make sure that no other program trains a run, which cannot be told from here what to do."""
        if not self.queue.knows(run):
            self.get(run).check_not_elsewhere()

    # ---- changed

    def rename(self, run: str, name: str) -> None:
        """Give a run another name."""
        self._runs.rename(run, name)

    def take_checkpoint(self, run: str, step: int) -> None:
        """Let the adapter of a run that has ended be that of another of its checkpoints.

        Raises:
            RunError: It is in progress, has no adapter yet, or that checkpoint is not on the disk any more.
        """
        self._runs.take_checkpoint(run, step)

    def delete(self, run: str) -> Deleted:
        """Move a run to the trash.

        Raises:
            RunError: It is in progress, here or in another program.
        """
        return self._runs.delete(run)

    def kept_out(self, run: str) -> AbstractContextManager[None]:
        """Keep a run that nobody trains from being trained, while its folder is changed.

        Raises:
            RunError: On entering: it is in progress, here or in another program.
        """
        return self.queue.kept_out(self.get(run))

    def close(self) -> None:
        """Stop the run in progress at its next step."""
        self.queue.close()
