"""Facts that answers have from nowhere, against the data set that the voices learnt from or are asked about."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.chat.records import Voice
from engine.errors import StudioError
from engine.services.lookup import LOOK, LookupService
from engine.services.stages import result_of
from engine.task import Task
from engine.turns import Turn
from engine.verdict.facts.fact import Fact

if TYPE_CHECKING:
    from engine.verdict.facts.index import FactIndex

PATIENCE = 3.0
"""Seconds that an answer waits for the facts of the training answers to be read; it is shown without marks then, and
the next one has them."""


class FactService:
    """Finds what voices have invented.

    Args:
        lookup: Finds the nearest tickets, whose facts an answer may state.
    """

    def __init__(self, lookup: LookupService) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._opened: tuple[Path, FactIndex] | None = None
        self._reading: dict[Path, Task[FactIndex]] = {}

    def inventions(
        self,
        voices: Sequence[Voice],
        turns: Sequence[Turn],
        answers: Mapping[str, str],
        dataset: str = "",
        ticket: str = "",
        reference: str = "",
        patience: float = PATIENCE,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> dict[str, tuple[Fact, ...]] | None:
        """Return for each answer what stands neither in the ticket, nor in a near one, nor in the training answers.

        Args:
            voices: Who answered; the first run's own data counts, else the data set.
            turns: What customers and real agents have said, up to and with the question; no model's words.
            answers: Voice or any other name -> what was answered.
            dataset: The data set that counts where no voice is a run.
            ticket: The held-out ticket that was asked about, if any; look-up does not find it.
            reference: What the agent really answered, where that is known: all its facts are true.
            patience: Seconds to wait for facts that are being read.
            should_stop: Ends the waiting.

        Returns:
            None where there is no data set, or its facts are not read in time.

        Raises:
            StudioError: The tickets are damaged, or the disk is full.
        """
        try:
            folder = self._lookup.home(voices, dataset)
        except StudioError:
            return None
        return self.inventions_in(folder, turns, answers, ticket, reference, patience, should_stop)

    def inventions_in(
        self,
        folder: Path,
        turns: Sequence[Turn],
        answers: Mapping[str, str],
        ticket: str,
        reference: str,
        patience: float,
        should_stop: Callable[[], bool],
    ) -> dict[str, tuple[Fact, ...]] | None:
        """As :meth:`inventions`, against the data set or a run's copy of one in ``folder``."""
        from engine.verdict.inventions import inventions, sides

        index = self._index(folder, patience, should_stop)
        if index is None:
            return None
        told, agents = sides(turns, result_of(self._lookup.find(folder, turns, ticket, should_stop)), reference)
        return {name: inventions(answer, told, agents, index) for name, answer in answers.items()}

    def _index(self, folder: Path, patience: float, should_stop: Callable[[], bool]) -> "FactIndex | None":
        """Open the facts of a data set, or let them be read in the background and wait for that."""
        from engine.verdict.facts.index import fact_index, is_current

        with self._lock:
            opened = self._opened
            if opened and opened[0] == folder and is_current(opened[1], folder):
                return opened[1]
            task = self._reading.get(folder)
            if task is None or task.snapshot().state != "running":
                task = self._reading[folder] = Task("Reading the facts", lambda _: fact_index(folder))
        waited = 0.0
        while waited < patience and not task.ended(LOOK) and not should_stop():
            waited += LOOK
        progress = task.snapshot()
        if progress.error:
            raise progress.error
        if progress.result is not None:
            with self._lock:
                self._opened = (folder, progress.result)
                self._reading.pop(folder, None)
        return progress.result
