"""Look-up for whoever answers: in which data set, for which question, and how long that takes to be ready."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.chat.records import LookUp, Voice
from engine.errors import StudioError
from engine.services.runs import RunService
from engine.task import Task
from engine.tickets.dataset.files import LOOKUP, SPLIT_FILES, TRAIN, TRAVELLED
from engine.tickets.library import DataSets
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.tickets.lookup.coverage import Coverage
    from engine.tickets.lookup.index import TicketIndex
    from engine.tickets.lookup.question import Question
    from engine.tickets.lookup.shelf import IndexShelf

LOOK = 0.1
"""Seconds between two looks at whether an index that is being made is ready."""


class LookupService:
    """Finds the nearest tickets.

    Args:
        tickets: The data sets.
        runs: Whose copies of a data set are looked in for their adapters: what was held out from a run is not in it.
    """

    def __init__(self, tickets: DataSets, runs: RunService) -> None:
        self._tickets = tickets
        self._runs = runs
        self._named: Path | None = None
        self._indexes: IndexShelf | None = None
        self._coverages: dict[Path, Coverage] = {}

    def look_in(self, folder: Path) -> None:
        """Let everybody look in one folder from now on, whatever they learnt from.

        Raises:
            StudioError: No data set lies there.
        """
        if not (folder / TRAIN).is_file():
            raise StudioError(f"{folder} holds no {TRAIN}.", "Name a folder made by 'python -m engine prepare'.")
        self._named = folder

    def home(self, voices: Sequence[Voice], dataset: str) -> Path:
        """Return where the voices of one question look: all in one place, so that they can be compared.

        Args:
            voices: All that are asked; the first run's own tickets, else those that came with an adapter.
            dataset: The data set that is looked in otherwise.

        Raises:
            StudioError: There is none.
        """
        if self._named is not None:
            return self._named
        own = [self._runs.get(voice.run).data for voice in voices if voice.run]
        travelled = [voice.path / TRAVELLED for voice in voices if voice.path is not None]
        for folder in (*own, *travelled):
            if (folder / TRAIN).is_file():
                return folder
        if not dataset:
            raise StudioError("There are no tickets to look up.", "Choose a data set, or prepare your tickets.")
        return self._tickets.get(dataset).folder

    def find(
        self, folder: Path, conversation: Sequence[Turn], ticket: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Generator[str, None, LookUp | None]:
        """Look up what is nearest to a conversation that waits for an answer.

        Args:
            folder: As from :meth:`home`.
            conversation: Its messages so far.
            ticket: The ticket that the question is, where it is one of the data set: neither it, nor what is nearly the
                same, nor another one of its customer is found.
            should_stop: Ends the waiting.

        Yields:
            What is being done, while the index is made.

        Returns:
            What was found; None where ``should_stop`` said so.

        Raises:
            StudioError: The tickets are damaged or gone, or the disk is full.
        """
        from engine.chat.lookup import look_up
        from engine.tickets.lookup.index import OutdatedError

        while True:
            index = yield from self._index(folder, should_stop)
            if index is None:
                return None
            try:
                return look_up(index, _question(folder, conversation, ticket))
            except OutdatedError:  # it was edited in this very moment
                continue

    def coverage(
        self, folder: Path, conversation: Sequence[Turn], ticket: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Generator[str, None, float | None]:
        """Tell how much a question is like those that were learnt, 0 to 1 (:mod:`engine.tickets.lookup.coverage`).

        Args, yields and raises: As for :meth:`find`.

        Returns:
            The coverage; None where ``should_stop`` said so.
        """
        from engine.tickets.lookup.coverage import coverage_of
        from engine.tickets.lookup.index import OutdatedError

        while True:
            index = yield from self._index(folder, should_stop)
            if index is None:
                return None
            try:
                known = self._coverages.get(folder)
                if known is None or known.index.stamp != index.stamp:
                    yield "Learning what is usual"
                    known = self._coverages[folder] = coverage_of(index)
                return known.of(_question(folder, conversation, ticket))
            except OutdatedError:  # it was edited in this very moment
                continue

    def _index(self, folder: Path, should_stop: Callable[[], bool]) -> "Generator[str, None, TicketIndex | None]":
        """Open the index, or let it be made in the background and wait for it."""
        from engine.tickets.lookup.building import MAKING
        from engine.tickets.lookup.shelf import IndexShelf

        shelf = self._indexes = self._indexes or IndexShelf()
        if opened := shelf.opened(folder):
            return opened
        if (folder / LOOKUP).exists():
            yield "Opening the look-up"
            if ready := shelf.ready(folder):
                return ready

        def make(task: "Task[TicketIndex]") -> "TicketIndex":
            return shelf.get(folder, task.report)

        yield MAKING
        task = Task(MAKING, make)
        while (progress := task.snapshot()).state == "running":
            if should_stop():
                task.cancel()
                return None
            yield f"{MAKING} ({progress.fraction or 0:.0%})"
            task.ended(LOOK)
        if progress.error:
            raise progress.error
        return progress.result


def _question(folder: Path, conversation: Sequence[Turn], ticket: str) -> "Question":
    from engine.tickets.dataset.stored import conversations
    from engine.tickets.lookup.question import asked, customers_in, of_ticket

    if ticket:
        for file in reversed(SPLIT_FILES.values()):
            for entry in conversations(folder / file):
                if entry.ticket == ticket:
                    return replace(of_ticket(entry, customers_in(folder)), texts=asked(conversation).texts)
    return asked(conversation)
