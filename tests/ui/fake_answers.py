"""What the window knows of answers, in memory: the playground, many questions, facts, and the help desk's drafts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.chat.heldout import HeldOutTicket
from engine.chat.records import Answer, AnswerFrame, Sampling
from engine.errors import StudioError
from engine.question_sets import AnswerTable, Question, Row, plain_questions
from engine.serving.drafting import Draft
from engine.serving.keys import ApiKeys
from engine.serving.offers import Offers, OffersFile, can_be_offered, everything
from engine.studio import Voice
from engine.task import Task
from engine.verdict.facts.fact import Fact
from engine.workspace import Deleted
from tests.ui.fake_tickets import HOSTILE

if TYPE_CHECKING:
    from tests.ui.fake_studio import FakeStudio


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
        *,
        least: float = 0.0,
    ) -> Iterator[AnswerFrame]:
        self.studio.calls.append(("ask", tuple(voices), conversations, sampling, session, dataset, ticket, least))
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

    def draft(
        self, ticket: str, voice: str, lookup: bool, dataset: str = "", session: str = "", least: float = 0.0
    ) -> Iterator[Draft]:
        self.studio.calls.append(("draft", ticket, voice, lookup, dataset, session, least))
        if not ticket.strip():
            raise StudioError("There is no ticket yet.", "Paste what the customer has written.")
        hidden = (("[EMAIL_1]", f"ada@shop.example {HOSTILE}"),)
        text = f"Hello Ada, {HOSTILE} your parcel comes on Friday."
        yield Draft(stage="Reading the ticket", hidden=hidden)
        yield Draft(text[:9], "Writing", hidden)
        yield Draft(text, "", hidden, True, "end")
