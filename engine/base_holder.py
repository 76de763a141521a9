"""BaseHolder: the one base model that is loaded, who uses it, and when it gives way to another.

Never are two bases in memory. Whoever needs one stands in line, and holds a lease on it until the context ends; a base
gives way only when nobody holds it. Nothing is chosen before it is held. Who may go on is decided anew whenever
something changes:

    a run       shares the base that it needs with an answer that streams on it; needs it another one, it waits until
                nobody holds the one that is loaded, and swaps
    an answer   shares the base with the answers under way on it; needs it another one, it waits until nobody holds the
                one that is loaded, and whoever comes after it waits behind it; while a run that needs another base
                trains, or waits for that base, it is refused in words

The holder knows neither how a run trains nor how an answer is made.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RunError, StudioError
from engine.model.catalogue import title
from engine.recipe import FIELDS, Recipe
from engine.task import Report

if TYPE_CHECKING:
    from engine.model.base import BaseModel

LOOK = 0.1
"""Seconds between two looks at ``should_stop``, which nobody announces. They also wake a thread that was told of a
change while it went to sleep: an abandoned answer is given back by whichever thread collects it, this one too."""

TOLD_SECONDS = 0.05
"""A sweep over a streamed base's layers that takes longer is told: each token of an answer takes one."""

ANSWER_UNDER_WAY = "Waiting for the answer under way"


def _quiet(stage: str, fraction: float | None) -> None:
    """Say nothing."""


def _never() -> bool:
    return False


@dataclass(eq=False, slots=True)
class Lease:
    """A place in line for a base, and then the right to use it."""

    recipe: Recipe | None
    """Which base, loaded how; None takes whichever is loaded, else the starter model."""
    run: str = ""
    """The name of the run that it is for; empty for an answer."""
    empties: bool = False
    """Whether it wants memory without any base in it."""
    streamed: bool = False
    """Whether the GPU has no room for what it does over the whole base; a streamed one does for all others too."""
    base: "BaseModel | None" = None
    """The base, while it is held."""

    def agrees_with(self, other: "Lease") -> bool:
        """Whether one base can do for both."""
        if self.recipe is None or other.recipe is None:
            return True
        return self.recipe.base_options == other.recipe.base_options


class BaseHolder:
    """Loads a base when it is needed, in place of the one before.

    Args:
        cache: Where fetched models are kept.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._base: BaseModel | None = None
        self._changed = threading.Condition()
        self._line: list[Lease] = []
        """All who wait and all who hold the base, in the order in which they came."""
        self._turn: Lease | None = None
        """Whose turn it is to take the base or to swap it; meanwhile nobody else touches it."""
        self._closed = False

    @property
    def title(self) -> str:
        """The loaded base in words, or empty; of a streamed one also what a token of an answer takes. Never blocks."""
        base = self._base
        if base is None:
            return ""
        if not base.is_streamed:
            return base.title
        cost = f"{base.sweep_seconds:.1f} s a token"  # as measured when it was loaded
        return f"{base.title}, streamed: {cost}" if base.sweep_seconds >= TOLD_SECONDS else f"{base.title}, streamed"

    def answers_bytes(self, recipe: Recipe | None = None) -> int:
        """Return what answers hold of memory beside the base: adapters, scales, what was read. Never blocks.

        Args:
            recipe: Of a run that would begin now; where it needs another base, nothing stays. None asks for no run.
        """
        base = self._base
        if base is None or (recipe is not None and base.loaded_as != recipe.base_options):
            return 0
        return base.companions_bytes

    @contextmanager
    def use(
        self,
        recipe: Recipe | None,
        run: str = "",
        report: Report = _quiet,
        should_stop: Callable[[], bool] = _never,
        *,
        streamed: bool = False,
    ) -> Iterator["BaseModel | None"]:
        """Hold a base for as long as the context lasts; blocks until it is there.

        Args:
            recipe: Which base, loaded how; None takes whichever is loaded, else the starter model.
            run: The name of the run that it is for; empty for an answer.
            report: Told what it waits for, and how far the loading is.
            should_stop: Looked at while it waits.
            streamed: Whether the base's layers have to be brought in one by one.

        Yields:
            The base, or None when ``should_stop`` said so before it was held.

        Raises:
            StudioError: It cannot be loaded, or a run needs another one.
        """
        with self.line_up(recipe, run, streamed=streamed) as lease:
            for stage in self.stages(lease, report, should_stop):
                report(stage, None)
            yield lease.base

    @contextmanager
    def line_up(
        self, recipe: Recipe | None, run: str = "", *, empties: bool = False, streamed: bool = False
    ) -> Iterator[Lease]:
        """Stand in line for as long as the context lasts; :meth:`stages` leads to the base.

        Args:
            recipe: As in :meth:`use`.
            run: As in :meth:`use`.
            empties: Whether memory is wanted without any base in it.
            streamed: As in :meth:`use`.
        """
        lease = Lease(recipe, run, empties, streamed)
        with self._changed:
            self._line.append(lease)
        try:
            yield lease
        finally:
            with self._changed:
                self._line.remove(lease)
                if self._turn is lease:
                    self._turn = None
                lease.base = None
                self._changed.notify_all()

    def stages(self, lease: Lease, report: Report = _quiet, should_stop: Callable[[], bool] = _never) -> Iterator[str]:
        """Wait for a base and load it where need be; for those who stream what goes on meanwhile.

        Yields:
            What is being done, in words, before it is done. Afterwards ``lease.base`` is there, unless ``should_stop``
            said so first.

        Raises:
            StudioError: As in :meth:`use`.
        """
        yield from self._waiting(lease, should_stop)
        if self._turn is not lease:
            return
        if not self._suits(lease):
            wanted = lease.recipe or Recipe()
            yield f"Loading {title(wanted.model)} in 4 bit"
            self._swap(wanted, report, streamed=lease.streamed)
        elif self._base is not None and self._could_come_in(lease) and not self._held():
            yield f"Bringing {self._base.title} in, for which there is room"
            self._base.come_in()
        with self._changed:
            if not should_stop():
                lease.base = self._base
            self._turn = None
            self._changed.notify_all()

    def make_room(self, run: str, report: Report = _quiet, should_stop: Callable[[], bool] = _never) -> bool:
        """Give the base's memory back as soon as nobody holds it, for a run in processes of its own.

        Returns:
            Whether it was done; False when ``should_stop`` said so first.
        """
        with self.line_up(None, run, empties=True) as lease:
            for stage in self._waiting(lease, should_stop):
                report(stage, None)
            if self._turn is not lease:
                return False
            self._release()
            return True

    def close(self, timeout: float = 10.0) -> None:
        """Lend nothing from now on, and give the memory back when nobody holds the base any more.

        Args:
            timeout: Seconds to wait for those who do; whoever takes longer keeps it until the program has ended.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._changed.wait_for(lambda: self._turn is None and not self._held(), timeout):
                self._release()

    # ---- whose turn it is

    def _waiting(self, lease: Lease, should_stop: Callable[[], bool]) -> Iterator[str]:
        """Yield what a lease waits for until it has the turn, or ``should_stop`` says so."""
        said = ""
        while not should_stop():
            with self._changed:
                stage = self._obstacle(lease)
                if not stage:
                    self._turn = lease
                    return
                if stage == said:
                    self._changed.wait(LOOK)
                    continue
            said = stage
            yield stage

    def _obstacle(self, lease: Lease) -> str:
        """What a lease has to wait for, in words; empty when nothing is in its way.

        Raises:
            StudioError: It would wait for a run to end, or the program is closing.
        """
        if self._closed:
            raise StudioError("The program is closing.", "Start it again.")
        before = self._line[: self._line.index(lease)]
        stage = self._before_a_run(lease, before) if lease.run else self._before_an_answer(lease, before)
        return stage or ("Waiting for the base model" if self._turn else "")

    def _before_a_run(self, lease: Lease, before: list[Lease]) -> str:
        if any(other.run for other in before):
            return "Waiting for the run before it"
        return ANSWER_UNDER_WAY if self._held() and (not self._suits(lease) or self._could_come_in(lease)) else ""

    def _before_an_answer(self, lease: Lease, before: list[Lease]) -> str:
        run = next((other for other in self._line if other.run), None)
        if run and not run.agrees_with(lease):
            raise _refusal(lease, run)
        if run and run.base is None:
            return f"Waiting for '{run.run}' to begin"
        is_next = all(other.base for other in before if not other.run)
        return "" if is_next and (self._suits(lease) or not self._held()) else ANSWER_UNDER_WAY

    def _held(self) -> bool:
        return any(lease.base for lease in self._line)

    def _suits(self, lease: Lease) -> bool:
        if self._base is None or lease.empties or (lease.streamed and not self._base.is_streamed):
            return False
        return lease.recipe is None or self._base.loaded_as == lease.recipe.base_options

    def _could_come_in(self, lease: Lease) -> bool:
        """Whether the base is streamed for no reason: whom it is for can do with a whole one, which has room."""
        return self._base is not None and self._suits(lease) and not lease.streamed and self._base.can_come_in

    # ---- the memory

    def _swap(self, recipe: Recipe, report: Report, *, streamed: bool) -> None:
        """Load a base where the one before was; only for whoever has the turn."""
        from engine.model.base import load_base

        self._release()
        base = load_base(recipe, self._cache, report, streamed=streamed)
        _ = base.sweep_seconds  # measured now, for who asks may not have to wait
        self._base = base

    def _release(self) -> None:
        if self._base is not None:
            base, self._base = self._base, None
            base.release()


def _refusal(lease: Lease, run: Lease) -> StudioError:
    """Say which run needs the base, and in what that differs from the one that was asked for."""
    assert lease.recipe is not None
    assert run.recipe is not None
    needed, asked = run.recipe.base_options, lease.recipe.base_options
    options = ""
    if needed.model == asked.model:
        differing = (name for name in needed._fields if getattr(needed, name) != getattr(asked, name))
        options = " with " + ", ".join(f"{FIELDS[name].label} {getattr(needed, name)}" for name in differing)
    doing = "is training" if run.base else "is about to train"
    return RunError(
        f"'{run.run}' {doing} on {title(needed.model)}{options}, and one base model is loaded at a time.",
        "Wait for it to end, or stop it.",
    )
