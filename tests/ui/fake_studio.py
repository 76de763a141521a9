"""FakeStudio: the engine as the window sees it, in memory. Real records, no model, no thread that is not asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.errors import StudioError, TicketsError
from engine.model.catalogue import catalogue
from engine.model.device import DeviceReport
from engine.studio import DataSetInfo, HeldOutTicket, RunInfo, StudioSnapshot, Voice
from engine.task import Task
from engine.tickets.dataset import Detection, PrepareOptions, Report, SourceOverrides
from engine.training.estimate import Estimate
from engine.training.events import Evaluated, Finished, History, Noted, Started, Stepped
from engine.training.examples import LearnView, Piece
from engine.training.job import JobSnapshot
from engine.training.recipe import Recipe, presets
from engine.training.run import Status
from engine.workspace import Deleted

NOW = 1_750_000_000.0
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"> ${document.title='pwned'} {{value}} **bold**"
"""A ticket that tries to become a part of the page."""


class FakeDataSet:
    """A data set of made-up conversations, in memory."""

    def __init__(self, count: int = 60, heldout: int = 6) -> None:
        self.rows = [_conversation(number) for number in range(count)]
        self.sides = {"train": self.rows[: count - heldout], "heldout": self.rows[count - heldout :]}
        self.report = Report(
            format="zendesk",
            tickets_read=count + 5,
            conversations_kept=count,
            dropped={"no agent answer": 3, "the same ticket twice": 2},
            redactions={"EMAIL": 7, "PHONE": 1},
            label="Zendesk export",
            evidence="requester_id in every record",
            files=["shop.ndjson"],
            train=count - heldout,
            heldout=heldout,
            messages_left_out={"internal note": 8},
            split_basis="the most recent tickets, by date",
        )

    def conversations(self, split: str) -> list[dict[str, Any]]:
        return list(self.sides[split])

    def page(
        self, start: int, count: int, query: str = "", split: str | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        rows = [{**row, "split": side} for side in ("train", "heldout") for row in self.sides[side]]
        found = [row for row in rows if query.casefold() in str(row).casefold()]
        return found[start : start + count], len(found)

    def left_out(self, start: int, count: int, reason: str | None = None) -> tuple[list[dict[str, Any]], int]:
        rows = [
            {"ticket": str(900 + n), "reason": "internal note", "excerpt": HOSTILE if n == 0 else "Paid by hand."}
            for n in range(5)
        ]
        return rows[start : start + count], len(rows)

    def redactions(
        self, start: int, count: int, kind: str | None = None, query: str = ""
    ) -> tuple[list[dict[str, Any]], int]:
        row = {
            "ticket": "7",
            "kind": "EMAIL",
            "placeholder": "[EMAIL_1]",
            "original": "a@example.com",
            "before": "write to ",
            "after": ".",
        }
        return [row][start : start + count], 1


def _conversation(number: int) -> dict[str, Any]:
    question = HOSTILE if number == 0 else f"Where is parcel {number}? It should have come on Tuesday."
    turns = [("user", question), ("assistant", "Hello! Kestrel Post brings it on Tuesdays and Fridays only.")]
    if number % 3 == 0:
        turns += [("user", "And what does it cost?"), ("assistant", "Postage is 4 pounds 20, and free from 85 pounds.")]
    messages = [{"role": role, "content": content} for role, content in turns]
    return {
        "ticket": str(1000 + number),
        "messages": messages,
        "subject": "" if number % 2 else f"Parcel {number}",
        "tags": ["shipping"],
    }


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
        self.sets: dict[str, tuple[DataSetInfo, FakeDataSet]] = {}
        self.run_infos: dict[str, RunInfo] = {}
        self.adapters: dict[str, Voice] = {}
        self.saved: dict[str, Recipe] = {}
        self.job: JobSnapshot | None = None
        self.answer_pause = 0.0
        self.task_pause = 0.0
        if not empty:
            self._add_set("Sample shop")

    # ---- what tests set up

    def _add_set(self, name: str) -> str:
        identifier = f"set-{len(self.sets) + 1}"
        data = FakeDataSet()
        info = DataSetInfo(identifier, name, NOW, data.report.train, data.report.heldout, "zendesk")
        self.sets = {identifier: (info, data), **self.sets}
        return identifier

    def add_run(self, name: str, state: Any = "finished", steps: int = 30, total: int = 30, floor: float = 0.6) -> str:
        """Put a run into the list."""
        identifier = f"run-{len(self.run_infos) + 1}"
        finished = state == "finished"
        status = Status(name, state, NOW, "", "set-1", "Sample shop")
        history = curve(steps, total, finished, floor)
        info = RunInfo(identifier, status, Recipe(), history, state in ("cancelled", "failed", "interrupted"), finished)
        self.run_infos = {identifier: info, **self.run_infos}
        return identifier

    # ---- Studio's methods

    def warm_up(self) -> None:
        pass

    def snapshot(self) -> StudioSnapshot:
        return StudioSnapshot(
            DeviceReport("cpu", "Processor, 2 cores", 6.2, 23.0), "Starter (SmolLM2 135M), 4 bit", self.job, ()
        )

    def detect(self, files: Sequence[Path], overrides: SourceOverrides | None = None) -> Detection:
        self.calls.append(("detect", tuple(files), overrides))
        if files[0].suffix == ".bad":
            raise TicketsError(f"{files[0].name} is empty.", "Download the export again.")
        if files[0].suffix == ".csv":
            mapping = {"question": "Frage", "answer": "Antwort"}
            sample = (("Wo ist mein Paket?", "Unterwegs.", "1.2.2026"),)
            return Detection(
                "table",
                "Table",
                "'Frage' is the question",
                "cp1252",
                ";",
                ("Frage", "Antwort", "Datum"),
                mapping,
                sample,
                ((files[0].name, "table"),),
            )
        return Detection(
            "zendesk",
            "Zendesk export",
            "requester_id in every record",
            "utf-8",
            files=tuple((file.name, "zendesk") for file in files),
        )

    def prepare(self, files: Sequence[Path], name: str, options: PrepareOptions | None = None) -> Task[str]:
        self.calls.append(("prepare", tuple(files), name, options))
        return Task(f"Reading {name}", lambda task: self._prepared(task, name))

    def _prepared(self, task: Task[str], name: str) -> str:
        for part in range(10):
            task.report("Reading, cleaning and masking", part / 10)
            time.sleep(self.task_pause / 10)
            if task.cancelled:
                raise StudioError("cancelled")
        return self._add_set(name)

    def prepare_sample(self) -> Task[str]:
        return self.prepare([Path("sample.ndjson")], "Sample shop")

    def datasets(self) -> list[DataSetInfo]:
        return [info for info, _ in self.sets.values()]

    def dataset(self, identifier: str) -> FakeDataSet:
        if identifier not in self.sets:
            raise StudioError(f"'{identifier}' is not here any more.", "Pick another one from the list.")
        return self.sets[identifier][1]

    def rename_dataset(self, identifier: str, name: str) -> None:
        info, data = self.sets[identifier]
        self.sets[identifier] = replace(info, name=name), data

    def delete_dataset(self, identifier: str) -> Deleted:
        self.calls.append(("delete_dataset", identifier))
        kept = self.sets.pop(identifier)
        self._trash = (self.sets, identifier, kept)
        return Deleted(kept[0].name, self.root / "datasets" / identifier, self.root / "trash" / identifier)

    def restore(self, deleted: Deleted) -> None:
        self.calls.append(("restore", deleted))
        home, identifier, kept = self._trash
        home[identifier] = kept

    def token_lengths(self, dataset: str, recipe: Recipe) -> Task[tuple[int, ...]]:
        rows = self.dataset(dataset).conversations("train")

        def action(task: Task[tuple[int, ...]]) -> tuple[int, ...]:
            task.report("Counting tokens", 0.5)
            time.sleep(self.task_pause)
            return tuple(60 + (n * 37) % 640 for n, _ in enumerate(rows))

        return Task("Counting tokens", action)

    def learn_view(self, dataset: str, ticket: str, recipe: Recipe) -> LearnView:
        row = next(row for row in self.dataset(dataset).rows if row["ticket"] == ticket)
        pieces: list[Piece] = []
        for message in row["messages"]:
            words = len(message["content"].split())
            if message["role"] == "user":
                pieces.append(
                    Piece(
                        f"<|im_start|>user\n{message['content']}<|im_end|>\n<|im_start|>assistant\n",
                        "context",
                        words + 9,
                    )
                )
            else:
                pieces += [
                    Piece(message["content"], "learnt", words + 2),
                    Piece("<|im_end|>", "end", 1),
                    Piece("\n", "context", 1),
                ]
        if ticket == "1003":
            pieces.append(Piece("And this is beyond the longest conversation.", "cut", 8))
        return LearnView(ticket, tuple(pieces))

    def presets(self) -> Any:
        return presets()

    def catalogue(self) -> Any:
        return catalogue()

    def estimate(self, recipe: Recipe, dataset: str | None) -> Estimate:
        entry = next((entry for entry in catalogue() if entry.id == recipe.model), None)
        steps = int(recipe.max_steps or 54 * recipe.epochs / 8) if dataset else 0
        if entry is None:
            return Estimate(steps, None, None, 17.0, "unknown", "The size of this model is not known here.")
        memory = 1.1 + entry.billions * 0.75 + recipe.rank * 0.004
        verdict = "fits" if memory < 12 else "tight" if memory < 17 else "does not fit"
        seconds = steps * (4 + entry.billions * 9) if steps else None
        return Estimate(steps, seconds, memory, 17.0, verdict, "From 2 earlier runs on this computer.")  # type: ignore[arg-type]

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

    def start_training(self, recipe: Recipe, dataset: str, name: str = "") -> str:
        self.calls.append(("start_training", recipe, dataset, name))
        identifier = self.add_run(name or f"Run {len(self.run_infos) + 1}", "running", 12, 30)
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

    def rename_adapter(self, identifier: str, name: str) -> None:
        self.adapters[identifier] = replace(self.adapters[identifier], label=name)

    def delete_adapter(self, identifier: str) -> Deleted:
        voice = self.adapters.pop(identifier)
        self._trash = (self.adapters, identifier, voice)
        return Deleted(voice.label, self.root / "adapters" / identifier, self.root / "trash" / identifier)

    def heldout_ticket(self, dataset: str, number: int) -> HeldOutTicket:
        rows = self.dataset(dataset).conversations("heldout")
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

    def import_adapter(self, source: Path, name: str = "") -> str:
        self.calls.append(("import_adapter", source, name))
        identifier = f"adapter:a{len(self.adapters) + 1}"
        self.adapters[identifier] = Voice(identifier, name or source.stem, "starter", self.root)
        return identifier

    def close(self) -> None:
        pass


Begin = Callable[[], Task[Any]]
