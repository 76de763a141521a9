"""RunDirectory: everything that is known of one run, in one folder.

    runs/<id>/recipe.json          the recipe, as it was started
              data/                the conversations it learns from, copied, so that a deleted data set harms no run
              events.jsonl         what happened (events.py)
              curve.cache          the curve that the events tell, thinned, so that it opens at once (history_reader.py)
              status.json          state and name (status.py), renamed into place by one writer at a time
              environment.json     versions and device
              checkpoints/         what resume needs (checkpoints.py)
              worker.log           what processes of its own print, on several GPUs (launcher.py)
              adapter/             the result
              .owner, .status.lock who trains it and who writes its status now (ownership.py)

The directory knows files; it knows neither the queue nor models.
"""

import os
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.errors import ResourceError, RunError, StudioError
from engine.identity import is_alive, this_process
from engine.recipe import Recipe
from engine.tickets.dataset.files import CUSTOMERS, HELDOUT, LOOKUP, ORIGIN, PREFERENCES, REPORT, TRAIN
from engine.tickets.dataset.provenance import Origin
from engine.tickets.options import PrepareOptions
from engine.training.runs import checkpoints, ownership
from engine.training.runs.changes import note_change
from engine.training.runs.events import Event, Record, append
from engine.training.runs.history_reader import HistoryReader
from engine.training.runs.status import ACTIVE, ENDED, RunState, Status, check_step
from engine.workspace import Workspace, disk_errors, read_json, write_json


class RunDirectory:
    """One run's folder.

    Args:
        path: An existing folder made by :meth:`create`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.checkpoints = path / "checkpoints"
        self.adapter = path / "adapter"
        self.events_file = path / "events.jsonl"
        self.status_file = path / "status.json"
        self._unwritten: tuple[int, Status] | None = None
        """What could not be written, and the status file of that time: see :meth:`update`."""
        self._claim: ownership.Claim | None = None
        self.history = HistoryReader(self.events_file)

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @classmethod
    def create(
        cls, workspace: Workspace, recipe: Recipe, dataset: Path, name: str, dataset_name: str = ""
    ) -> "RunDirectory":
        """Make a run in state 'queued' with a copy of the data set; this process is responsible for it from now on.

        Raises:
            ResourceError: The disk is full.
        """
        return cls.create_at(workspace.new_folder(workspace.runs, name), recipe, dataset, name, dataset_name)

    @classmethod
    def create_at(cls, path: Path, recipe: Recipe, dataset: Path, name: str, dataset_name: str = "") -> "RunDirectory":
        """As :meth:`create`, in a folder of the caller's choice; an earlier run there is refused."""
        run = cls(path)
        run.fill(recipe, dataset, name, dataset_name)
        return run

    def fill(self, recipe: Recipe, dataset: Path, name: str, dataset_name: str = "", started_by: str = "") -> None:
        """Make the run in its folder; see :meth:`create`.

        Raises:
            RunError: The folder holds a run.
            ResourceError: The disk is full.
        """
        if self.status_file.exists():
            raise RunError(f"{self.path} already holds a run.", "Name another folder, or resume that run.")
        with disk_errors(self.path):
            self.data.mkdir(parents=True, exist_ok=True)
            self.checkpoints.mkdir(exist_ok=True)
            for file in (TRAIN, HELDOUT, CUSTOMERS, PREFERENCES, LOOKUP, REPORT):
                if (dataset / file).exists():
                    _copy(dataset / file, self.data / file)
            _note_masking(dataset, self.data)
        write_json(self.path / "recipe.json", recipe.to_dict())
        self.claim()
        status = Status(
            name,
            "queued",
            time.time(),
            "",
            dataset.name,
            dataset_name,
            *this_process(),
            started_by=started_by,
        )
        write_json(self.status_file, asdict(status))
        note_change(self.path)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it was started.

        Raises:
            StudioError: The file is missing, damaged or of another version.
        """
        values = read_json(self.path / "recipe.json")
        if not isinstance(values, dict):
            raise StudioError(f"recipe.json in {self.path} is damaged.", "Start a new run.")
        return Recipe.from_dict(values)

    @property
    def status(self) -> Status:
        """The status; an active one that nobody works on any more reads 'interrupted', a damaged one too."""
        if self._unwritten and self._unwritten[0] == self._version():
            return self._unwritten[1]
        try:
            status = Status(**read_json(self.status_file))
        except (StudioError, TypeError):
            return self._rebuilt_status()
        if status.state in ACTIVE and not self._is_worked_on(status):
            return replace(status, state="interrupted", message="The program ended before the run did.")
        return status

    def _is_worked_on(self, status: Status) -> bool:
        """Whether the process that wrote an active status is still responsible for the run."""
        is_mine = (status.process, status.process_started) == this_process()
        if is_mine or ownership.is_ours(self.path):
            return is_mine and ownership.is_ours(self.path)
        return is_alive(status.process, status.process_started)

    def _version(self) -> int:
        """A number that another writer of the status file changes; 0 without one."""
        try:
            return self.status_file.stat().st_mtime_ns
        except OSError:
            return 0

    def _rebuilt_status(self) -> Status:
        """What can be told of a run whose status file is lost."""
        done = (self.adapter / "adapter_model.safetensors").exists()
        state: RunState = "finished" if done else "interrupted"
        return Status(self.id, state, self.path.stat().st_mtime, "Its status file was damaged and has been rebuilt.")

    def claim(self) -> None:
        """Make this process responsible for the run; nothing where it is already.

        Raises:
            RunError: Another process is; in words.
            ResourceError: The folder cannot be written.
        """
        self._check_there()
        try:
            self._claim = ownership.claim(self.path)
        except RunError as error:
            raise RunError(*self._in_words_who()) from error

    def check_not_elsewhere(self) -> None:
        """Make sure that no other program trains the run.

        Raises:
            RunError: One does; in words.
        """
        if self.status.state in ACTIVE and not ownership.is_ours(self.path):
            raise RunError(*self._in_words_who())

    def _check_there(self) -> None:
        if not self.path.is_dir():
            raise RunError(f"'{self.id}' is not here any more.", "Pick another run from the list.")

    def _in_words_who(self) -> tuple[str, str]:
        """Say who trains the run, and what to do."""
        seen = self.status
        if seen.state not in ACTIVE:  # it has just begun and not written so yet
            return f"Another program is training '{seen.name}'.", "Wait for it to end, or stop it there."
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(seen.process_started))
        told = f"'{seen.name}' is {seen.state} in another program (process {seen.process}, begun {since})."
        return told, "Wait for it to end, or stop it there."

    def release(self) -> None:
        """Make this process no longer responsible; an active status reads 'interrupted' from then on."""
        ownership.give_up(self.path)
        self._claim = None
        note_change(self.path)

    def update(self, **changes: Any) -> Status:
        """Change fields of the status and write it: the only way to do so, for one thread and program at a time.

        A state in :data:`ACTIVE` makes this process responsible for the run, any other one ends that. Without a state
        the owner stays who it is.

        Raises:
            RunError: The state may not follow the one that the run is in, or another process trains it.
            ResourceError: It cannot be written, the disk may be full. What this process says of the run is right all
                the same, so that it can be resumed when there is room again.
        """
        wanted = changes.get("state")
        begins = wanted in ACTIVE and not ownership.is_ours(self.path)
        self._check_there()
        if begins:
            self.claim()
        try:
            status = self._write(changes, begins=begins)
        except StudioError as error:
            if begins or (wanted in ENDED and isinstance(error, ResourceError)):
                self.release()
            raise
        if wanted in ENDED:
            self.history.keep()
            self.release()
        note_change(self.path)
        return status

    def _write(self, changes: dict[str, Any], *, begins: bool) -> Status:
        status = None
        try:
            with ownership.writing(self.path):
                status = self._changed(changes, begins=begins)
                if self.status_file.is_dir():
                    self._out_of_the_way(self.status_file)
                write_json(self.status_file, asdict(status))
        except ResourceError:
            status = status or self._changed(changes, begins=begins)
            if status.state not in ACTIVE:
                self._unwritten = self._version(), status
            raise
        self._unwritten = None
        return status

    def _changed(self, changes: dict[str, Any], *, begins: bool) -> Status:
        """The status as it will be.

        Args:
            changes: Fields of it.
            begins: Whether this process has become responsible just now: nobody works on the run then, whatever is
                written.

        Raises:
            RunError: The state may not follow.
        """
        status = self.status
        if begins and status.state in ACTIVE:
            status = replace(status, state="interrupted")
        if "state" in changes:
            check_step(status, changes["state"])
        status = replace(status, **changes)
        if changes.get("state") in ACTIVE:
            process, started = this_process()
            status = replace(status, process=process, process_started=started)
        return status

    def _out_of_the_way(self, folder: Path) -> None:
        """Rename a folder that has the name of a file."""
        with disk_errors(self.path):
            folder.rename(self.path / f".{folder.name}-{time.time_ns()}")

    def emit(self, event: Event) -> None:
        """Append an event, stamped with the time."""
        append(self.events_file, Record(time.time(), event))

    def checkpoint_steps(self) -> list[int]:
        """Steps that have a checkpoint, ascending; whether each is sound, checkpoints.is_sound says."""
        return checkpoints.steps(self.checkpoints)

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint at ``step``."""
        return checkpoints.place(self.checkpoints, step)

    def has_adapter(self) -> bool:
        """Whether the run's result is complete."""
        return (self.adapter / "adapter_model.safetensors").exists()


def _note_masking(dataset: Path, data: Path) -> None:
    """Note how the tickets were masked; without the terms, which are somebody's, and where it is known."""
    with suppress(StudioError):
        if (dataset / ORIGIN).exists():
            used = Origin.load(dataset).used
            masking = PrepareOptions(mask=used.mask, mask_numbers=used.mask_numbers, country=used.country)
            Origin(used=masking, wanted=masking).save(data)


def _copy(source: Path, target: Path) -> None:
    """Copy a file with its times, by which the look-up knows it, but for whom this program writes: its owner alone."""
    shutil.copyfile(source, target)
    times = source.stat()
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
