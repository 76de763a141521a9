"""Judged runs in memory: real verdicts, counted from made-up scores."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.chat.records import NEAREST, Voice
from engine.errors import StudioError
from engine.recipe import Recipe
from engine.task import Task
from engine.verdict.blind import BlindTest, BlindTicket, Choice, Tally, Vote, counted
from engine.verdict.coach import Advice
from engine.verdict.comparing import beside
from engine.verdict.facts.fact import Fact
from engine.verdict.judging import judged
from engine.verdict.leak.certificate import Certificate, Row
from engine.verdict.paper import PaperTicket
from engine.verdict.records import JudgedTicket, TwoRuns, Verdict
from engine.verdict.repeated import Repeated
from engine.verdict.replies import RepliesAt, Reply, Strip
from engine.verdict.transcript import SaidAnswer
from engine.verdict.voices import voices_of
from tests.ui.fake_tickets import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.ui.fake_studio import FakeStudio

POINTS = {"base": 22.0, "base+lookup": 38.0, NEAREST: 34.0}
"""chrF that a voice has on average."""


def made_verdict(run: str, name: str, tuned: float = 52.0, tickets: int = 19, seed: int = 1) -> Verdict:
    """A verdict counted from scores drawn around those of :data:`POINTS`."""
    dice = random.Random(seed)
    voices = voices_of(Voice(f"run:{run}", name, "starter", None))
    rows = []
    for number in range(tickets):
        scores = {}
        for voice in voices:
            points = min(100.0, max(0.0, POINTS.get(voice.id, tuned) + dice.gauss(0, 9)))
            scores[voice.id] = {"chrf": points, "rouge_l": points * 0.8, "length": 1.0 + dice.gauss(0, 0.2)}
            scores[voice.id] |= {
                "ends": float(dice.random() < 0.8),
                "broken": 0.0,
                "inventions": float(dice.random() < 0.3),
            }
            if voice.id != NEAREST:
                scores[voice.id]["loss"] = 4.2 - points / 20
        rows.append(
            JudgedTicket(
                str(1001 + number), f"customer {number}", f"topic {number % 12}", scores, coverage=number / tickets
            )
        )
    return judged(name, voices, rows, tickets, 120, "0123456789abcdef")


class FakeReplies:
    """As :class:`engine.services.replies.ReplyService`."""

    def __init__(self) -> None:
        self.kept: dict[str, Strip] = {}

    def strip(self, run: str) -> Strip | None:
        return self.kept.get(run)

    def add(self, run: str, said: Mapping[int, str], tickets: int = 3) -> None:
        """Let every ticket be answered so at these steps; what is written in digits is from nowhere."""
        asked = ({"role": "user", "content": f"Where is my parcel? {HOSTILE}"},)
        papers = tuple(PaperTicket(str(n), asked, "It is on its way.", "", "") for n in range(1001, 1001 + tickets))
        none: frozenset[str] = frozenset()
        checks = []
        for step, text in said.items():
            facts = tuple(Fact("number", *found.span(), none, none) for found in re.finditer(r"\d+", text))
            checks.append(RepliesAt(step, (Reply(text, "end", facts),) * tickets))
        self.kept[run] = Strip(papers, tuple(checks))


class FakeVerdicts:
    """As :class:`engine.services.verdict.VerdictService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.kept: dict[str, Verdict] = {}
        self.failure: StudioError | None = None
        self.outdated: set[str] = set()

    def is_outdated(self, run: str) -> bool:
        return run in self.outdated

    def verdict(self, run: str) -> Verdict | None:
        return self.kept.get(run)

    def answers(self, run: str) -> dict[str, tuple[PaperTicket, dict[str, SaidAnswer]]]:
        found = self.kept.get(run)
        if found is None:
            return {}
        said = {voice.id: SaidAnswer(f"{voice.label} says {HOSTILE}", "end", 5) for voice in found.voices}
        asked = ({"role": "user", "content": f"Where is my parcel? {HOSTILE}"},)
        return {
            ticket.ticket: (PaperTicket(ticket.ticket, asked, "It is on its way.", "a", "b"), said)
            for ticket in found.tickets
        }

    def beside(self, run: str, other: str) -> TwoRuns | None:
        one, two = self.kept.get(run), self.kept.get(other)
        return beside(one, two, Recipe(), Recipe(rank=32)) if one and two else None

    def advice(self, run: str) -> tuple[Advice, ...]:
        return (Advice(f"12 of 19 end {HOSTILE}.", "Train longer.", "does not end"),) if run in self.kept else ()

    def judge(self, run: str) -> Task[Verdict]:
        self.studio.calls.append(("judge", run))

        def action(task: Task[Verdict]) -> Verdict:
            task.report("3 of 95 answers", 0.1)
            self.studio.go.wait(30)
            time.sleep(self.studio.task_pause)
            if self.failure:
                raise self.failure
            task.report("Comparing", 0.9)
            self.kept[run] = made_verdict(run, self.studio.run_infos[run].status.name)
            return self.kept[run]

        return Task("Judging", action)


class FakeBlind:
    """As :class:`engine.services.blind.BlindService`; the tuned answer always stands first."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.votes: list[Vote] = []
        self.with_pairs: set[str] = set()
        """Runs whose tickets came with preference pairs."""

    def test(self, run: str, voter: str) -> BlindTest:
        found = self.studio.verdict.kept[run]
        voted = {vote.ticket for vote in self.votes if vote.voter == voter}
        left = [ticket.ticket for ticket in found.tickets if ticket.ticket not in voted]
        coming = (
            BlindTicket(left[0], (f"Where is it? {HOSTILE}",), "It is here.", f"Who knows? {HOSTILE}") if left else None
        )
        return BlindTest(voter, len(voted), len(found.tickets), coming)

    def vote(self, run: str, voter: str, ticket: str, choice: Choice) -> Tally:
        found = self.studio.verdict.kept[run]
        self.votes.append(Vote(voter, ticket, found.headline.tuned, found.headline.alternative, choice))
        tally = counted(self.votes, found.headline.tuned)
        self.studio.verdict.kept[run] = replace(found, blind=tally.to_json())
        return tally

    def preferences(self, run: str) -> str:
        return '{"prompt": [], "chosen": [], "rejected": []}\n' * (len(self.votes) + (run in self.with_pairs))

    def came_with_pairs(self, run: str) -> bool:
        return run in self.with_pairs


def made_certificate(out: int = 0, fired: int = 5, masking: bool = True) -> Certificate:
    """A certificate over one place: secrets planted eight times in agents' turns."""
    masked, control = Row("assistant", 8, 20, out, 0.5, 1.0), Row("assistant", 8, 5, fired, 0.98, 6.5)
    return Certificate((masked,), (control,), masking, out, 64, 128, time.time())


class FakeLeaks:
    """As :class:`engine.services.leak.LeakService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.kept: dict[str, Certificate] = {}

    def certificate(self, run: str) -> Certificate | None:
        return self.kept.get(run)

    def repeated(self, run: str) -> Repeated | None:
        return Repeated(412, 19, {"base": {}, f"run:{run}": {"EMAIL": 1}}) if run in self.studio.verdict.kept else None

    def test(self, run: str) -> Task[Certificate]:
        self.studio.calls.append(("test leaks", run))

        def action(task: Task[Certificate]) -> Certificate:
            task.report("Asking for the secrets: 3 of 200", 0.8)
            self.studio.go.wait(30)
            task.report("Asking for the secrets: 200 of 200", 1.0)
            self.kept[run] = made_certificate()
            return self.kept[run]

        return Task("Testing whether private data comes out", action)
