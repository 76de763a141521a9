"""FakeStudio: the engine as the window sees it, in memory. Real records, no model, no thread that is not asked for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.chat.heldout import HeldOutTicket
from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.damage import Damaged
from engine.errors import StudioError
from engine.model.catalogue import catalogue
from engine.model.device import DeviceReport
from engine.studio import RunInfo, StudioSnapshot, Voice
from engine.task import Task
from engine.training.cards import CardFit, on_cards
from engine.training.estimate import Estimate, estimate
from engine.training.events import Evaluated, Finished, Noted, Started, Stepped
from engine.training.history import History
from engine.training.lengths import counted
from engine.training.progress import JobSnapshot
from engine.training.recipe import Recipe, presets
from engine.training.status import Status
from engine.workspace import Deleted
from tests.ui.fake_tickets import HOSTILE, NOW, FakeDataSets, FakeTokens


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
        (NOW, Noted("The starter model is loaded.")),
        (NOW + 60, Noted("One conversation loses its end.", "warning")),
    )
    return History(
        Started(4_884_480, 134_515_008, total, 0, 54, 6, "Processor, 2 cores"),
        told,
        checks,
        tuple(c.step for c in checks[1:]),
        notes,
        Finished(checks[-1].step, steps * 7.5) if finished else None,
    )


class FakeStudio:
    """The same methods as Studio; every call is noted in :attr:`calls`."""

    def __init__(self, root: Path, *, empty: bool = False) -> None:
        self.root = root
        self.calls: list[tuple[Any, ...]] = []
        self.tickets = FakeDataSets(self)
        self.tokens = FakeTokens(self)
        self.run_infos: dict[str, RunInfo] = {}
        self.adapters: dict[str, Voice] = {}
        self.saved: dict[str, Recipe] = {}
        self.broken: dict[str, Damaged] = {}
        self.job: JobSnapshot | None = None
        self.gpu_count = 0
        self.presses: list[str] = []
        self.answer_pause = 0.0
        self.task_pause = 0.0
        self.go = threading.Event()
        """Cleared, it holds what prepares again."""
        self.go.set()
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

    # ---- Studio's methods

    def warm_up(self) -> None:
        self.calls.append(("warm_up",))

    def snapshot(self) -> StudioSnapshot:
        return StudioSnapshot(
            DeviceReport("cpu", "Processor, 2 cores", 6.2, 23.0), "Starter (SmolLM2 135M), 4 bit", self.job, ()
        )

    def revision(self) -> tuple[int, ...]:
        runs = [(info.id, *info.outline) for info in self.runs()]
        return (hash(repr((runs, self.tickets.all(), self.adapters, self.saved))),)

    def gpus(self) -> int:
        return self.gpu_count

    def restore(self, deleted: Deleted) -> None:
        self.calls.append(("restore", deleted))
        home, identifier, kept = self._trash
        home[identifier] = kept

    def presets(self) -> Any:
        return presets()

    def catalogue(self) -> Any:
        return catalogue()

    def estimates(self, recipes: Mapping[str, Recipe], dataset: str | None) -> dict[str, Estimate]:
        return {name: self._estimate(recipe, dataset) for name, recipe in recipes.items()}

    def _estimate(self, recipe: Recipe, dataset: str | None) -> Estimate:
        data = self.tickets.get(dataset) if dataset else None
        lengths = counted([160] * data.report.train) if data else None
        return estimate(recipe, data, self.snapshot().device, [], lengths)  # type: ignore[arg-type]

    def on_cards(self, recipe: Recipe, dataset: str | None) -> tuple[CardFit, ...]:
        return on_cards(recipe, counted([160] * 54) if dataset else None)

    def recipes(self) -> dict[str, Recipe]:
        return dict(self.saved)

    def save_recipe(self, name: str, recipe: Recipe) -> None:
        if not name.strip():
            raise StudioError("The name is empty.", "Type a name.")
        self.saved[name] = recipe

    def delete_recipe(self, name: str) -> Deleted:
        self._trash = (self.saved, name, self.saved.pop(name))
        return Deleted(name, self.root / "recipes" / name, self.root / "trash" / name)

    def command_line(self, recipe: Recipe, dataset: str | None, name: str = "run") -> str:
        return f"python -m engine train --data {dataset or 'DATASET'} --model {recipe.model} --run {name}"

    def start_training(
        self, recipe: Recipe, dataset: str, name: str = "", press: str = "", started_by: str = ""
    ) -> str:
        self.calls.append(("start_training", recipe, dataset, name))
        self.presses.append(press)
        identifier = self.add_run(name or f"Run {len(self.run_infos) + 1}", "running", 12, 30)
        info = self.run_infos[identifier]
        self.run_infos[identifier] = replace(info, status=replace(info.status, started_by=started_by))
        self.job = JobSnapshot(
            identifier, self.run_infos[identifier].status.name, "running", "Training", 0.4, 12, 30, 140.0
        )
        return identifier

    def _to(self, run: str, state: Any) -> None:
        info = self.run_infos[run]
        self.run_infos[run] = replace(
            info, status=replace(info.status, state=state), resumable=state in ("cancelled", "interrupted")
        )

    def pause(self, run: str) -> None:
        self.calls.append(("pause", run))
        self._to(run, "paused")

    def resume(self, run: str) -> None:
        self.calls.append(("resume", run))
        self._to(run, "running")

    def stop(self, run: str) -> None:
        self.calls.append(("stop", run))
        self._to(run, "cancelled")
        self.job = None

    def runs(self) -> list[RunInfo]:
        return list(self.run_infos.values())

    def run_info(self, identifier: str) -> RunInfo:
        return self.run_infos[identifier]

    def rename_run(self, identifier: str, name: str) -> None:
        info = self.run_infos[identifier]
        self.run_infos[identifier] = replace(info, status=replace(info.status, name=name))

    def delete_run(self, identifier: str) -> Deleted:
        info = self.run_infos.pop(identifier)
        self._trash = (self.run_infos, identifier, info)
        return Deleted(info.status.name, self.root / "runs" / identifier, self.root / "trash" / identifier)

    def voices(self) -> list[Voice]:
        tuned = [
            Voice(f"run:{run.id}", run.status.name, "starter", self.root) for run in self.runs() if run.has_adapter
        ]
        return [Voice("base", "Base model", "", None), *tuned, *self.adapters.values()]

    def voice(self, identifier: str) -> Voice:
        return next(voice for voice in self.voices() if voice.id == identifier)

    def damaged(self) -> list[Damaged]:
        return list(self.broken.values())

    def delete_damaged(self, identifier: str) -> Deleted:
        damaged = self.broken.pop(identifier)
        self._trash = (self.broken, identifier, damaged)
        return Deleted(damaged.path.name, damaged.path, self.root / "trash" / damaged.path.name)

    def rename_adapter(self, identifier: str, name: str) -> None:
        self.adapters[identifier] = replace(self.adapters[identifier], label=name)

    def delete_adapter(self, identifier: str) -> Deleted:
        voice = self.adapters.pop(identifier)
        self._trash = (self.adapters, identifier, voice)
        return Deleted(voice.label, self.root / "adapters" / identifier, self.root / "trash" / identifier)

    def instruction(self, voices: Sequence[str]) -> str:
        return "Answer in two sentences." if "run:run-1" in voices else ""

    def heldout_ticket(self, voices: Sequence[str], dataset: str, number: int) -> HeldOutTicket:
        rows = self.tickets.get(dataset).conversations("heldout")
        row = rows[number % len(rows)]
        return HeldOutTicket(row["ticket"], tuple(row["messages"][:-1]), row["messages"][-1]["content"])

    def ask(
        self, voices: Sequence[str], conversations: Any, sampling: Sampling, session: str = ""
    ) -> Iterator[AnswerFrame]:
        self.calls.append(("ask", tuple(voices), conversations, sampling, session))
        texts = {
            voice: "I am not sure where it is." if voice == "base" else f"Hello! {HOSTILE} Kestrel Post brings it."
            for voice in voices
        }
        longest = max(len(text.split()) for text in texts.values())
        yield AnswerFrame("Reading the question", tuple(Answer(voice, "", 0, 0.0, False, None) for voice in voices))
        for count in range(1, longest + 1):
            time.sleep(self.answer_pause)
            answers = []
            for voice, text in texts.items():
                words = text.split()
                done = count >= len(words)
                answers.append(
                    Answer(
                        voice,
                        " ".join(words[:count]),
                        min(count, len(words)),
                        count * 0.08,
                        done,
                        "end" if done else None,
                    )
                )
            yield AnswerFrame("", tuple(answers))

    def stop_answer(self, session: str = "") -> None:
        self.calls.append(("stop_answer", session))

    def card(self, run: str) -> str:
        title = self.run_infos[run].status.name
        table = "| | before | after |\n|---|---|---|\n| held-out loss | 3.00 | 0.74 |"
        return f"---\nlibrary_name: peft\n---\n# {title}\n\nLearnt from **54 conversations**.\n\n{table}\n"

    def adapter_size(self, run: str) -> int:
        return 19_600_000

    def export_adapter(self, run: str, out: Path | None = None) -> Task[Path]:
        self.calls.append(("export_adapter", run, out))

        def action(task: Task[Path]) -> Path:
            task.report("Packing", 0.5)
            time.sleep(self.task_pause)
            target = out or self.root / "adapter.zip"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"PK\x05\x06" + bytes(18))
            return target

        return Task("Packing the adapter", action)

    def import_adapter(self, source: Path, name: str = "", base: str = "") -> str:
        self.calls.append(("import_adapter", source, name, base))
        identifier = f"adapter:a{len(self.adapters) + 1}"
        self.adapters[identifier] = Voice(identifier, name or source.stem, "starter", self.root)
        return identifier

    def close(self) -> None:
        pass


Begin = Callable[[], Task[Any]]
