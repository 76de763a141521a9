"""Data sets and their tokens as the window sees them, in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StudioError, TicketsError
from engine.recipe import Recipe
from engine.task import Task
from engine.tickets.conversation import LeftOut, Message, Role
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import Split
from engine.tickets.dataset.provenance import Origin, TermKind
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.importing.detect import Detection
from engine.tickets.importing.sides import Writer
from engine.tickets.library import DataSetInfo
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import SourceOverrides
from engine.tickets.preparing.report import Report
from engine.tickets.privacy.review import MaskedPlace, MaskedTerm
from engine.training.data.learn_view import LearnView, Piece
from engine.training.data.token_counts import TokenCounts
from engine.workspace import Deleted

if TYPE_CHECKING:
    from tests.ui.fake_studio import FakeStudio

NOW = 1_750_000_000.0
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"> ${document.title='pwned'} {{value}} **bold**"
"""A ticket that tries to become a part of the page."""


class FakeDataSet:
    """A data set of made-up conversations, in memory."""

    def __init__(self, count: int = 60, heldout: int = 6) -> None:
        self.rows = [
            _conversation(number, "train" if number < count - heldout else "heldout") for number in range(count)
        ]
        self.dropped: list[StoredConversation] = []
        self.whole = {"train": self.rows[: count - heldout], "heldout": self.rows[count - heldout :]}
        self.sides = self.whole
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

    def preferences(self) -> str:
        return '{"prompt": [], "chosen": [], "rejected": []}\n' * self.report.preferences

    def conversations(self, split: str) -> list[StoredConversation]:
        return list(self.sides[split])

    def page(
        self, start: int, count: int, query: str = "", split: str | None = None
    ) -> tuple[list[StoredConversation], int]:
        rows = [row for side in ("train", "heldout") for row in self.sides[side]]
        found = [row for row in rows if query.casefold() in str(row).casefold()]
        return found[start : start + count], len(found)

    def left_out(self, start: int, count: int, reason: str | None = None) -> tuple[list[LeftOut], int]:
        rows = [LeftOut(str(900 + n), "internal note", HOSTILE if n == 0 else "Paid by hand.") for n in range(5)]
        return rows[start : start + count], len(rows)

    def find(self, ticket: str) -> StoredConversation | None:
        found = [row for side in ("train", "heldout") for row in self.sides[side]]
        return next((row for row in found if row.ticket == ticket), None)

    def masked_terms(self, start: int, count: int, kind: str = "", query: str = "") -> tuple[list[MaskedTerm], int]:
        terms = [
            MaskedTerm("t1", "NAME", "Outlook", ("[NAME_1]", "[NAME_2]"), 5, 3),
            MaskedTerm("t2", "EMAIL", HOSTILE, ("[EMAIL_1]",), 1, 1),
            MaskedTerm("t3", "SUSPECT", "Mary Celeste", ("",), 2, 2),
        ]
        shown = [term for term in terms if (term.kind == kind if kind else term.kind != "SUSPECT")]
        found = [term for term in shown if query.casefold() in term.term.casefold()]
        return found[start : start + count], len(found)

    def term(self, identifier: str) -> str:
        return {"t1": "Outlook", "t2": HOSTILE, "t3": "Mary Celeste"}.get(identifier, "")

    def masked_places(self, term: str, count: int) -> list[MaskedPlace]:
        return [MaskedPlace("1007", "NAME", "[NAME_1]", "Outlook", "I open ", HOSTILE)][:count]

    def dropped_by_hand(self, start: int, count: int) -> tuple[list[StoredConversation], int]:
        return self.dropped[start : start + count], len(self.dropped)

    def rewritten(self) -> set[tuple[str, str]]:
        return set()

    def agents_of(self, key: str) -> list[str]:
        return ["9"]


def _conversation(number: int, split: Split) -> StoredConversation:
    question = HOSTILE if number == 0 else f"Where is parcel {number}? It should have come on Tuesday."
    turns: list[tuple[Role, str]] = [
        ("user", question),
        ("assistant", "Hello! Kestrel Post brings it on Tuesdays and Fridays only."),
    ]
    if number % 3 == 0:
        turns += [("user", "And what does it cost?"), ("assistant", "Postage is 4 pounds 20, and free from 85 pounds.")]
    return StoredConversation(
        ticket=str(1000 + number),
        messages=tuple(Message(role, content) for role, content in turns),
        subject="" if number % 2 else f"Parcel {number}",
        tags=("shipping",),
        key=f"key{1000 + number}",
        split=split,
    )


class FakeDataSets:
    """The same methods as DataSets; every call is noted in the studio's calls."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.sets: dict[str, tuple[DataSetInfo, FakeDataSet]] = {}
        self.changed: dict[str, Edits] = {}
        self.origins: dict[str, Origin] = {}
        self.remembered: tuple[str, ...] = ()

    def add(self, name: str) -> str:
        identifier = f"set-{len(self.sets) + 1}"
        data = FakeDataSet()
        info = DataSetInfo(identifier, name, NOW, data.report.train, data.report.heldout, "zendesk")
        self.sets = {identifier: (info, data), **self.sets}
        return identifier

    def detect(self, files: Sequence[Path], overrides: SourceOverrides | None = None) -> Task[Detection]:
        def action(task: Task[Detection]) -> Detection:
            while files[0].suffix == ".slow":
                task.report("Looking into the files")
                time.sleep(0.01)
            return self._detected(files, overrides)

        return Task("Looking into the files", action)

    def _detected(self, files: Sequence[Path], overrides: SourceOverrides | None) -> Detection:
        self.studio.calls.append(("detect", tuple(files), overrides))
        if files[0].suffix == ".bad":
            raise TicketsError(f"{files[0].name} is empty.", "Download the export again.")
        if files[0].suffix == ".tsv":
            return Detection(
                *("table", "Table", "no column is called question and answer", "utf-8", "\t"),
                columns=("ticket", "flag", "text"),
                unclear=True,
                likely={"ticket": "ticket", "text": "text"},
                doubts=("The column 'flag' holds only yes and no.",),
                cautions=("Bots cannot be told from your team.",),
            )
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
                country="DE",
                country_evidence="4 numbers with its prefix",
            )
        if files[0].suffix == ".txt":
            names = (Writer("Shop Help", 12, ours=True), Writer("Cara", 9, ours=False), Writer("Ben", 3, ours=False))
            chat = ("whatsapp", "WhatsApp chat", "dates and names", "utf-8")
            return Detection(*chat, writers=names, remembered=self.remembered)
        return Detection(
            "zendesk",
            "Zendesk export",
            "requester_id in every record",
            "utf-8",
            files=tuple((file.name, "zendesk") for file in files),
        )

    def prepare(self, files: Sequence[Path], name: str, options: PrepareOptions | None = None) -> Task[str]:
        self.studio.calls.append(("prepare", tuple(files), name, options))
        return Task(f"Reading {name}", lambda task: self._prepared(task, name))

    def _prepared(self, task: Task[str], name: str) -> str:
        for part in range(10):
            task.report("Reading, cleaning and masking", part / 10)
            time.sleep(self.studio.task_pause / 10)
            if task.cancelled:
                raise StudioError("cancelled")
        return self.add(name)

    def prepare_sample(self) -> Task[str]:
        return self.prepare([Path("sample.ndjson")], "Sample shop")

    def all(self) -> list[DataSetInfo]:
        return [info for info, _ in self.sets.values()]

    def get(self, identifier: str) -> FakeDataSet:
        if identifier not in self.sets:
            raise StudioError(f"'{identifier}' is not here any more.", "Pick another one from the list.")
        return self.sets[identifier][1]

    def rename(self, identifier: str, name: str) -> None:
        info, data = self.sets[identifier]
        self.sets[identifier] = replace(info, name=name), data

    def delete(self, identifier: str) -> Deleted:
        self.studio.calls.append(("delete_dataset", identifier))
        kept = self.sets.pop(identifier)
        self.studio._trash = (self.sets, identifier, kept)
        return Deleted(
            kept[0].name, self.studio.root / "datasets" / identifier, self.studio.root / "trash" / identifier
        )

    def info(self, identifier: str) -> DataSetInfo:
        self.get(identifier)
        return self.sets[identifier][0]

    def prepare_again(
        self, identifier: str, options: PrepareOptions | None = None, files: Sequence[Path] = ()
    ) -> Task[str]:
        self.studio.calls.append(("prepare_again", identifier, options, tuple(files)))

        def action(task: Task[str]) -> str:
            time.sleep(self.studio.task_pause)
            assert self.studio.go.wait(30)
            if task.cancelled:
                raise StudioError("cancelled")
            wanted = options or self.origin(identifier).wanted
            self.origins[identifier] = replace(self.origin(identifier), used=wanted, wanted=wanted)
            return identifier

        return Task("Preparing again", action)

    def edits(self, identifier: str) -> Edits:
        return self.changed.get(identifier, Edits())

    def edit(self, identifier: str, edits: Edits) -> None:
        self.studio.calls.append(("edit", identifier, edits))
        self.changed[identifier] = edits
        info, data = self.sets[identifier]
        data.dropped = [row for row in data.rows if row.key in edits.dropped]
        data.sides = {side: [row for row in rows if row.key not in edits.dropped] for side, rows in data.whole.items()}
        self.sets[identifier] = replace(info, revision=info.revision + 1), data

    def origin(self, identifier: str) -> Origin:
        return self.origins.get(identifier, Origin((("shop.ndjson", 12_345),), True))

    def want(self, identifier: str, kind: TermKind, term: str, wanted: bool = True) -> None:
        self.studio.calls.append(("want", identifier, kind, term, wanted))
        if not term:
            raise TicketsError("The term is empty.", "Type the words that are to be masked.")
        origin = self.origin(identifier)
        others = tuple(known for known in getattr(origin.wanted, kind) if known != term)
        terms = (*others, term) if wanted else others
        self.origins[identifier] = replace(origin, wanted=_with(origin.wanted, kind, terms))

    def forget_sources(self, identifier: str) -> None:
        self.origins[identifier] = replace(self.origin(identifier), kept=False)


def _with(options: PrepareOptions, kind: TermKind, terms: tuple[str, ...]) -> PrepareOptions:
    match kind:
        case "allow":
            return replace(options, allow=terms)
        case "extra_terms":
            return replace(options, extra_terms=terms)
        case "exclude_agents":
            return replace(options, exclude_agents=terms)


class FakeTokens:
    """The same methods as Tokens."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.loaded = False

    def ready(self, model: str) -> bool:
        return self.loaded

    def count(self, dataset: str, recipe: Recipe) -> Task[TokenCounts]:
        rows = self.studio.tickets.get(dataset).conversations("train")

        def action(task: Task[TokenCounts]) -> TokenCounts:
            task.report("Counting tokens", 0.5)
            time.sleep(self.studio.task_pause)
            self.loaded = True
            lengths = tuple(60 + (n * 37) % 640 for n, _ in enumerate(rows))
            return TokenCounts(
                recipe.max_length, len(rows) - 1, lengths, 9_000, 4_000, 60, 120, 5, nothing_learnt=1, endless=2
            )

        return Task("Counting tokens", action)

    def view(self, dataset: str, ticket: str, recipe: Recipe) -> LearnView:
        row = next(row for row in self.studio.tickets.get(dataset).rows if row.ticket == ticket)
        pieces: list[Piece] = []
        for number, message in enumerate(row.messages):
            words = len(message.content.split())
            if message.role == "user":
                pieces.append(
                    Piece(
                        f"<|im_start|>user\n{message.content}<|im_end|>\n<|im_start|>assistant\n",
                        "context",
                        words + 9,
                    )
                )
            else:
                pieces += [
                    Piece(message.content, "learnt", words + 2, number),
                    Piece("<|im_end|>", "end", 1, number),
                    Piece("\n", "context", 1),
                ]
        if ticket == "1003":
            pieces.append(Piece("And this is beyond the longest conversation.", "cut", 8))
        return LearnView(ticket, tuple(pieces))
