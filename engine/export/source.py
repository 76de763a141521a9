"""ExportSource: what is exported, a run's result or an imported adapter, with all that a format needs to know of it.

It knows where things lie and how the base is lent; it knows no format.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base_holder import BaseHolder
from engine.errors import Cancelled, ModelError, StudioError
from engine.export.result import Result, newest_result
from engine.model.size import size_of
from engine.model.sources import is_hub_id, resolve
from engine.recipe import Recipe
from engine.task import Report
from engine.tickets.dataset.files import HELDOUT
from engine.training.runs.directory import RunDirectory
from engine.workspace import read_object

if TYPE_CHECKING:
    from engine.model.adapter_files import Adapter
    from engine.model.base import BaseModel


ABOUT = "about.json"
"""Beside an adapter that was brought in: its name here, its base, and where it came from."""
PASSPORT = "passport.json"
"""The file that says where an export comes from (passport.py)."""


@dataclass(frozen=True)
class ExportSource:
    """Something that can be taken home."""

    name: str
    """What the person calls it."""
    adapter: Path
    """A PEFT adapter with its tokenizer and chat template beside it."""
    recipe: Recipe
    """How it was trained: which base, packed how. Its ``model`` is the base as this computer knows it."""
    bases: BaseHolder
    """Lends the base in 4 bit."""
    cache: Path
    """The workspace's, where the starter model lies."""
    run: RunDirectory | None = None
    """The run that it is the result of; None for an imported adapter."""
    step: int = 0
    """Of the checkpoint; 0 for the adapter that a run has ended with."""
    saved: tuple[str, ...] = ()
    """Questions that the person has saved: it is tried with them where no ticket was held out."""

    @classmethod
    def of_run(cls, run: RunDirectory, bases: BaseHolder, cache: Path, saved: tuple[str, ...] = ()) -> "ExportSource":
        """Return a run's finished adapter, or its newest checkpoint while there is none.

        Raises:
            RunError: It has neither.
        """
        result = newest_result(run)
        return cls(run.status.name, result.folder, run.recipe, bases, cache, run, result.step, saved)

    @property
    def home(self) -> Path:
        """The folder that keeps what belongs to it: its exports, and how they were tried."""
        return self.run.path if self.run else self.adapter

    @cached_property
    def passport(self) -> dict[str, Any]:
        """What an adapter that was brought in has brought along of its origin; empty where that is nothing."""
        return {} if self.run else _told(self.adapter / PASSPORT)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What is remembered of how an adapter was brought in; empty where that is nothing."""
        return {} if self.run else _told(self.adapter / ABOUT)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """The versions and the device that it was trained with, as far as they are known."""
        found = _told(self.run.path / "environment.json") if self.run else self.passport.get("environment")
        return found if isinstance(found, dict) else {}

    def tokenizer(self, report: Report) -> Path:
        """Return the folder of its tokenizer: its own, or the base's where an adapter came without.

        Raises:
            ModelError: The base is not to be had.
        """
        return self.adapter if (self.adapter / "tokenizer_config.json").is_file() else self.base_folder(report)

    @property
    def result(self) -> Result:
        """The weights, as the card asks for them."""
        return Result(self.adapter, self.step)

    @property
    def heldout(self) -> Path | None:
        """The run's held-out conversations, which never leave with an export; None where there are none."""
        file = self.run.data / HELDOUT if self.run else None
        return file if file and file.is_file() and file.stat().st_size else None

    @cached_property
    def parameters(self) -> int | None:
        """How many parameters the base has; None where that is not known before it is fetched."""
        size = size_of(self.recipe.model)
        if size is None:
            from engine.model import hub

            model = self.recipe.model
            if Path(model).expanduser().is_dir() or not hub.is_here(model):
                return None
            size = size_of(resolve(model, self.cache, lambda *_: None))
        return size.linear + size.other if size else None

    @cached_property
    def revision(self) -> str | None:
        """The hub's commit of the base, where its files here say so; None for a local folder and the starter model."""
        from engine.model import hub

        model = self.recipe.model
        if not is_hub_id(model) or Path(model).expanduser().is_dir() or not hub.is_here(model):
            return None
        return Path(resolve(model, self.cache, lambda *_: None)).name  # .../snapshots/<commit>

    def base_folder(self, report: Report) -> Path:
        """Return the folder of the base's own checkpoint, in 16 bit as it was published; fetched where it is not here.

        Raises:
            ModelError: It is not to be had.
        """
        return Path(resolve(self.recipe.model, self.cache, report))

    @contextmanager
    def base(self, report: Report) -> "Iterator[BaseModel]":
        """Hold the base in 4 bit, loaded as the run had it; shared with whoever else uses it.

        Raises:
            Cancelled: ``report`` said so while it waited.
            StudioError: It cannot be loaded, or a run needs another one.
        """

        def called_off() -> bool:
            try:
                report("Waiting for the base model", None)
            except Cancelled:
                return True
            return False

        with self.bases.use(self.recipe, report=report, should_stop=called_off) as base:
            if base is None:
                raise Cancelled
            yield base

    def read_adapter(self, base: "BaseModel") -> "Adapter":
        """Read the weights, and make sure that they were trained over those of the base.

        Raises:
            ModelError: They are damaged, or were trained over another base.
        """
        from engine.model.adapter_files import check_mark, read_adapter

        check_mark(self.adapter, base.mark)
        try:
            return read_adapter(self.adapter)
        except OSError as error:
            raise ModelError(f"The adapter {self.adapter.name} is not here any more.", "Export it again.") from error


def _told(file: Path) -> dict[str, Any]:
    """A file of JSON; nothing where it is missing or damaged: an export does without."""
    try:
        return read_object(file)
    except StudioError:
        return {}
