"""The blind test of a run: which two answers a voter reads next, what was chosen, and what all votes say."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from engine.errors import StudioError
from engine.services.runs import RunService
from engine.services.verdict import FILE, VerdictService
from engine.tickets.dataset.stored import json_line
from engine.verdict.blind import CHOICES, BlindTest, BlindTicket, Choice, Tally, Vote, counted, order_of, preference
from engine.verdict.records import Verdict
from engine.verdict.transcript import FOLDER
from engine.workspace import checked_name, disk_errors, write_json

VOTES = "votes.jsonl"


class BlindService:
    """Votes on the answers of judged runs; several people may vote at once, each as far as they like.

    Args:
        runs: Whose answers are read.
        verdicts: Has made the answers beforehand, so that nobody waits.
    """

    def __init__(self, runs: RunService, verdicts: VerdictService) -> None:
        self._runs = runs
        self._verdicts = verdicts
        self._lock = threading.Lock()

    def test(self, run: str, voter: str) -> BlindTest:
        """Return what a voter reads next; a test that was broken off goes on where it was.

        Raises:
            StudioError: The voter has no name, or the run was not judged or its answers are gone.
        """
        voter, found = checked_name(voter), self._judged(run)
        answers = self._verdicts.answers(run)
        order = self._order(found, voter)
        voted = {vote.ticket for vote in self._votes(run, found) if vote.voter == voter}
        left = [ticket for ticket in order if ticket in answers and ticket not in voted]
        if not answers:
            raise StudioError("The answers are not here any more.", "Judge the run again.")
        coming = None
        if left:
            ticket, said = answers[left[0]]
            first, second = (said[voice].text for voice in order[left[0]])
            coming = BlindTicket(ticket.ticket, tuple(ticket.said), first, second)
        return BlindTest(voter, len(voted), len(voted) + len(left), coming)

    def vote(self, run: str, voter: str, ticket: str, choice: Choice) -> Tally:
        """Keep what a voter thinks of a ticket's answers, in the order in which they were read.

        Raises:
            StudioError: There is no such ticket or choice, or the disk is full.
        """
        voter, verdict = checked_name(voter), self._judged(run)
        order = self._order(verdict, voter)
        if ticket not in order or choice not in CHOICES:
            raise StudioError("That is not to be voted on.", "Reload the page.")
        vote = Vote(voter, ticket, *order[ticket], choice)
        file = self._file(run)
        with self._lock:
            with disk_errors(file), file.open("ab") as stream:
                stream.write(json_line({**asdict(vote), "weights": verdict.weights}))
                stream.flush()
                os.fsync(stream.fileno())
            tally = counted(self._votes(run, verdict), verdict.headline.tuned)
            write_json(self._runs.get(run).path / FILE, replace(verdict, blind=tally.to_json()).to_json())
        return tally

    def tally(self, run: str) -> Tally:
        """Count the votes on a run's answers as they are now.

        Raises:
            StudioError: The run was not judged.
        """
        found = self._judged(run)
        return counted(self._votes(run, found), found.headline.tuned)

    def preferences(self, run: str) -> str:
        """Return all votes that prefer one answer as JSON lines: {"prompt", "chosen", "rejected"}, as trl takes them.

        Raises:
            StudioError: The run was not judged.
        """
        found, answers = self._judged(run), self._verdicts.answers(run)
        last = {(vote.voter, vote.ticket): vote for vote in self._votes(run, found) if vote.ticket in answers}
        lines = []
        for vote in last.values():
            ticket, said = answers[vote.ticket]
            if line := preference(ticket.asked, vote, said[vote.first].text, said[vote.second].text):
                lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        return "".join(lines)

    def _judged(self, run: str) -> Verdict:
        found = self._verdicts.verdict(run)
        if found is None:
            raise StudioError("This run was not judged yet.", "Judge it first: then the answers are there.")
        return found

    def _order(self, found: Verdict, voter: str) -> dict[str, tuple[str, str]]:
        tickets = [ticket.ticket for ticket in found.tickets]
        return order_of(voter, tickets, found.headline.tuned, found.headline.alternative)

    def _file(self, run: str) -> Path:
        return self._runs.get(run).path / FOLDER / VOTES

    def _votes(self, run: str, found: Verdict) -> Iterator[Vote]:
        """Yield the votes on these two voices with these weights; others belong to an earlier judgement."""
        pair = {found.headline.tuned, found.headline.alternative}
        try:
            lines = self._file(run).read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                value = json.loads(line)
                if value.pop("weights") == found.weights and {value["first"], value["second"]} == pair:
                    yield Vote(**value)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a line that a crash has cut off
