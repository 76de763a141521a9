"""FakeStudio: the engine as the window sees it, in memory. Real records, no model, no thread that is not asked for."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.damage import Damaged
from engine.errors import ModelError, StudioError
from engine.hardware import DeviceReport
from engine.model.catalogue import CatalogueEntry, catalogue
from engine.presets import Preset, presets
from engine.recipe import Recipe
from engine.studio import RunInfo, StudioSnapshot, Voice
from engine.task import Task
from engine.tickets.dataset.erasure import Erasure
from engine.training.data.lengths import counted
from engine.training.memory.cards import CardFit, on_cards
from engine.training.memory.estimate import Estimate, estimate
from engine.training.runs.events import Evaluated, Finished, LogNote, Started, Stepped
from engine.training.runs.history import History
from engine.training.runs.progress import JobSnapshot
from engine.training.runs.status import Status
from engine.workspace import Deleted
from tests.ui.fake_answers import FakeEndpoint, FakeFacts, FakePlayground, FakeQuestions
from tests.ui.fake_export import FakeExport, FakeHub, FakeHubData, FakeImporting
from tests.ui.fake_tickets import NOW, FakeDataSets, FakeTokens
from tests.ui.fake_verdict import FakeBlind, FakeLeaks, FakeReplies, FakeVerdicts


def curve(steps: int, total: int, finished: bool, floor: float = 0.6) -> History:
    """A curve as training draws it."""
    told = tuple(
        Stepped(
            n,
            n / total * 3,
            floor + 2.4 * math.exp(-n / total * 4) + 0.12 * math.sin(n * 1.7),
            2e-4 * (1 - n / total / 1.1),
            0.3 + 0.2 * math.cos(n),
            410 + 30 * math.sin(n / 3),
            1.4 + n * 0.001,
            n * 7.5,
        )
        for n in range(1, steps + 1)
    )
    checks = tuple(
        Evaluated(n, floor + 0.1 + 2.3 * math.exp(-n / total * 4)) for n in range(0, steps + 1, max(1, total // 6))
    )
    notes = (
        (NOW, LogNote("The starter model is loaded.")),
        (NOW + 60, LogNote("One conversation loses its end.", "warning")),
    )
    return History(
        Started(4_884_480, 134_515_008, total, 0, 54, 6, "Processor, 2 cores"),
        told,
        checks,
        tuple(c.step for c in checks[1:]),
        notes,
        Finished(checks[-1].step, steps * 7.5) if finished else None,
    )


class FakeRuns:
    """As :class:`engine.services.runs.RunService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def all(self) -> list[RunInfo]:
        return list(self.studio.run_infos.values())

    def info(self, run: str) -> RunInfo:
        return self.studio.run_infos[run]

    def start(self, recipe: Recipe, dataset: str, name: str = "", press: str = "", started_by: str = "") -> str:
        studio = self.studio
        studio.calls.append(("start_training", recipe, dataset, name))
        studio.presses.append(press)
        identifier = studio.add_run(name or f"Run {len(studio.run_infos) + 1}", "running", 12, 30)
        info = studio.run_infos[identifier]
        studio.run_infos[identifier] = replace(info, status=replace(info.status, started_by=started_by))
        studio.job = JobSnapshot(
            identifier, studio.run_infos[identifier].status.name, "running", "Training", 0.4, 12, 30, 140.0
        )
        return identifier

    def _to(self, run: str, state: Any) -> None:
        info = self.studio.run_infos[run]
        self.studio.run_infos[run] = replace(
            info, status=replace(info.status, state=state), resumable=state in ("cancelled", "interrupted")
        )

    def pause(self, run: str) -> None:
        self.studio.calls.append(("pause", run))
        self._to(run, "paused")

    def resume(self, run: str) -> None:
        self.studio.calls.append(("resume", run))
        self._to(run, "running")

    def stop(self, run: str) -> None:
        self.studio.calls.append(("stop", run))
        self._to(run, "cancelled")
        self.studio.job = None

    def take_checkpoint(self, run: str, step: int) -> None:
        self.studio.calls.append(("take_checkpoint", run, step))

    def can_be_asked(self, run: str) -> bool:
        return self.studio.run_infos[run].status.state == "running"

    def rename(self, run: str, name: str) -> None:
        info = self.studio.run_infos[run]
        self.studio.run_infos[run] = replace(info, status=replace(info.status, name=name))

    def delete(self, run: str) -> Deleted:
        info = self.studio.run_infos[run]
        return self.studio.discarded(self.studio.run_infos, run, "runs", info.status.name)


class FakeRecipes:
    """As :class:`engine.services.recipes.RecipeService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.kept: dict[str, Recipe] = {}

    def presets(self) -> dict[str, Preset]:
        return presets()

    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        return catalogue()

    def estimates(self, recipes: Mapping[str, Recipe], dataset: str | None) -> dict[str, Estimate]:
        return {name: self._estimate(recipe, dataset) for name, recipe in recipes.items()}

    def _estimate(self, recipe: Recipe, dataset: str | None) -> Estimate:
        data = self.studio.tickets.get(dataset) if dataset else None
        lengths = counted([160] * data.report.train) if data else None
        return estimate(recipe, data, self.studio.snapshot().device, [], lengths)  # type: ignore[arg-type]

    def own_models(self) -> dict[str, str]:
        kept = self.studio.adapters.kept.values()
        return {voice.model: voice.label for voice in kept if voice.path is None}

    def checked_model(self, model: str) -> str:
        self.studio.calls.append(("checked_model", model))
        if " " in model.strip():
            raise ModelError(f"There is no model folder '{model}'.", "Write an id.")
        return model.strip()

    def on_cards(self, recipe: Recipe, dataset: str | None) -> tuple[CardFit, ...]:
        return on_cards(recipe, counted([160] * 54) if dataset else None)

    def saved(self) -> dict[str, Recipe]:
        return dict(self.kept)

    def save(self, name: str, recipe: Recipe) -> None:
        if not name.strip():
            raise StudioError("The name is empty.", "Type a name.")
        self.kept[name] = recipe

    def delete(self, name: str) -> Deleted:
        return self.studio.discarded(self.kept, name, "recipes", name)

    def command_line(self, recipe: Recipe, dataset: str | None, name: str = "run", preset: str = "balanced") -> str:
        words = ["python -m engine train --data", dataset or "DATASET", "--preset", preset, "--model", recipe.model]
        return " ".join([*words, "--run", name])


class FakeAdapters:
    """As :class:`engine.services.adapters.AdapterService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.kept: dict[str, Voice] = {}

    def voices(self) -> list[Voice]:
        return list(self.kept.values())

    def bring_in(self, source: Path, name: str = "", base: str = "") -> str:
        self.studio.calls.append(("import_adapter", source, name, base))
        identifier = f"adapter:a{len(self.kept) + 1}"
        self.kept[identifier] = Voice(identifier, name or source.stem, "starter", self.studio.root)
        return identifier

    def rename(self, voice: str, name: str) -> None:
        self.kept[voice] = replace(self.kept[voice], label=name)

    def delete(self, voice: str) -> Deleted:
        return self.studio.discarded(self.kept, voice, "adapters", self.kept[voice].label)


class FakeErasures:
    """As :class:`engine.services.erasing.ErasureService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def plan(self, dataset: str, ticket: str) -> Erasure:
        return Erasure(2, ("Sample shop",), ("Run 1",), ("Run 1",), 0)

    def erase(self, dataset: str, ticket: str) -> Task[Erasure]:
        self.studio.calls.append(("erase", dataset, ticket))
        return Task("Deleting a customer", lambda _: self.plan(dataset, ticket))


class FakeStudio:
    """The same services as Studio's; every call is noted in :attr:`calls`."""

    def __init__(self, root: Path, *, empty: bool = False) -> None:
        self.root = root
        self.calls: list[tuple[Any, ...]] = []
        self.run_infos: dict[str, RunInfo] = {}
        self.broken: dict[str, Damaged] = {}
        self.job: JobSnapshot | None = None
        self.gpu_count = 0
        self.presses: list[str] = []
        self.answer_pause = 0.0
        self.task_pause = 0.0
        self.go = threading.Event()
        """Cleared, it holds what prepares again."""
        self.go.set()
        self.tickets = FakeDataSets(self)
        self.tokens = FakeTokens(self)
        self.runs = FakeRuns(self)
        self.recipes = FakeRecipes(self)
        self.adapters = FakeAdapters(self)
        self.playground = FakePlayground(self)
        self.questions = FakeQuestions(self)
        self.erasure = FakeErasures(self)
        self.facts = FakeFacts(self)
        self.export = FakeExport(self)
        self.hub = FakeHub(self)
        self.hub_data = FakeHubData(self)
        self.importing = FakeImporting(self)
        self.endpoint = FakeEndpoint(self)
        self.replies = FakeReplies()
        self.verdict = FakeVerdicts(self)
        self.blind = FakeBlind(self)
        self.leak = FakeLeaks(self)
        if not empty:
            self.tickets.add("Sample shop")

    # ---- what tests set up

    def add_run(self, name: str, state: Any = "finished", steps: int = 30, total: int = 30, floor: float = 0.6) -> str:
        """Put a run into the list."""
        identifier = f"run-{len(self.run_infos) + 1}"
        finished = state == "finished"
        status = Status(name, state, NOW, "", "set-1", "Sample shop")
        history = curve(steps, total, finished, floor)
        resumable = state in ("cancelled", "failed", "interrupted")
        newest = max(history.checkpoints, default=0)
        info = RunInfo(identifier, status, Recipe(), history, resumable, finished, newest)
        self.run_infos = {identifier: info, **self.run_infos}
        return identifier

    def discarded(self, home: dict[str, Any], identifier: str, folder: str, label: str) -> Deleted:
        """Take something out, so that :meth:`restore` brings it back."""
        self._trash = (home, identifier, home.pop(identifier))
        return Deleted(label, self.root / folder / identifier, self.root / "trash" / identifier)

    # ---- Studio's methods

    def warm_up(self) -> None:
        self.calls.append(("warm_up",))

    def snapshot(self) -> StudioSnapshot:
        return StudioSnapshot(
            DeviceReport("cpu", "Processor, 2 cores", 6.2, 23.0), "Starter (SmolLM2 135M), 4 bit", self.job, ()
        )

    def revision(self) -> tuple[int, ...]:
        runs = [(info.id, *info.outline) for info in self.runs.all()]
        return (hash(repr((runs, self.tickets.all(), self.adapters.kept, self.recipes.kept))),)

    def gpus(self) -> int:
        return self.gpu_count

    def restore(self, deleted: Deleted) -> None:
        self.calls.append(("restore", deleted))
        home, identifier, kept = self._trash
        home[identifier] = kept

    def damaged(self) -> list[Damaged]:
        return list(self.broken.values())

    def delete_damaged(self, identifier: str) -> Deleted:
        damaged = self.broken[identifier]
        return self.discarded(self.broken, identifier, damaged.path.parent.name, damaged.path.name)

    def close(self) -> None:
        pass


Begin = Callable[[], Task[Any]]
