"""The blind test of a run: which two answers a voter reads next, what was chosen, and what all votes say."""

import json
import threading
from collections.abc import Iterator
from typing import Any

from engine.errors import StudioError
from engine.services.runs import RunService
from engine.services.verdict import VerdictService
from engine.tickets.dataset.files import PREFERENCES, numbered_lines
from engine.tickets.dataset.preferences import offered
from engine.verdict.blind import CHOICES, BlindTest, BlindTicket, Choice, Tally, Vote, counted, order_of, preference
from engine.verdict.records import Verdict
from engine.verdict.votes import add_vote, votes_on
from engine.workspace import checked_name


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
        voter, verdict = checked_name(voter), self._judged(run)
        answers = self._verdicts.answers(run)
        order = self._order(verdict, voter)
        voted = {vote.ticket for vote in votes_on(self._runs.get(run).path, verdict) if vote.voter == voter}
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
        with self._lock:
            add_vote(self._runs.get(run).path, Vote(voter, ticket, *order[ticket], choice), verdict.weights)
            self._verdicts.note(run)
        return self.tally(run)

    def tally(self, run: str) -> Tally:
        """Count the votes on a run's answers as they are now.

        Raises:
            StudioError: The run was not judged.
        """
        verdict = self._judged(run)
        return counted(votes_on(self._runs.get(run).path, verdict), verdict.headline.tuned)

    def preferences(self, run: str) -> str:
        """Return what was preferred as JSON lines: {"prompt", "chosen", "rejected"}, as trl takes them.

        First the votes that prefer one answer, then the pairs that came with the run's tickets.

        Raises:
            StudioError: There are none: the run was not judged, or no vote prefers one of two answers.
        """
        lines = [*self._preferred(run), *offered(self._runs.get(run).data)]
        if not lines:
            self._judged(run)
            raise StudioError("No vote prefers one of two answers yet.", "Vote on, then take the pairs home.")
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

    def came_with_pairs(self, run: str) -> bool:
        """Whether pairs came with the run's tickets, so that there is something to take home without a vote."""
        return any(numbered_lines(self._runs.get(run).data / PREFERENCES))

    def _preferred(self, run: str) -> Iterator[dict[str, Any]]:
        verdict = self._verdicts.verdict(run)
        if verdict is None:
            return
        answers, votes = self._verdicts.answers(run), votes_on(self._runs.get(run).path, verdict)
        last = {(vote.voter, vote.ticket): vote for vote in votes if vote.ticket in answers}
        for vote in last.values():
            ticket, said = answers[vote.ticket]
            if line := preference(ticket.asked, vote, said[vote.first].text, said[vote.second].text):
                yield line

    def _judged(self, run: str) -> Verdict:
        verdict = self._verdicts.verdict(run)
        if verdict is None:
            raise StudioError("This run was not judged yet.", "Judge it first: then the answers are there.")
        return verdict

    def _order(self, verdict: Verdict, voter: str) -> dict[str, tuple[str, str]]:
        tickets = [ticket.ticket for ticket in verdict.tickets]
        return order_of(voter, tickets, verdict.headline.tuned, verdict.headline.alternative)
