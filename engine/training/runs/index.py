"""RunIndex: the list of all runs, kept in mind, so that a look at it costs the same however many there are.

What this process writes is known at once (changes.py); a run in progress is looked at each time; what other programs do
is found by looking at when files were written, at most once a second and never for more than a hundredth of the time.
Where nothing is new the same list is returned. The training never waits for any of this.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.training.runs import changes
from engine.training.runs.directory import RunDirectory
from engine.training.runs.history import History
from engine.training.runs.status import ACTIVE, RESUMABLE, Status

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at what other programs have written."""
SHARE = 100
"""Such looks take one part in so many of the time at most."""
LONG = 32 << 20
"""Bytes of events, some 160,000 steps, from which on they are read in the background where no curve is kept of them."""

_Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, eq=False, slots=True)
class RunInfo:
    """A run in the list; the same object for as long as nothing of it changes."""

    id: str
    status: Status
    recipe: Recipe | None
    """None when recipe.json is damaged."""
    history: History
    resumable: bool
    """Whether there is something that Resume can go on from."""
    has_adapter: bool
    checkpoint: int = 0
    """The step of the newest checkpoint on the disk; 0 where there is none."""

    @property
    def outline(self) -> tuple[object, ...]:
        """All of it that a list shows; the steps of a run in progress are not among it."""
        seen = self.history
        rest = (self.recipe is None, self.resumable, self.has_adapter, self.checkpoint)
        return self.status, seen.before, seen.best, *rest


@dataclass(frozen=True, slots=True)
class Listing:
    """All runs at one moment."""

    revision: int
    """Higher whenever a run has come, gone, or changed what a list shows of it (:attr:`RunInfo.outline`)."""
    runs: tuple[RunInfo, ...]
    """The newest first."""


@dataclass(slots=True)
class _Entry:
    signature: _Signature
    info: RunInfo


class RunIndex:
    """The list of the runs in one folder.

    Args:
        folder: The folder of all runs.
        open_run: Gives a run's directory by its id.
    """

    def __init__(self, folder: Path, open_run: Callable[[str], RunDirectory]) -> None:
        self._folder = folder
        self._open = open_run
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._active: set[str] = set()
        """Those of them that somebody trains."""
        self._listing = Listing(0, ())
        self._mark = -1
        self._made = 0
        """When the folder of all runs was last changed, in ns."""
        self._next_sweep = 0.0
        self._reading: set[str] = set()
        """Runs whose events are read in the background."""

    def listing(self) -> Listing:
        """Return all runs; the same object while nothing is new."""
        with self._lock:
            self._mark, touched = changes.since(self._mark)
            if touched is None or self._written_at() != self._made or time.monotonic() >= self._next_sweep:
                self._sweep({path.name for path in touched} if touched is not None else None)
            else:
                mine = {path.name for path in touched}
                self._look_at(mine | self._active, mine)
            return self._listing

    def _sweep(self, touched: set[str] | None) -> None:
        """Look at every run, and which there are."""
        began = time.monotonic()
        self._made = self._written_at()
        found = self._there()
        self._look_at(found | self._entries.keys(), found if touched is None else touched)
        now = time.monotonic()
        self._next_sweep = now + max(EVERY, SHARE * (now - began))

    def _there(self) -> set[str]:
        try:
            with os.scandir(self._folder) as entries:
                return {entry.name for entry in entries if entry.is_dir()}
        except OSError:
            return set()

    def _written_at(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def _look_at(self, names: Iterable[str], certainly: set[str]) -> None:
        """Bring runs of the list up to date; ``certainly`` those that have changed whatever their files say."""
        changed = outlined = False
        for name in names:
            before = self._entries.get(name)
            after = self._seen(name, before, certain=name in certainly)
            if after is before:
                continue
            changed = True
            if after is None:
                del self._entries[name]
            else:
                self._entries[name] = after
            if before is None or after is None or before.info.outline != after.info.outline:
                outlined = True
        if changed:
            self._active = {name for name, entry in self._entries.items() if entry.info.status.state in ACTIVE}
            runs = tuple(self._entries[name].info for name in sorted(self._entries, reverse=True))
            self._listing = Listing(self._listing.revision + outlined, runs)

    def _seen(self, name: str, before: _Entry | None, *, certain: bool) -> _Entry | None:
        """What is to be said of a run now; None where it is gone."""
        signature = _signature(self._folder / name)
        if before is not None and not certain and signature == before.signature and self._is_as_it_was(before.info):
            return before
        try:
            return _Entry(signature, self._info(name))
        except (StudioError, OSError) as error:  # it has been moved away
            log.debug("%s: %s", name, error)
            return None

    def _is_as_it_was(self, info: RunInfo) -> bool:
        """Whether a run whose files are unchanged still is what was said of it: its program may have been killed."""
        return info.status.state not in ACTIVE or self._open(info.id).status == info.status

    def _info(self, name: str) -> RunInfo:
        run = self._open(name)
        status = run.status
        try:
            recipe: Recipe | None = run.recipe
        except StudioError:
            recipe = None
        resumable = status.state in RESUMABLE and recipe is not None
        newest = max(run.checkpoint_steps(), default=0)
        return RunInfo(run.id, status, recipe, self._history(run), resumable, run.has_adapter(), newest)

    def _history(self, run: RunDirectory) -> History:
        """What its events tell; nothing yet where that takes seconds to find out."""
        if run.id in self._reading:
            return History()
        if run.history.behind() > LONG:
            self._reading.add(run.id)
            threading.Thread(target=self._read, args=(run,), name="reading events", daemon=True).start()
            return History()
        return run.history.glance()

    def _read(self, run: RunDirectory) -> None:
        try:
            run.history.keep()
        finally:
            self._reading.discard(run.id)
            changes.note_change(run.path)


def _signature(folder: Path) -> _Signature:
    """A value that another program's writing changes."""
    names = ("", "status.json", "recipe.json", "events.jsonl", "checkpoints", "adapter")
    return tuple(_stamp(folder / name) for name in names)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = os.stat(path)  # noqa: PTH116  a third quicker, and there are thousands
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
