"""Studio: the one object that the window and the command line talk to.

It owns the workspace and the holder of the one base model, and puts the services together that do the work (services/).
Everything heavy (torch, transformers, peft, trl) is imported when it is first needed, so that a Studio is made in
milliseconds. It knows nothing of Gradio.
"""

import threading
from dataclasses import dataclass

from engine.base_holder import BaseHolder
from engine.chat.records import Voice
from engine.damage import Damaged
from engine.errors import StudioError
from engine.hardware import DeviceReport, device_report, gpu_count
from engine.model.libraries import import_all
from engine.model.name_model import open_second_look
from engine.services.adapters import AdapterService
from engine.services.blind import BlindService
from engine.services.endpoint import EndpointService
from engine.services.erasing import ErasureService
from engine.services.export import ExportService
from engine.services.facts import FactService
from engine.services.hub import HubService
from engine.services.hub_data import HubDataService
from engine.services.importing import ImportService
from engine.services.leak import LeakService
from engine.services.lookup import LookupService
from engine.services.playground import PlaygroundService
from engine.services.questions import QuestionService
from engine.services.recipes import RecipeService
from engine.services.replies import ReplyService
from engine.services.runs import RunService
from engine.services.verdict import VerdictService
from engine.tickets.dataset.files import NAME, REPORT
from engine.tickets.library import DataSets
from engine.training.data.token_view import Tokens
from engine.training.runs.changes import note_change
from engine.training.runs.index import RunInfo
from engine.training.runs.progress import JobSnapshot
from engine.workspace import Deleted, Workspace

__all__ = ["RunInfo", "Studio", "StudioSnapshot", "Voice"]


@dataclass(frozen=True, slots=True)
class StudioSnapshot:
    """What the status bar says."""

    device: DeviceReport
    model: str
    """The loaded base in words, or empty."""
    job: JobSnapshot | None
    """The run in progress, or None."""
    queued: tuple[str, ...]
    """Ids of runs that wait."""
    answers: int = 0
    """Bytes that answers hold beside the loaded base."""


class Studio:
    """The program without its window.

    Args:
        workspace: Where everything is kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.bases = BaseHolder(workspace.cache)
        self.tickets = DataSets(workspace, open_second_look)
        self.tokens = Tokens(self.tickets, workspace.cache)
        self.runs = RunService(workspace, self.tickets, self.bases)
        self.recipes = RecipeService(workspace, self.tickets, self.tokens, self.runs, self.bases)
        self.adapters = AdapterService(workspace, self.runs)
        self.lookup = LookupService(self.tickets, self.runs)
        self.playground = PlaygroundService(workspace, self.tickets, self.runs, self.adapters, self.lookup, self.bases)
        self.erasure = ErasureService(workspace, self.tickets, self.runs, self.adapters)
        self.facts = FactService(self.lookup)
        self.replies = ReplyService(self.runs, self.lookup, self.facts)
        self.questions = QuestionService(workspace, self.playground, self.facts)
        self.export = ExportService(self.runs, self.adapters, self.bases, workspace.cache, self.questions.texts)
        self.hub = HubService(workspace, self.export)
        self.hub_data = HubDataService()
        self.importing = ImportService(workspace, self.adapters, self.export)
        self.verdict = VerdictService(self.runs, self.playground, self.lookup, self.bases, self.tickets)
        self.blind = BlindService(self.runs, self.verdict)
        self.leak = LeakService(self.runs, self.bases, self.verdict)
        self.endpoint = EndpointService(workspace, self.tickets, self.runs, self.playground)
        self._warm = threading.Event()
        workspace.sweep()
        workspace.empty_old_trash()

    def warm_up(self) -> None:
        """Import the heavy libraries in the background, once, so that the first use does not wait."""
        if not self._warm.is_set():
            self._warm.set()
            threading.Thread(target=import_all, name="warm-up", daemon=True).start()

    def snapshot(self) -> StudioSnapshot:
        """Return what the status bar says; never blocks on a model."""
        queue = self.runs.queue
        return StudioSnapshot(
            device_report(), self.bases.title, queue.current(), queue.waiting(), self.bases.answers_bytes()
        )

    def revision(self) -> tuple[int, ...]:
        """Return numbers of which one changes when what a list shows does; quick, for whoever asks again and again.

        The lists of runs, data sets, imported adapters, saved recipes and question sets, in this order.
        """
        mark, home = self.workspace.mark, self.workspace
        sets, brought = mark(home.datasets, REPORT, NAME), (home.adapters, home.models)
        adapters = hash(tuple(mark(folder, "about.json") for folder in brought))
        return self.runs.revision(), sets, adapters, self.recipes.revision(), self.questions.revision()

    def gpus(self) -> int:
        """Return how many GPUs this computer has; 0 without one, and until the heavy libraries are imported."""
        return gpu_count()

    def restore(self, deleted: Deleted) -> None:
        """Undo a deletion."""
        self.workspace.restore(deleted)
        note_change(deleted.original)

    def damaged(self) -> list[Damaged]:
        """Return what in the workspace no list can show, each with a sentence why."""
        return [
            *self.tickets.damaged(),
            *self.runs.damaged(),
            *self.adapters.damaged(),
            *self.recipes.damaged(),
            *self.questions.damaged(),
        ]

    def delete_damaged(self, identifier: str) -> Deleted:
        """Move something damaged to the trash, by its :attr:`Damaged.id`.

        Raises:
            StudioError: It is not there any more, or is whole again.
        """
        for damaged in self.damaged():
            if damaged.id == identifier:
                return self.workspace.discard(damaged.path, damaged.path.name)
        raise StudioError("That is not here any more, or can be read again.", "Look at the lists once more.")

    def close(self) -> None:
        """Stop the run in progress at its next step and give the model back; called when the program ends."""
        self.playground.close()
        self.runs.close()
        self.bases.close()
