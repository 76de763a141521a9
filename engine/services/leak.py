"""The leak test: whether a finished recipe lets private data come out again."""

import secrets

from engine.base_holder import BaseHolder
from engine.errors import Cancelled, StudioError
from engine.scratch import scratch
from engine.services.runs import RunService
from engine.services.verdict import VerdictService
from engine.task import Task
from engine.tickets.dataset.files import ORIGIN, TRAIN
from engine.tickets.dataset.provenance import Origin
from engine.tickets.dataset.stored import conversations
from engine.tickets.privacy.masking import PrivacyOptions
from engine.training.runs.directory import RunDirectory
from engine.verdict.leak.certificate import Certificate
from engine.verdict.leak.trial import Size, make_trial
from engine.verdict.repeated import Repeated


class LeakService:
    """Tests runs, and knows what was found.

    Args:
        runs: Whose recipes and tickets are tested.
        bases: Who lends the base model.
        verdicts: Which hold what was found.
    """

    def __init__(self, runs: RunService, bases: BaseHolder, verdicts: VerdictService) -> None:
        self._verdicts = verdicts
        self._runs = runs
        self._bases = bases

    def certificate(self, run: str) -> Certificate | None:
        """Return what the newest test of a run has found; None before the first.

        Raises:
            StudioError: The run is gone.
        """
        return Certificate.load(self._runs.get(run).path)

    def repeated(self, run: str) -> Repeated | None:
        """Return how many masked values the answers of a judged run repeat; None where nobody has looked.

        Raises:
            StudioError: The run is gone.
        """
        return Repeated.load(self._runs.get(run).path)

    def test(self, run: str, size: Size | None = None, seed: int | None = None) -> Task[Certificate]:
        """Test a run's recipe in the background, on a copy of its tickets that is in memory alone.

        Stands in line as a run does. What it trains lies in the run's folder until it ends; what a killed program has
        left of it is swept when the program starts.

        Args:
            run: Its id.
            size: How large the trial is; usual where None.
            seed: Of what is planted; drawn where None, so that a test that is made again is another one.

        Raises:
            StudioError: The run is gone, its recipe damaged, or its tickets are; or nobody knows how they were masked.
        """
        directory = self._runs.get(run)
        recipe, rows = directory.recipe, list(conversations(directory.data / TRAIN))
        privacy = _privacy(directory)
        size, seed = size or Size(), secrets.randbelow(2**31) if seed is None else seed

        def action(task: Task[Certificate]) -> Certificate:
            def should_stop() -> bool:
                return task.cancelled

            name = f"the test of {directory.status.name}"
            with self._bases.use(recipe, name, task.report, should_stop) as base:
                if base is None:
                    raise Cancelled
                base.make_room()
                with scratch(directory.path, "leak") as folder:
                    found = make_trial(recipe, rows, privacy, base, folder, task.report, should_stop, size, seed)
            found.save(directory.path)
            self._verdicts.note(run)
            return found

        return Task("Testing whether private data comes out", action)


def _privacy(directory: RunDirectory) -> PrivacyOptions:
    """How the tickets of a run were masked when it took its copy of them, whatever became of their data set since."""
    if not (directory.data / ORIGIN).exists():
        raise StudioError(
            "It is not known how the tickets of this run were masked, so that a test would prove nothing.",
            "Prepare them again, and start a new run.",
        )
    return PrivacyOptions.of(Origin.load(directory.data).used)
