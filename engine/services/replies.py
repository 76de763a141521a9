"""Replies on the way: the same few held-out tickets are answered at the checks of a run, and kept to be looked through.

They are answered in the thread that trains, between two steps, on the copy of the base that the playground uses: what
is learnt stays bit for bit what it would be.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from engine.chat.records import Answer, LookUp, Sampling, Voice
from engine.errors import StudioError
from engine.services.facts import FactService
from engine.services.lookup import LookupService
from engine.services.runs import RunService
from engine.task import Task
from engine.training.replies import Asked, AskReplies
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Replied
from engine.turns import Turn
from engine.verdict.facts.fact import Fact
from engine.verdict.paper import Paper, paper_of
from engine.verdict.replies import FILE, RepliesAt, Reply, Strip, add_replies, read_replies

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.model.snapshot import Snapshot
    from engine.recipe import Recipe

SHOWN = 3
"""Held-out tickets that are answered: enough to see a manner arrive."""
COUNTED = 12
"""The same where what they invent decides which checkpoint is kept: three are too few to tell by."""


class ReplyService:
    """Has tickets answered on the way of each run, and knows what was said.

    Args:
        runs: The runs; their queue asks for who answers.
        lookup: Finds the nearest tickets.
        facts: Finds what was invented.
    """

    def __init__(self, runs: RunService, lookup: LookupService, facts: FactService) -> None:
        self._runs, self._lookup, self._facts = runs, lookup, facts
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[tuple[int, int], Paper, dict[int, RepliesAt]]] = {}
        runs.queue.make_asker = self.asker

    def asker(self, run: RunDirectory, base: "BaseModel", should_stop: Callable[[], bool]) -> AskReplies | None:
        """Return who answers on the way of a run; None where the recipe wants nobody, or no ticket was held out."""
        recipe = run.recipe
        if recipe.replies == "off":
            return None
        try:
            paper = _paper(run, recipe)
        except StudioError:
            return None
        return _Asker(run, recipe, base, paper, self._lookup, self._facts, should_stop)

    def strip(self, run: str) -> Strip | None:
        """Return what was said on the way of a run; None where nothing was, or its tickets are others by now.

        Raises:
            StudioError: The run is gone.
        """
        directory = self._runs.get(run)
        try:
            seen = (directory.path / FILE).stat()
        except OSError:
            return None
        stamp = seen.st_mtime_ns, seen.st_size
        with self._lock:
            cached = self._read.get(directory.path)
        if cached is None or cached[0] != stamp:
            try:
                paper = _paper(directory, directory.recipe)
            except StudioError:
                return None
            cached = stamp, paper, read_replies(directory.path, paper.mark, len(paper.tickets))
            with self._lock:
                self._read[directory.path] = cached
        _, paper, said = cached
        told = [check.step for check in directory.history.read().replies]
        checks = tuple(said[step] for step in told if step in said)
        return Strip(paper.tickets, checks) if checks else None


def _paper(run: RunDirectory, recipe: "Recipe") -> Paper:
    return paper_of(run.data, recipe.system_prompt, SHOWN if recipe.best_by == "loss" else COUNTED)


@dataclass(frozen=True, eq=False)
class _Asker:
    """Answers the paper of one run."""

    run: RunDirectory
    recipe: "Recipe"
    base: "BaseModel"
    paper: Paper
    lookup: LookupService
    facts: FactService
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        # What takes long over many tickets is made while the run gets ready.
        Task("Getting ready to answer on the way", lambda _: self._invented(0, {}))

    def __call__(self, snapshot: "Snapshot") -> Asked | None:
        """Answer with the weights of a step, and with the untouched base where that has not been done."""
        has_base = 0 in read_replies(self.run.path, self.paper.mark, len(self.paper.tickets))
        name, model, learnt = self.run.id, self.recipe.model, self.recipe.lookup
        tuned = Voice(f"run:{name}@now", name, model, self.run.adapter, snapshot, lookup=learnt)
        voices = [tuned] if has_base else [Voice("base", "Base model", "", None, lookup=learnt), tuned]
        steps = [snapshot.step] if has_base else [0, snapshot.step]
        heard = [self._heard(number) for number in range(len(self.paper.tickets))]
        began = perf_counter()
        answered = self._answered(voices, heard)
        seconds = perf_counter() - began
        if len(answered) < len(heard) or self.should_stop():
            return None
        checks = self._judged(steps, answered)
        if checks is None:
            return None
        for check in checks:
            add_replies(self.run.path, self.paper.mark, check)
        each = seconds / len(voices)
        told = tuple(Replied(check.step, len(check.said), check.invented, round(each, 2)) for check in checks)
        return Asked(told, each)

    def _answered(self, voices: list[Voice], heard: list[list[Turn]]) -> list[tuple[Answer, ...]]:
        from engine.chat.playground import answer_many

        sampling = Sampling(temperature=0.0, max_new_tokens=self.paper.longest)
        questions = [[turns] * len(voices) for turns in heard]
        return list(answer_many(self.base, voices, questions, sampling, should_stop=self.should_stop))

    def _heard(self, number: int) -> list[Turn]:
        """Return what is asked, with the nearest tickets before it where the run learns so."""
        from engine.chat.lookup import with_tickets

        ticket = self.paper.tickets[number]
        asked = list(ticket.asked)
        if self.recipe.lookup and (found := self._near(asked, ticket.ticket)):
            asked, _ = with_tickets(self.base, asked, found, self.paper.longest)
        return asked

    def _near(self, asked: Sequence[Turn], ticket: str) -> LookUp | None:
        stages = self.lookup.find(self.run.data, asked, ticket, self.should_stop)
        while True:
            try:
                next(stages)
            except StopIteration as ended:
                found: LookUp | None = ended.value
                return found

    def _judged(self, steps: list[int], answered: list[tuple[Answer, ...]]) -> list[RepliesAt] | None:
        """Mark what was invented; None where the run is being stopped."""
        said: list[list[Reply]] = [[] for _ in steps]
        for number, answers in enumerate(answered):
            invented = self._invented(number, {str(place): answer.text for place, answer in enumerate(answers)})
            if invented is None:
                return None
            for place, answer in enumerate(answers):
                said[place].append(Reply(answer.text, answer.stopped_by, invented[str(place)]))
        return [RepliesAt(step, tuple(replies)) for step, replies in zip(steps, said, strict=True)]

    def _invented(self, number: int, answers: dict[str, str]) -> dict[str, tuple[Fact, ...]] | None:
        ticket = self.paper.tickets[number]
        return self.facts.inventions_in(
            self.run.data, ticket.asked, answers, ticket.ticket, ticket.answer, math.inf, self.should_stop
        )
