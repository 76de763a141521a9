"""DataSets: the prepared tickets of a workspace: made, listed, edited, prepared again.

    datasets/<id>/   the files that :mod:`engine.tickets.dataset.files` names

Long work runs in a :class:`engine.task.Task`; the readers and cleaners are imported when they are first needed. Knows
nothing of models.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.damage import Damaged, readable
from engine.errors import StudioError, TicketsError
from engine.scratch import scratch
from engine.task import Task
from engine.tickets import sandbox
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import EDITS, HELDOUT, NAME, REPORT, SOURCES, TRAIN
from engine.tickets.dataset.provenance import TERM_KINDS, Origin, TermKind, keep_sources, kept_sources
from engine.tickets.importing.detect import Detection
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import SourceOverrides
from engine.tickets.preparing.report import Progress, Report
from engine.tickets.privacy.second_look import FinderOpener
from engine.workspace import Deleted, Workspace, checked_name, disk_errors, read_object, write_json

SAMPLE = Path(__file__).parents[2] / "assets" / "sample_tickets.ndjson"
SAMPLE_NAME = "Sample shop"


@dataclass(frozen=True, slots=True)
class DataSetInfo:
    """A prepared data set in the list."""

    id: str
    name: str
    created_at: float
    """Unix seconds."""
    train: int
    """Conversations to learn from."""
    heldout: int
    format: str
    """As in report.json."""
    revision: int = 0
    """Another number whenever something in it has changed."""


class DataSets:
    """All data sets of a workspace.

    Args:
        workspace: Where they are kept.
        open_finder: Opens a model that looks for names; see :mod:`engine.tickets.privacy.second_look`.
    """

    def __init__(self, workspace: Workspace, open_finder: FinderOpener | None = None) -> None:
        self._workspace = workspace
        self._open_finder = open_finder
        self._lock = threading.RLock()

    def detect(self, files: Sequence[Path], overrides: SourceOverrides | None = None) -> Task[Detection]:
        """Find out what kind of export the files are, with the evidence, in the background.

        Returns:
            A task that fails with a TicketsError where they are of no known kind; the sentence says what was seen.
        """

        def action(task: Task[Detection]) -> Detection:
            task.report("Looking into the files")
            found = sandbox.detect(files, overrides, lambda: task.cancelled)
            return replace(found, remembered=self._remembered(found)) if found.writers else found

        return Task("Looking into the files", action)

    def _remembered(self, found: Detection) -> tuple[str, ...]:
        """Return who of the writers has been named the support for a data set that is still here."""
        named = set[str]()
        for info in self.all():
            with suppress(StudioError):
                named.update(agent.casefold() for agent in self.origin(info.id).used.overrides.agents)
        names = [writer.name for writer in found.writers]
        return tuple(name for name in names if {name.casefold(), name.casefold().rpartition("@")[2]} & named)

    # ---- what is there

    def all(self) -> list[DataSetInfo]:
        """Return the data sets, the newest first."""
        return self._looked_through()[0]

    def damaged(self) -> list[Damaged]:
        """Return what lies among the data sets and cannot be read."""
        return self._looked_through()[1]

    def _looked_through(self) -> tuple[list[DataSetInfo], list[Damaged]]:
        return readable(self._workspace.entries(self._workspace.datasets), self._info)

    def info(self, identifier: str) -> DataSetInfo:
        """Return a data set as the list shows it.

        Raises:
            StudioError: It is not there any more, or damaged.
        """
        return self._info(self._folder(identifier))

    def _info(self, folder: Path) -> DataSetInfo:
        report, named = DataSet(folder).report, _named(folder)
        for name in (TRAIN, HELDOUT):
            if not (folder / name).is_file():
                raise TicketsError(f"{name} of the data set is missing.", "Prepare the tickets again.")
        changed = (folder / REPORT).stat().st_mtime_ns
        return DataSetInfo(
            folder.name, named["name"], named["created_at"], report.train, report.heldout, report.format, changed
        )

    def get(self, identifier: str) -> DataSet:
        """Return a data set.

        Raises:
            StudioError: It is not there any more.
        """
        return DataSet(self._folder(identifier))

    def rename(self, identifier: str, name: str) -> None:
        """Give a data set another name."""
        folder = self._folder(identifier)
        _label(folder, name=checked_name(name))

    def delete(self, identifier: str) -> Deleted:
        """Move a data set to the trash. Runs keep their own copy."""
        folder = self._folder(identifier)
        return self._workspace.discard(folder, _named(folder)["name"])

    def _folder(self, identifier: str) -> Path:
        return self._workspace.child(self._workspace.datasets, identifier)

    # ---- made

    def prepare(self, files: Sequence[Path], name: str, options: PrepareOptions | None = None) -> Task[str]:
        """Turn an export into a data set, in the background.

        Returns:
            A task whose result is the data set's id.
        """

        def action(task: Task[str]) -> str:
            home = self._workspace.datasets
            with disk_errors(home), scratch(home, "import") as aside:
                folder = aside / "data set"
                folder.mkdir(mode=0o700)
                self._fill(folder, files, options or PrepareOptions(), task)
                write_json(folder / NAME, {"name": name, "created_at": time.time()})
                return self._workspace.place(folder, home, name).name

        return Task(f"Reading {name}", action)

    def prepare_into(self, out: Path, files: Sequence[Path], options: PrepareOptions) -> Task[Report]:
        """Turn an export into a data set outside the workspace, in the background; no copy of the export is kept.

        Args:
            out: The folder.
            files: The export.
            options: How.
        """

        def action(task: Task[Report]) -> Report:
            from engine.tickets.preparing.pipeline import prepare

            stop, finder = (lambda: task.cancelled), self._open_finder
            made = prepare(files, out, options, _reporting_to(task), stop, finder, builder=sandbox.build)
            Origin(_named_with_size(files), False, options, options).save(out)
            return made

        return Task("Reading the export", action)

    def prepare_sample(self) -> Task[str]:
        """Turn the sample shop's export into a data set, in the background."""
        return self.prepare([SAMPLE], SAMPLE_NAME)

    def prepare_again(
        self, identifier: str, options: PrepareOptions | None = None, files: Sequence[Path] = ()
    ) -> Task[str]:
        """Prepare a data set anew: with other options, or from a newer export; its edits and terms stay.

        The old one stays until the new one is complete; runs keep their own copy.

        Args:
            identifier: The data set.
            options: How; None means as :meth:`wanted <want>`.
            files: The newer export; none means the copy that was kept.

        Returns:
            A task whose result is the data set's id.
        """
        folder = self._folder(identifier)
        name = _named(folder)["name"]

        def action(task: Task[str]) -> str:
            origin = Origin.load(folder)
            chosen = options or origin.wanted
            if files:
                chosen = replace(chosen, hub={})
            if files and not _fits(files, chosen.overrides, task):
                chosen = replace(chosen, overrides=SourceOverrides())
            self._fill(folder, files or kept_sources(folder), chosen, task, origin)
            _label(folder, created_at=time.time())
            return identifier

        return Task(f"Preparing {name} again", action)

    def _fill(
        self,
        folder: Path,
        files: Sequence[Path],
        options: PrepareOptions,
        task: Task[str],
        before: Origin | None = None,
    ) -> None:
        """Prepare into a folder, and note where it came from once that is done."""
        from engine.tickets.preparing.pipeline import prepare

        again = folder / SOURCES in [file.parent.parent for file in files]
        edits = Edits.load(folder / EDITS)
        with disk_errors(folder), scratch(folder, "sources") as aside:
            staged = aside / SOURCES
            prepared = replace(options, edits=edits, same_files=again)
            copied = again or keep_sources(files, staged, task.report, lambda: task.cancelled)
            # The sample is our own; a stranger's file is not.
            prepare(
                files,
                folder,
                prepared,
                _reporting_to(task),
                lambda: task.cancelled,
                self._open_finder,
                builder=None if list(files) == [SAMPLE] else sandbox.build,
            )
            with self._lock:
                if not again:
                    shutil.rmtree(folder / SOURCES, ignore_errors=True)
                    if copied:
                        staged.rename(folder / SOURCES)
                self._settle(folder, options, again)
                now = Origin.load(folder)
                wanted = options if before is None or now.wanted == before.wanted else now.wanted
                Origin(_named_with_size(files), copied, options, wanted).save(folder)

    def _settle(self, folder: Path, options: PrepareOptions, again: bool) -> None:
        """Bring the edits' keys up to date, and apply what was edited while tickets were prepared."""
        from engine.tickets.dataset.editing import apply_edits

        edits = Edits.load(folder / EDITS)
        if edits != Edits():
            stable = again or DataSet(folder).report.stable_ids
            _, now = apply_edits(folder, edits, options, ids_hold=stable)
            now.save(folder / EDITS)

    # ---- changed by hand

    def edits(self, identifier: str) -> Edits:
        """Return what the person changed in a data set."""
        return Edits.load(self._folder(identifier) / EDITS)

    def edit(self, identifier: str, edits: Edits) -> None:
        """Keep other edits and bring them into effect at once.

        Args:
            identifier: The data set.
            edits: All edits, not only new ones.

        Raises:
            TicketsError: Nothing would be left to learn from; then nothing is changed.
        """
        from engine.tickets.dataset.editing import apply_edits

        folder = self._folder(identifier)
        with self._lock:
            apply_edits(folder, edits, Origin.load(folder).used)
            edits.save(folder / EDITS)

    def origin(self, identifier: str) -> Origin:
        """Return where a data set came from, how it was prepared, and what is wanted next time."""
        return Origin.load(self._folder(identifier))

    def want(self, identifier: str, kind: TermKind, term: str, wanted: bool = True) -> None:
        """Note for the next preparation that a term or agent is decided about; or take that back.

        Raises:
            TicketsError: The term is empty.
        """
        term = " ".join(term.split())
        if not term or kind not in TERM_KINDS:
            raise TicketsError("The term is empty.", "Type the words that are to be masked.")
        folder = self._folder(identifier)
        with self._lock:
            origin = Origin.load(folder)
            others = tuple(other for other in getattr(origin.wanted, kind) if other.casefold() != term.casefold())
            changed: dict[str, Any] = {kind: (*others, term) if wanted else others}
            replace(origin, wanted=replace(origin.wanted, **changed)).save(folder)

    def forget_sources(self, identifier: str) -> None:
        """Delete the copy of the export; the data set stays."""
        folder = self._folder(identifier)
        with self._lock:
            shutil.rmtree(folder / SOURCES, ignore_errors=True)
            replace(Origin.load(folder), kept=False).save(folder)


def _named_with_size(files: Sequence[Path]) -> tuple[tuple[str, int], ...]:
    return tuple((file.name, file.stat().st_size) for file in files)


def _reporting_to(task: Task[Any]) -> Callable[[Progress], None]:
    """Return what a preparation tells its progress, to be shown as the task's."""
    return lambda state: task.report(state.stage, state.done / state.total if state.total else None)


def _named(folder: Path) -> dict[str, Any]:
    """Return the name of a data set and when it was made; those of its folder where name.json is damaged."""
    try:
        named = read_object(folder / NAME)
        name, created_at = named["name"], named["created_at"]
        if isinstance(name, str) and isinstance(created_at, int | float):
            return {"name": name, "created_at": created_at}
    except (StudioError, KeyError):
        pass
    return {"name": folder.name, "created_at": folder.stat().st_mtime}


def _label(folder: Path, **changes: Any) -> None:
    """Change the name of a data set, or when it was made."""
    file = folder / NAME
    if file.is_dir():
        shutil.rmtree(file)  # somebody's accident, and no file can take its place
    write_json(file, {**_named(folder), **changes})


def _fits(files: Sequence[Path], overrides: SourceOverrides, task: Task[Any]) -> bool:
    """Say whether what was put right for one export can be read with another one."""
    try:
        sandbox.detect(files, overrides, lambda: task.cancelled)
    except TicketsError:
        return False
    return True
