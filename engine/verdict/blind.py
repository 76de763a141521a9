"""The blind test: people prefer one of two answers without knowing whose it is; and what their votes say.

Of a voter and a ticket the newest vote counts. Which answer stands first is drawn from the voter's name and the ticket,
half of the tickets each way, because readers favour what stands first (arXiv 2406.07791); a page that is opened again
shows the same order. Votes of one ticket hang together, and so do those of one voter: the interval clusters by both.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.tickets.dataset.preferences import preference as pair_of
from engine.turns import Turn
from engine.verdict.intervals import LEVEL, Interval, interval, rounded, tickets_needed

Choice = Literal["first", "second", "tie", "both bad"]
CHOICES: tuple[Choice, ...] = ("first", "second", "tie", "both bad")
MATTERS = 0.1
"""The smallest share of votes more than half that is taken to matter: 60 against 40 of 100."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What a person thought of two answers."""

    voter: str
    ticket: str
    first: str
    """The voice whose answer stood first."""
    second: str
    choice: Choice

    def wins(self, voice: str) -> float:
        """Return 1 where the voice was preferred, 0 where the other one was, and a half where neither was."""
        if self.choice in ("tie", "both bad"):
            return 0.5
        return float((self.first if self.choice == "first" else self.second) == voice)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the votes say."""

    votes: int
    voters: int
    wins: int
    """Votes for the tuned voice."""
    losses: int
    ties: int
    both_bad: int
    share: Interval | None
    """Of the votes that the tuned voice has, a tie counting half; None before the first."""
    agreement: float | None
    """How often two people who read the same ticket choose the same, 0 to 1; None where no ticket has two votes."""
    needed: int
    """Votes that would decide; 0 where they have, or where that cannot be told."""

    @property
    def is_clear(self) -> bool:
        """Whether people prefer one of the two, as far as these votes can tell."""
        return self.share is not None and (self.share.low > 0.5 or self.share.high < 0.5)

    @property
    def sentence(self) -> str:
        """What the votes say in words."""
        if self.share is None:
            return "Nobody has voted yet."
        people = "1 person" if self.voters == 1 else f"{self.voters} people"
        counted = f"{self.wins} of {self.votes} votes of {people}, {self.losses} for the other"
        if self.is_clear:
            better = "People prefer the tuned model" if self.share.mean > 0.5 else "People prefer the other answers"
            return f"{better}: {counted} (clear)."
        needed = f"; about {rounded(self.needed):,} votes would be needed" if self.needed else ""
        return f"The votes do not decide yet: {counted}{needed}."

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as verdict.json and the card have them."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class BlindTicket:
    """What a voter reads: a ticket and two answers without names."""

    ticket: str
    asked: tuple[str, ...]
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class BlindTest:
    """How far a voter is."""

    voter: str
    done: int
    total: int
    next: BlindTicket | None
    """None once all tickets have a vote."""


def order_of(voter: str, tickets: Sequence[str], tuned: str, other: str) -> dict[str, tuple[str, str]]:
    """Return in which order a voter sees two voices' answers to each ticket: half of them each way.

    Args:
        voter: Whoever votes; the same name gets the same order again.
        tickets: All tickets of the test.
        tuned: A voice.
        other: The voice it is compared with.
    """
    drawn = sorted(tickets, key=lambda ticket: hashlib.sha256(f"{voter}\0{ticket}".encode()).digest())
    lead = (
        hashlib.sha256(voter.encode()).digest()[0] % 2
    )  # of an odd number, not always the same one is first once more
    return {ticket: (tuned, other) if place % 2 == lead else (other, tuned) for place, ticket in enumerate(drawn)}


def counted(votes: Iterable[Vote], tuned: str) -> Tally:
    """Count votes; of a voter and a ticket the last one counts."""
    last = {(vote.voter, vote.ticket): vote for vote in votes}
    newest = list(last.values())
    if not newest:
        return Tally(0, 0, 0, 0, 0, 0, None, None, 0)
    points = [vote.wins(tuned) for vote in newest]
    share = _share(points, [vote.ticket for vote in newest], [vote.voter for vote in newest])
    apart = Interval(share.mean - 0.5, share.low - 0.5, share.high - 0.5, share.error, share.count, share.groups)
    decided = share.low > 0.5 or share.high < 0.5
    return Tally(
        votes=len(newest),
        voters=len({vote.voter for vote in newest}),
        wins=sum(point == 1 for point in points),
        losses=sum(point == 0 for point in points),
        ties=sum(vote.choice == "tie" for vote in newest),
        both_bad=sum(vote.choice == "both bad" for vote in newest),
        share=share,
        agreement=agreement(newest, tuned),
        needed=0 if decided else tickets_needed(apart, MATTERS),
    )


def _share(points: Sequence[float], tickets: Sequence[str], voters: Sequence[str]) -> Interval:
    """The share of votes with an interval inside 0 to 1, which is not shut where all votes are alike.

    Two votes are added on each side before the spread is looked at (Agresti and Coull, The American Statistician 52,
    1998): ten votes of ten are not certainty.
    """
    ways = [tickets] if len(set(voters)) < _VOTERS else [tickets, voters]
    widened = [*points, 1.0, 1.0, 0.0, 0.0]
    added = [f"\0{number}" for number in range(4)]
    widest = interval(widened, *([*way, *added] for way in ways), level=LEVEL)
    mean = sum(points) / len(points)
    return Interval(mean, max(0.0, widest.low), min(1.0, widest.high), widest.error, len(points), len(set(tickets)))


_VOTERS = 10
"""Voters from which on their votes are taken to hang together: of fewer that cannot be told."""


def agreement(votes: Sequence[Vote], tuned: str) -> float | None:
    """Return how often two people who read the same ticket think the same of it; None where no ticket has two votes."""
    by_ticket: dict[str, list[str]] = defaultdict(list)
    for vote in votes:
        thought = vote.choice if vote.choice == "both bad" else str(vote.wins(tuned))
        by_ticket[vote.ticket].append(thought)
    same = pairs = 0
    for thoughts in by_ticket.values():
        pairs += len(thoughts) * (len(thoughts) - 1) // 2
        same += sum(thoughts.count(kind) * (thoughts.count(kind) - 1) // 2 for kind in set(thoughts))
    return same / pairs if pairs else None


def preference(asked: Sequence[Turn], vote: Vote, first: str, second: str) -> dict[str, Any] | None:
    """Return a vote as a line of trl's preference format, conversational; None where nothing was to be preferred.

    Args:
        asked: What was to be answered.
        vote: Whose choice decides.
        first: The text of the answer that stood first.
        second: That of the other.
    """
    if vote.choice not in ("first", "second") or first.strip() == second.strip():
        return None
    chosen, rejected = (first, second) if vote.choice == "first" else (second, first)
    return pair_of(asked, chosen, rejected)
