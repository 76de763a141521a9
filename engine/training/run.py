"""RunDirectory: everything that is known of one run, in one folder.

    runs/<id>/recipe.json          the recipe, as it was started
              data/                the conversations it learns from, copied, so that a deleted data set harms no run
              events.jsonl         the curve (events.py)
              status.json          state and name, renamed into place
              environment.json     versions and device
              checkpoints/         what resume needs (checkpoints.py)
              worker.log           what processes of its own print, on several GPUs (launching.py)
              adapter/             the result

The directory knows files; it knows neither threads nor models.
"""

import math
import os
import shutil
import time
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from engine.errors import RunError, StudioError
from engine.training import checkpoints
from engine.training.events import Event, HistoryReader, Record, append
from engine.training.recipe import Recipe
from engine.workspace import Workspace, disk_errors, read_json, write_json

RunState = Literal[
    "queued", "preparing", "running", "paused", "stopping", "finished", "cancelled", "failed", "interrupted"
]
ACTIVE: frozenset[RunState] = frozenset({"queued", "preparing", "running", "paused", "stopping"})
"""States in which a process is responsible for the run."""
RESUMABLE: frozenset[RunState] = frozenset({"cancelled", "failed", "interrupted"})


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of status.json."""

    name: str
    state: RunState
    created_at: float
    """Unix seconds."""
    message: str = ""
    """Why it ended, in words; empty where there is nothing to say."""
    dataset: str = ""
    """The data set's id and name at the time of the start."""
    dataset_name: str = ""
    process: int = 0
    """Process id of the program that trains it, while the state is active."""
    process_started: float = 0.0
    """When that process was started, so that a recycled process id is not mistaken for it."""
    lower_rate: float = 0.0
    """The learning rate to start again with, where the loss is no longer a number; else 0."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value, kind = getattr(self, item.name), item.type
            if not _fits(value, kind):
                raise TypeError(f"{item.name} of a run's status is {value!r:.80}")


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
        self._unwritten: Status | None = None
        self.history = HistoryReader(self.events_file)

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @classmethod
    def create(
        cls, workspace: Workspace, recipe: Recipe, dataset: Path, name: str, dataset_name: str = ""
    ) -> "RunDirectory":
        """Make a run in state 'queued' with a copy of the data set.

        Raises:
            ResourceError: The disk is full.
        """
        return cls.create_at(workspace.new_folder(workspace.runs, name), recipe, dataset, name, dataset_name)

    @classmethod
    def create_at(cls, path: Path, recipe: Recipe, dataset: Path, name: str, dataset_name: str = "") -> "RunDirectory":
        """As :meth:`create`, in a folder of the caller's choice; an earlier run there is refused."""
        run = cls(path)
        if run.status_file.exists():
            raise RunError(f"{path} already holds a run.", "Name another folder, or resume that run.")
        with disk_errors(path):
            run.data.mkdir(parents=True, exist_ok=True)
            run.checkpoints.mkdir(exist_ok=True)
            for file in ("train.jsonl", "heldout.jsonl", "report.json"):
                if (dataset / file).exists():
                    shutil.copyfile(dataset / file, run.data / file)
        write_json(path / "recipe.json", recipe.to_dict())
        write_json(
            run.status_file,
            asdict(Status(name, "queued", time.time(), "", dataset.name, dataset_name, *_this_process())),
        )
        return run

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
        """The status; an active one whose process has died reads 'interrupted', a damaged one too."""
        if self._unwritten:
            return self._unwritten
        try:
            status = Status(**read_json(self.status_file))
        except (StudioError, TypeError):
            return self._rebuilt_status()
        if status.state in ACTIVE and not _alive(status.process, status.process_started):
            return replace(status, state="interrupted", message="The program ended before the run did.")
        return status

    def _rebuilt_status(self) -> Status:
        """What can be told of a run whose status file is lost."""
        done = (self.adapter / "adapter_model.safetensors").exists()
        state: RunState = "finished" if done else "interrupted"
        return Status(self.id, state, self.path.stat().st_mtime, "Its status file was damaged and has been rebuilt.")

    def update(self, **changes: Any) -> Status:
        """Change fields of the status and write it.

        Raises:
            ResourceError: It cannot be written, the disk may be full. What this process says of the run is right all
                the same, so that it can be resumed when there is room again.
        """
        status = replace(self.status, **changes)
        if status.state in ACTIVE:
            process, started = _this_process()
            status = replace(status, process=process, process_started=started)
        if status.state not in ACTIVE:
            self._unwritten = status
        if self.status_file.is_dir():
            self._out_of_the_way(self.status_file)
        write_json(self.status_file, asdict(status))
        self._unwritten = None
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


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value out of status.json is of a field's type."""
    if kind is RunState:
        return value in get_args(RunState)
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)


def _this_process() -> tuple[int, float]:
    return os.getpid(), _start_of(os.getpid())


@cache
def _start_of(process: int) -> float:
    """When this process began: asked once, since the answer moves with the computer's clock."""
    import psutil

    return float(psutil.Process(process).create_time())


def _alive(process: int, started: float) -> bool:
    import psutil

    if process == os.getpid():
        return abs(_start_of(process) - started) < 2.0
    try:
        return bool(abs(psutil.Process(process).create_time() - started) < 2.0)
    except (psutil.Error, ValueError, OverflowError):
        return False
