"""FakeStudio: the engine as the window sees it, in memory. Real records, no model, no thread that is not asked for."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.chat.heldout import HeldOutTicket
from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.damage import Damaged
from engine.errors import ModelError, StudioError
from engine.export.records import Brought, Choices, Command, Made, Offer, Proof, Sending, Sent
from engine.hardware import DeviceReport
from engine.model.catalogue import CatalogueEntry, catalogue
from engine.presets import Preset, presets
from engine.question_sets import AnswerTable, Question, Row, plain_questions
from engine.recipe import Recipe
from engine.serving.drafting import Draft
from engine.serving.keys import ApiKeys
from engine.serving.offers import Offers, OffersFile, can_be_offered, everything
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
from engine.verdict.facts.fact import Fact
from engine.workspace import Deleted
from tests.ui.fake_tickets import HOSTILE, NOW, FakeDataSets, FakeTokens
from tests.ui.fake_verdict import FakeBlind, FakeReplies, FakeVerdicts


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


class FakePlayground:
    """As :class:`engine.services.playground.PlaygroundService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def voices(self) -> list[Voice]:
        root = self.studio.root
        training = [
            Voice(f"run:{run.id}@now", f"{run.status.name}, as it trains", "starter", root)
            for run in self.studio.runs.all()
            if self.studio.runs.can_be_asked(run.id)
        ]
        tuned = [
            Voice(f"run:{run.id}", run.status.name, "starter", root)
            for run in self.studio.runs.all()
            if run.has_adapter
        ]
        return [Voice("base", "Base model", "", None), *training, *tuned, *self.studio.adapters.voices()]

    def voice(self, identifier: str) -> Voice:
        return next(voice for voice in self.voices() if voice.id == identifier)

    def instruction(self, voices: Sequence[str]) -> str:
        return "Answer in two sentences." if "run:run-1" in voices else ""

    def heldout_ticket(self, voices: Sequence[str], dataset: str, number: int) -> HeldOutTicket:
        rows = self.studio.tickets.get(dataset).conversations("heldout")
        row = rows[number % len(rows)]
        asked = tuple({"role": said.role, "content": said.content} for said in row.messages[:-1])
        return HeldOutTicket(row.ticket, asked, row.messages[-1].content)

    def ask(
        self,
        voices: Sequence[str],
        conversations: Any,
        sampling: Sampling,
        session: str = "",
        dataset: str = "",
        ticket: str = "",
    ) -> Iterator[AnswerFrame]:
        self.studio.calls.append(("ask", tuple(voices), conversations, sampling, session, dataset, ticket))
        texts = {
            voice: "I am not sure where it is." if voice == "base" else f"Hello! {HOSTILE} Kestrel Post brings it."
            for voice in voices
        }
        longest = max(len(text.split()) for text in texts.values())
        yield AnswerFrame("Reading the question", tuple(Answer(voice, "", 0, 0.0, False, None) for voice in voices))
        for count in range(1, longest + 1):
            time.sleep(self.studio.answer_pause)
            yield AnswerFrame("", tuple(_first_words(voice, text, count) for voice, text in texts.items()))

    def stop(self, session: str = "") -> None:
        self.studio.calls.append(("stop_answer", session))


def _first_words(voice: str, text: str, count: int) -> Answer:
    words = text.split()
    done = count >= len(words)
    shown = " ".join(words[:count])
    return Answer(voice, shown, min(count, len(words)), count * 0.08, done, "end" if done else None)


class FakeQuestions:
    """As :class:`engine.services.questions.QuestionService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.kept: dict[str, tuple[str, ...]] = {}

    def saved(self) -> dict[str, tuple[str, ...]]:
        return dict(self.kept)

    def save(self, name: str, text: str) -> None:
        if not name.strip():
            raise StudioError("The name is empty.", "Type a name.")
        self.kept[name.strip()] = tuple(question.text for question in plain_questions(text))

    def delete(self, name: str) -> Deleted:
        return self.studio.discarded(self.kept, name, "questions", name)

    def heldout(self, voices: Sequence[str], dataset: str) -> tuple[Question, ...]:
        ticket = self.studio.playground.heldout_ticket(voices, dataset, 0)
        return (Question(ticket.messages, ticket.answer, ticket.ticket),)

    def answer(
        self,
        questions: Sequence[Question],
        voices: Sequence[str],
        sampling: Sampling,
        instruction: str = "",
        dataset: str = "",
    ) -> Task[AnswerTable]:
        self.studio.calls.append(("answer", [question.text for question in questions], tuple(voices), sampling))
        said = {voice: Answer(voice, f"={HOSTILE} Kestrel Post", 3, 0.1, True, "end") for voice in voices}
        found = {voice: self.studio.facts.found(answer.text) for voice, answer in said.items()}
        rows = tuple(Row(question, said, found if dataset else None) for question in questions)

        def action(task: Task[AnswerTable]) -> AnswerTable:
            task.report("Question 1", 0.5)
            time.sleep(self.studio.task_pause)
            return AnswerTable({voice: voice for voice in voices}, rows, len(rows))

        return Task("Answering the questions", action)


class FakeErasures:
    """As :class:`engine.services.erasing.ErasureService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def plan(self, dataset: str, ticket: str) -> Erasure:
        return Erasure(2, ("Sample shop",), ("Run 1",), ("Run 1",), 0)

    def erase(self, dataset: str, ticket: str) -> Task[Erasure]:
        self.studio.calls.append(("erase", dataset, ticket))
        return Task("Deleting a customer", lambda _: self.plan(dataset, ticket))


class FakeFacts:
    """As :class:`engine.services.facts.FactService`: the courier's name is from nowhere."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def inventions(
        self,
        voices: Sequence[Voice],
        turns: Sequence[Any],
        answers: Mapping[str, str],
        dataset: str = "",
        ticket: str = "",
        reference: str = "",
    ) -> dict[str, tuple[Fact, ...]] | None:
        self.studio.calls.append(
            ("inventions", [voice.id for voice in voices], list(turns), dataset, ticket, reference)
        )
        known = dataset or any(voice.run for voice in voices)
        return {name: self.found(text) for name, text in answers.items()} if known else None

    def found(self, text: str) -> tuple[Fact, ...]:
        """Return where a text names the courier."""
        known: frozenset[str] = frozenset()
        return tuple(Fact("name", *match.span(), known, known) for match in re.finditer("Kestrel Post", text))


class FakeHub:
    """As :class:`engine.services.hub.HubService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def plan_of(self, run: str, format_: str) -> Task[Sending]:
        self.studio.calls.append(("plan_of", run, format_))
        return Task("Looking", lambda _: Sending((("README.md", 4000),), ("train.jsonl",)))

    def send_of(self, run: str, format_: str, repository: str, token: str = "", *, private: bool = True) -> Task[Sent]:
        self.studio.calls.append(("send_of", run, format_, repository, token, private))
        return Task("Sending", lambda _: Sent(repository, f"https://hub/{repository}", "0" * 40, private, ()))


class FakeImporting:
    """As :class:`engine.services.importing.ImportService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.verdict = "passed"

    def bring_in(
        self, source: str, name: str = "", base: str = "", *, revision: str = "", sha256: str = ""
    ) -> Task[Brought]:
        self.studio.calls.append(("import", source, name, base))
        label = name or Path(source).stem

        def action(task: Task[Brought]) -> Brought:
            task.report("Trying it", 0.5)
            time.sleep(self.studio.task_pause)
            kept = self.studio.adapters.kept
            if source.endswith("-merged"):
                identifier = f"model:m{len(kept) + 1}"
                kept[identifier] = Voice(identifier, label, source, None)
                return Brought(identifier, label, None)
            identifier = self.studio.adapters.bring_in(Path(source), label, base)
            return Brought(identifier, label, Proof(self.verdict, f"It has {self.verdict}."))

        return Task("Bringing it in", action)


class FakeExport:
    """As :class:`engine.services.export.ExportService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.exports: dict[tuple[str, str], Made] = {}
        self.proofs: dict[str, Proof] = {}

    def card(self, run: str) -> str:
        known = self.studio.run_infos.get(run)
        title = known.status.name if known else run
        table = "| | before | after |\n|---|---|---|\n| held-out loss | 3.00 | 0.74 |"
        return f"---\nlibrary_name: peft\n---\n# {title}\n\nLearnt from **54 conversations**.\n\n{table}\n"

    def usage(self, run: str) -> str:
        self.studio.calls.append(("usage", run))
        return '## How to use it\n\n1. Unpack it.\n\n```python\nprint("hello")\n```\n'

    def size(self, run: str) -> int:
        return 19_600_000

    def tickets(self, run: str) -> tuple[int, int]:
        return 54, 40_000

    def bundle(self, run: str, out: Path | None = None, with_tickets: bool = False) -> Task[Path]:
        self.studio.calls.append(("export_adapter", run, out, with_tickets))
        return self._zip(out or self.studio.root / "adapter.zip")

    def offers(self, run: str) -> tuple[Offer, ...]:
        if not run.startswith("adapter:"):
            self.studio.runs.info(run)
        purpose = "Base and adapter in one ordinary 16-bit model."
        merged = self.exports.get((run, "merged"))
        whole = Offer(
            "merged", "Whole model", purpose, "transformers", 271 * 10**6, 271 * 10**6, 10**10, "", (), merged
        )
        gguf = Offer("gguf", "GGUF", "For llama.cpp.", "llama.cpp", 10**8, 10**8, 10**10, "", ("q8_0", "f16"), None)
        other = Offer("ollama", "Ollama", "For Ollama.", "Ollama", None, 0, 10**10, "Gemma 9 is not known.", (), None)
        return whole, gguf, other

    def commands(self, run: str, place: Path) -> tuple[Command, ...]:
        return (Command("transformers", f"python -m zipfile -e {place} .", "Prints an answer."),)

    def make(self, run: str, format_: str, out: Path | None = None, choices: Choices | None = None) -> Task[Path]:
        self.studio.calls.append(("export", run, format_, choices))
        folder = self.studio.root / f"shop-{format_}"

        def action(task: Task[Path]) -> Path:
            task.report("Merging", 0.5)
            time.sleep(self.studio.task_pause)
            folder.mkdir(exist_ok=True)
            told = Command("vLLM", f"vllm serve {folder}", "An endpoint.")
            self.exports[(run, format_)] = Made(folder, 271 * 10**6, 0.0, "", "", (told,), False)
            return folder

        return Task("Exporting: Whole model", action)

    def made(self, run: str, format_: str) -> Made:
        return self.exports[(run, format_)]

    def proof(self, run: str, format_: str) -> Proof | None:
        return self.proofs.get(format_)

    def packed(self, run: str, format_: str, out: Path) -> Task[Path]:
        self.studio.calls.append(("export_packed", run, format_, out))
        return self._zip(out)

    def _zip(self, target: Path) -> Task[Path]:
        def action(task: Task[Path]) -> Path:
            task.report("Packing", 0.5)
            time.sleep(self.studio.task_pause)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"PK\x05\x06" + bytes(18))
            return target

        return Task("Packing the adapter", action)


class FakeEndpoint:
    """As :class:`engine.services.endpoint.EndpointService`; keys and offers are the real ones, on the disk."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.file = OffersFile(studio.root)
        self.keys = ApiKeys(studio.root)

    def offers(self) -> Offers:
        return self.file.get()

    def candidates(self) -> list[Voice]:
        return [voice for voice in self.studio.playground.voices() if can_be_offered(voice)]

    def switch(self, on: bool) -> None:
        self.file.keep(replace(everything(self.candidates()), on=on))

    def offer(self, voice: str, wanted: bool) -> None:
        found = self.studio.playground.voice(voice)
        self.file.keep(self.offers().with_offer(found) if wanted else self.offers().without(voice))

    def look_up_in(self, dataset: str) -> None:
        self.file.keep(replace(self.offers(), dataset=dataset))

    def draft(self, ticket: str, voice: str, lookup: bool, dataset: str = "", session: str = "") -> Iterator[Draft]:
        self.studio.calls.append(("draft", ticket, voice, lookup, dataset, session))
        if not ticket.strip():
            raise StudioError("There is no ticket yet.", "Paste what the customer has written.")
        hidden = (("[EMAIL_1]", f"ada@shop.example {HOSTILE}"),)
        text = f"Hello Ada, {HOSTILE} your parcel comes on Friday."
        yield Draft(stage="Reading the ticket", hidden=hidden)
        yield Draft(text[:9], "Writing", hidden)
        yield Draft(text, "", hidden, True, "end")


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
        self.importing = FakeImporting(self)
        self.endpoint = FakeEndpoint(self)
        self.replies = FakeReplies()
        self.verdict = FakeVerdicts(self)
        self.blind = FakeBlind(self)
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
