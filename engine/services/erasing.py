"""Delete a customer: from data sets, review lists, runs' copies, what travels with adapters, and the trash.

<workspace>/deleted_customers.jsonl    what was done, a line a person, in numbers and names of runs alone; mode 0600
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from engine.errors import TicketsError
from engine.services.adapters import AdapterService
from engine.services.runs import RunService
from engine.services.traces import Traces, forget_made, forget_passing, forget_questions, holds_tickets
from engine.task import Task
from engine.tickets.dataset.erasing import Person, erase, person_of, theirs_in
from engine.tickets.dataset.erasure import Erasure
from engine.tickets.dataset.files import HELDOUT, TRAIN, TRAVELLED, numbered_lines
from engine.tickets.dataset.stored import conversations, json_line
from engine.tickets.library import DataSets
from engine.training.runs.changes import note_change
from engine.training.runs.events import LogNote
from engine.workspace import Workspace, disk_errors, write_atomically

DONE = "deleted_customers.jsonl"
_MADE_OF_IT = ("verdict", "verdict.json", "repeated.json", "replies.jsonl", "parity/questions.json")
"""What lies in a run's folder, or an adapter's, and holds tickets or answers to them; it can be made again."""


class ErasureService:
    """Deletes customers.

    Args:
        workspace: Everything below it is looked through.
        tickets: The data sets.
        runs: Those in progress are left alone, and the deletion refused.
        adapters: Imported ones may carry tickets.
    """

    def __init__(self, workspace: Workspace, tickets: DataSets, runs: RunService, adapters: AdapterService) -> None:
        self._workspace = workspace
        self._tickets = tickets
        self._runs = runs
        self._adapters = adapters

    def plan(self, dataset: str, ticket: str) -> Erasure:
        """Say what would be deleted with the customer of a ticket.

        Raises:
            TicketsError: There is no such ticket, or nothing would be left of the data set.
        """
        return self._found(dataset, person_of(self._tickets.get(dataset).folder, ticket))

    def erase(self, dataset: str, ticket: str) -> Task[Erasure]:
        """Delete the customer of a ticket for ever, in the background; it cannot be undone.

        Returns:
            A task whose result says what was done; it fails with a RunError where a run in progress learns from the
            person, and with a TicketsError where nothing would be left of the data set.
        """

        def action(task: Task[Erasure]) -> Erasure:
            person = person_of(self._tickets.get(dataset).folder, ticket)
            done = self._found(dataset, person)
            with ExitStack() as stack:
                runs = [run.id for run in self._runs.all() if theirs_in(self._runs.get(run.id).data, person)]
                for run in runs:
                    stack.enter_context(self._runs.kept_out(run))
                traces = Traces.of(self._folders(), person)
                for number, folder in enumerate(folders := list(self._folders())):
                    task.report(f"Looking through {folder.name}", number / len(folders))
                    if erase(folder, person):
                        _forget_what_was_made(folder.parent)
                        note_change(folder)
                for questions in (self._workspace.questions, self._workspace.trash):
                    forget_questions(questions, traces)
                forget_passing(self._workspace.passing, traces)
                for home in self._homes():
                    forget_made(home, _MADE_OF_IT, traces)
                for run in runs:
                    self._runs.get(run).emit(
                        LogNote(
                            "A customer was deleted: what they wrote is no longer in this run's tickets.", "warning"
                        )
                    )
            self._note(done)
            return done

        return Task("Deleting a customer", action)

    def _found(self, dataset: str, person: Person) -> Erasure:
        folder = self._tickets.get(dataset).folder
        here = theirs_in(folder, person)
        kept = sum(1 for name in (TRAIN, HELDOUT) for _ in numbered_lines(folder / name))
        if kept <= sum(not entry.reason for entry in here):
            raise TicketsError("Nothing would be left of this data set.", "Delete the data set instead.")
        sets = {info.id: info.name for info in self._tickets.all()}
        holding = [home for home in self._folders() if theirs_in(home, person)]
        runs = [run for run in self._runs.all() if self._runs.get(run.id).data in holding]
        learnt = [
            run.status.name
            for run in runs
            if (run.has_adapter or run.checkpoint) and _learnt_by(self._runs.get(run.id).data, person)
        ]
        travelled = [voice for voice in self._adapters.voices() if voice.path and voice.path / TRAVELLED in holding]
        named = [sets[home.name] for home in holding if home.parent == self._workspace.datasets and home.name in sets]
        return Erasure(
            conversations=len(here),
            data_sets=tuple(named),
            runs=tuple(run.status.name for run in runs),
            learnt=(*learnt, *(voice.label for voice in travelled)),
            elsewhere=len(holding) - len(named) - len(runs),
        )

    def _folders(self) -> Iterator[Path]:
        """Yield every folder of the workspace that holds conversations."""
        found = {file.parent for name in (TRAIN, HELDOUT) for file in self._workspace.root.rglob(name)}
        yield from sorted(found)

    def _homes(self) -> Iterator[Path]:
        """Yield every folder of a run or an adapter, what lies in the trash among them."""
        for folder in (self._workspace.runs, self._workspace.adapters, self._workspace.trash):
            yield from (path for path in self._workspace.entries(folder) if path.is_dir())

    def _note(self, done: Erasure) -> None:
        with disk_errors(self._workspace.root):
            file = self._workspace.root / DONE
            before = file.read_bytes() if file.exists() else b""
            write_atomically(file, before + json_line({"at": round(time.time()), **asdict(done)}))


def _learnt_by(data: Path, person: Person) -> bool:
    return any(entry.key in person.keys or entry.ticket in person.tickets for entry in conversations(data / TRAIN))


def _forget_what_was_made(run: Path) -> None:
    """Delete what a run's folder holds that was made of its tickets: judgements, and exports packed with tickets."""
    if not (run / "recipe.json").exists():
        return
    for path in (*(run / name for name in _MADE_OF_IT), *filter(holds_tickets, run.rglob("*.zip"))):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
