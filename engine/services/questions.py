"""Many questions to several voices: saved sets and held-out tickets, answered into a table."""

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import replace

from engine.chat.records import Sampling, Voice
from engine.damage import Damaged
from engine.errors import Cancelled
from engine.question_sets import (
    AnswerTable,
    Question,
    Row,
    plain_questions,
    read_question_set,
)
from engine.read_entries import ReadEntries
from engine.services.facts import FactService
from engine.services.playground import PlaygroundService
from engine.task import Report, Task
from engine.turns import with_instruction
from engine.verdict.facts.fact import Fact
from engine.workspace import Deleted, Workspace, checked_name, slug, write_json


class QuestionService:
    """Question sets and their answers.

    Args:
        workspace: Where sets are kept.
        playground: Who answers.
        facts: Finds what the answers have invented.
    """

    def __init__(self, workspace: Workspace, playground: PlaygroundService, facts: FactService) -> None:
        self._workspace = workspace
        self._playground = playground
        self._sets = ReadEntries(workspace, workspace.questions, read_question_set)
        self._facts = facts

    # ---- sets

    def saved(self) -> dict[str, tuple[str, ...]]:
        """Return the saved sets by the name they were given."""
        return dict(self._sets.all()[0])

    def texts(self) -> tuple[str, ...]:
        """Return the questions of all saved sets."""
        return tuple(text for texts in self.saved().values() for text in texts)

    def damaged(self) -> list[Damaged]:
        """Return the saved sets that cannot be read."""
        return self._sets.all()[1]

    def revision(self) -> int:
        """Return another number whenever the saved sets are others."""
        return self._sets.revision

    def save(self, name: str, text: str) -> None:
        """Keep questions, one a line, under a name; a set of the same name is replaced.

        Raises:
            StudioError: The name or the text is empty.
        """
        name, questions = checked_name(name), plain_questions(text)
        self._workspace.questions.mkdir(parents=True, exist_ok=True)
        values = {"name": name, "questions": [question.text for question in questions]}
        write_json(self._workspace.questions / f"{slug(name)}.json", values)

    def delete(self, name: str) -> Deleted:
        """Move a set to the trash."""
        file = self._workspace.child(self._workspace.questions, f"{slug(name)}.json")
        return self._workspace.discard(file, name)

    # ---- answers

    def heldout(self, voices: Sequence[str], dataset: str) -> tuple[Question, ...]:
        """Return all tickets that none of the voices has learnt from, with what the agent answered.

        Args:
            voices: As for :meth:`PlaygroundService.heldout_tickets`.
            dataset: As there.

        Raises:
            TicketsError: There is none.
        """
        tickets = self._playground.heldout_tickets(voices, dataset)
        return tuple(Question(ticket.messages, ticket.answer, ticket.ticket) for ticket in tickets)

    def answer(
        self,
        questions: Sequence[Question],
        voices: Sequence[str],
        sampling: Sampling,
        instruction: str = "",
        dataset: str = "",
    ) -> Task[AnswerTable]:
        """Let voices answer questions; cancelling it leaves the rows that are complete.

        Args:
            questions: Asked one after the other, each of all voices together.
            voices: Ids from :meth:`PlaygroundService.voices`; all adapters must belong to one base.
            sampling: How the answers are chosen.
            instruction: Put before each question that has none of its own; empty for none.
            dataset: What voices with look-up look in where none is a run; a held-out ticket never finds itself.
        """
        answering = [self._playground.voice(voice) for voice in voices]
        labels = {name: voice.label for name, voice in zip(voices, answering, strict=True)}

        def action(task: Task[AnswerTable]) -> AnswerTable:
            def report(stage: str, fraction: float | None) -> None:
                with suppress(Cancelled):  # what is complete is kept
                    task.report(stage, fraction)

            def cancelled() -> bool:
                return task.cancelled

            rows: list[Row] = []
            with closing(self.rows(questions, voices, sampling, instruction, dataset, report, cancelled)) as answered:
                for row in answered:
                    if not any(answer.stopped_by == "cancelled" for answer in row.answers.values()):
                        rows.append(replace(row, inventions=self._invented(row, answering, dataset, cancelled)))
            return AnswerTable(labels, tuple(rows), len(questions))

        return Task("Answering the questions", action)

    def rows(
        self,
        questions: Sequence[Question],
        voices: Sequence[str],
        sampling: Sampling,
        instruction: str = "",
        dataset: str = "",
        report: Report = lambda *_: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Generator[Row, None, None]:
        """Let voices answer questions, and give each row as soon as it is there; nothing is looked for in the answers.

        Args:
            questions: As for :meth:`answer`, and so are the next ones.
            voices: As there.
            sampling: As there.
            instruction: As there.
            dataset: As there.
            report: Told what is being done.
            should_stop: Looked at before every token.

        Yields:
            A row a question, in order; where it was stopped, answers are 'cancelled', or rows are missing.

        Raises:
            StudioError: As for :meth:`PlaygroundService.ask`.
        """
        asked = [(with_instruction(question.messages, instruction), question.ticket) for question in questions]
        answered = self._playground.ask_many(voices, asked, sampling, dataset, report, should_stop)
        with closing(answered):
            for question, answers in zip(questions, answered, strict=False):  # fewer, where it is stopped early
                yield Row(question, {answer.voice: answer for answer in answers})

    def _invented(
        self, row: Row, voices: Sequence[Voice], dataset: str, cancelled: Callable[[], bool]
    ) -> dict[str, tuple[Fact, ...]] | None:
        """Return what each voice has invented in a row, however long its facts take to be read."""
        question = row.question
        texts = {voice: answer.text for voice, answer in row.answers.items()}
        return self._facts.inventions(
            voices, question.messages, texts, dataset, question.ticket, question.reference, math.inf, cancelled
        )
