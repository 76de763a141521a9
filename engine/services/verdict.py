"""Verdicts: a run's voices sit its held-out tickets, are measured, and are told apart in words."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base_holder import BaseHolder
from engine.chat.records import NEAREST, Sampling
from engine.errors import Cancelled, StudioError
from engine.model.adapter_files import weights_digest, weights_file
from engine.services.lookup import LookupService
from engine.services.playground import PlaygroundService
from engine.services.runs import RunService
from engine.services.stages import result_of
from engine.task import Report, Task, part
from engine.tickets.library import DataSets
from engine.training.runs.directory import RunDirectory
from engine.verdict.blind import counted
from engine.verdict.coach import Advice, RunFigures, advice
from engine.verdict.paper import MOST, Paper, PaperTicket, paper_of
from engine.verdict.records import JudgedVoice, TwoRuns, Verdict
from engine.verdict.transcript import SaidAnswer, Transcript
from engine.verdict.voices import voices_of
from engine.verdict.votes import votes_on
from engine.workspace import read_object, write_json

if TYPE_CHECKING:
    from engine.chat.records import Voice
    from engine.model.base import BaseModel
    from engine.verdict.losses import Heard

FILE = "verdict.json"
ANSWERING = 0.75
"""Share of the time that the answers take, about; the rest reads what the agents wrote."""


@dataclass(frozen=True, slots=True)
class _Sitting:
    """A judgement under way."""

    tuned: "Voice"
    paper: Paper
    voices: tuple[JudgedVoice, ...]
    transcript: Transcript


class VerdictService:
    """Judges runs, and knows what was found.

    Args:
        runs: Who is judged.
        playground: Lets the voices answer.
        lookup: Finds the tickets that some of them are shown.
        bases: Who lends the base model.
        tickets: The data sets, which know what was masked in them.
    """

    def __init__(
        self,
        runs: RunService,
        playground: PlaygroundService,
        lookup: LookupService,
        bases: BaseHolder,
        tickets: DataSets,
    ) -> None:
        self._tickets = tickets
        self._runs = runs
        self._playground = playground
        self._lookup = lookup
        self._bases = bases
        self._read: dict[Path, tuple[int, Verdict]] = {}
        self._lock = threading.Lock()
        self._noting = threading.Lock()
        """Held by whoever writes a verdict: what one notes, another does not overwrite with what was before."""

    # ---- what was found

    def verdict(self, run: str) -> Verdict | None:
        """Return a run's verdict; None where it was not judged, or what was found cannot be read."""
        file = self._runs.get(run).path / FILE
        try:
            stamp = file.stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            cached = self._read.get(file)
        if cached is None or cached[0] != stamp:
            try:
                cached = stamp, Verdict.of_json(read_object(file))
            except StudioError:
                return None
            with self._lock:
                self._read[file] = cached
        return cached[1]

    def answers(self, run: str) -> dict[str, tuple[PaperTicket, dict[str, SaidAnswer]]]:
        """Return what the voices said to each judged ticket: ticket -> what was asked, voice -> its answer.

        Raises:
            StudioError: The run or its tickets are gone.
        """
        directory = self._runs.get(run)
        transcript = Transcript.last(directory.path)
        if transcript is None:
            return {}
        paper = self._paper(directory, int(transcript.about.get("most", MOST)))
        if paper.mark != transcript.about.get("paper"):
            return {}
        return {
            ticket.ticket: (ticket, transcript.answers[n])
            for n, ticket in enumerate(paper.tickets)
            if n in transcript.answers
        }

    def beside(self, run: str, other: str) -> TwoRuns | None:
        """Compare two judged runs; None where one of them was not judged.

        Raises:
            StudioError: A run is gone, or its recipe is damaged.
        """
        from engine.verdict.comparing import beside

        one, two = self.verdict(run), self.verdict(other)
        if one is None or two is None:
            return None
        return beside(one, two, self._runs.get(run).recipe, self._runs.get(other).recipe)

    def advice(self, run: str) -> tuple[Advice, ...]:
        """Return what the run's own figures say to do next, the most urgent first.

        Raises:
            StudioError: The run is gone, or its recipe is damaged.
        """
        directory = self._runs.get(run)
        return advice(RunFigures(directory.recipe, directory.history.read(), self.verdict(run)))

    def is_outdated(self, run: str) -> bool:
        """Whether a run has other weights than those that were judged: it has learnt on, or ended, since.

        Raises:
            StudioError: The run is gone.
        """
        verdict = self.verdict(run)
        if verdict is None:
            return False
        try:
            tuned = self._playground.newest(run)
            assert tuned.path is not None
            # The time alone would take a copied file for a new one, and to read the file for each look takes long.
            is_newer = weights_file(tuned.path).stat().st_mtime > verdict.made
            return is_newer and weights_digest(tuned.path) != verdict.weights
        except (StudioError, OSError):
            return False

    def note(self, run: str) -> None:
        """Write into a run's verdict what leak test and blind test have found; nothing where it was not judged."""
        with self._noting:
            if verdict := self.verdict(run):
                self._keep(self._runs.get(run), verdict)

    def _keep(self, directory: RunDirectory, verdict: Verdict) -> None:
        write_json(directory.path / FILE, _completed(directory.path, verdict).to_json())

    # ---- judging

    def judge(self, run: str, most: int = MOST) -> Task[Verdict]:
        """Judge a run in the background; cancelled, it goes on from there the next time.

        Args:
            run: Its id.
            most: Held-out tickets that are judged at most.

        Raises:
            StudioError: It has learnt nothing yet, or no ticket was held out.
        """
        directory, tuned = self._runs.get(run), self._playground.newest(run)
        paper = self._paper(directory, most)
        adapter = tuned.path
        assert adapter is not None

        def action(task: Task[Verdict]) -> Verdict:
            voices, weights = voices_of(tuned), weights_digest(adapter)
            about = {**paper.about([voice.id for voice in voices], weights), "most": most}
            transcript = Transcript.opened(directory.path, about)
            sitting = _Sitting(tuned, paper, voices, transcript)
            self._answer(sitting, part(task.report, 0.0, ANSWERING), lambda: task.cancelled)
            self._read_agents(sitting, part(task.report, ANSWERING, 1.0), lambda: task.cancelled)
            task.report("Comparing", 1.0)
            verdict = self._judged(sitting)
            with self._noting:
                self._keep(directory, verdict)
            self._note_repeated(directory, transcript)
            return self.verdict(run) or verdict

        return Task("Judging", action)

    def _note_repeated(self, directory: RunDirectory, transcript: Transcript) -> None:
        """Look for masked values in the answers, where the data set is still there."""
        from engine.verdict.repeated import repeated

        try:
            folder = self._tickets.get(directory.status.dataset).folder
        except StudioError:
            return
        said: dict[str, list[str]] = {}
        for answers in transcript.answers.values():
            for voice, answer in answers.items():
                said.setdefault(voice, []).append(answer.text)
        if repetitions := repeated(folder, said):
            repetitions.save(directory.path)

    def _paper(self, directory: RunDirectory, most: int) -> Paper:
        return paper_of(directory.data, directory.recipe.system_prompt, most)

    def _answer(self, sitting: "_Sitting", report: Report, should_stop: Callable[[], bool]) -> None:
        """Let all voices answer what they have not answered yet."""
        paper, transcript = sitting.paper, sitting.transcript
        left = [number for number in range(len(paper.tickets)) if number not in transcript.answers]
        if not left:
            return
        asked = [(paper.tickets[number].asked, paper.tickets[number].ticket) for number in left]
        sampling = Sampling(temperature=0.0, max_new_tokens=paper.longest)
        names = [voice.id for voice in sitting.voices]
        answered = self._playground.ask_many(names, asked, sampling, report=report, should_stop=should_stop)
        with closing(answered):
            for number, answers in zip(left, answered, strict=False):  # fewer, where it is cancelled while it waits
                if any(answer.stopped_by == "cancelled" for answer in answers):
                    break
                transcript.add_answers(number, {answer.voice: SaidAnswer.of(answer) for answer in answers})
        if should_stop():
            raise Cancelled

    def _read_agents(self, sitting: "_Sitting", report: Report, should_stop: Callable[[], bool]) -> None:
        """Let all models read what the agents really wrote, where they have not yet."""
        from engine.chat.adapters import bank_of
        from engine.chat.playground import told_in_words
        from engine.verdict.losses import answer_losses, worth_together

        paper, transcript = sitting.paper, sitting.transcript
        left = [number for number in range(len(paper.tickets)) if number not in transcript.losses]
        if not left:
            return
        chosen = [self._playground.voice(voice.id) for voice in sitting.voices if voice.id != NEAREST]
        recipe = self._runs.get(sitting.tuned.run).recipe
        with self._bases.use(recipe, report=report, should_stop=should_stop) as base:
            if base is None:
                raise Cancelled
            bank = bank_of(base)
            with told_in_words(), bank.acquire([voice.path for voice in chosen]) as names:
                for done in range(0, len(left), together := worth_together(bank)):
                    report(f"Reading the agents' answers: {done} of {len(left)}", done / len(left))
                    numbers = left[done : done + together]
                    papers = [self._heard(sitting, base, number, chosen, names, should_stop) for number in numbers]
                    nats = iter(answer_losses(base, bank, [heard for each in papers for heard, _ in each]))
                    for number, each in zip(numbers, papers, strict=True):
                        losses = dict[str, float]()
                        for _, voices in each:
                            losses |= zip(voices, next(nats) or (), strict=False)
                        transcript.add_losses(number, losses)

    def _heard(
        self,
        sitting: "_Sitting",
        base: "BaseModel",
        number: int,
        voices: Sequence["Voice"],
        names: Sequence[str | None],
        should_stop: Callable[[], bool],
    ) -> "list[tuple[Heard, list[str]]]":
        """Return what an agent wrote to a ticket as those read it that look up, and those that do not."""
        from engine.chat.lookup import with_tickets
        from engine.verdict.losses import Heard

        ticket, found = sitting.paper.tickets[number], []
        for looks in (False, True):
            group = [(voice, name) for voice, name in zip(voices, names, strict=True) if voice.lookup == looks]
            if not group:
                continue
            asked = list(ticket.asked)
            if looks:
                home = self._lookup.home([sitting.tuned], "")
                near = result_of(self._lookup.find(home, asked, ticket.ticket, should_stop))
                if near:
                    asked, _ = with_tickets(base, asked, near, sitting.paper.longest)
            heard = Heard(tuple(name for _, name in group), asked, ticket.answer)
            found.append((heard, [voice.id for voice, _ in group]))
        return found

    def _judged(self, sitting: "_Sitting") -> Verdict:
        from engine.verdict.facts.index import fact_index
        from engine.verdict.judging import judged
        from engine.verdict.measuring import measured

        paper, transcript = sitting.paper, sitting.transcript
        directory, home = self._runs.get(sitting.tuned.run), self._lookup.home([sitting.tuned], "")
        facts = fact_index(directory.data)
        tickets = []
        for number, ticket in enumerate(paper.tickets):
            near = result_of(self._lookup.find(home, ticket.asked, ticket.ticket))
            said, losses = transcript.answers[number], transcript.losses.get(number, {})
            coverage = result_of(self._lookup.coverage(home, ticket.asked, ticket.ticket))
            tickets.append(replace(measured(ticket, said, losses, near, facts), coverage=coverage))
        weights = str(transcript.about.get("weights", ""))
        return judged(directory.status.name, sitting.voices, tickets, paper.heldout, paper.longest, weights)


def _completed(run: Path, verdict: Verdict) -> Verdict:
    """Put into a verdict what the run's newest leak test and its blind test have found."""
    from engine.verdict.leak.certificate import Certificate

    certificate = Certificate.load(run)
    tally = counted(votes_on(run, verdict), verdict.headline.tuned)
    leak, blind = certificate.told if certificate else {}, tally.to_json() if tally.votes else {}
    return replace(verdict, leak=leak, blind=blind)
