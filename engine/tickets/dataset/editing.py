"""Brings a person's edits into effect: while tickets are prepared, and at once on a prepared data set.

What an edit is, :mod:`engine.tickets.dataset.edits` says. Rewritten answers are masked like the rest, except for names
that stand in the people fields of the export alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import orjson

from engine.errors import TicketsError
from engine.scratch import scratch
from engine.tickets.conversation import Message
from engine.tickets.dataset.edits import Edits, Rewrite
from engine.tickets.dataset.files import DROPPED, HELDOUT, REPORT, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.duplicates import words_of
from engine.tickets.preparing.report import Report
from engine.tickets.privacy.masking import ConversationMasker, PrivacyOptions
from engine.workspace import disk_errors, private_file, write_atomically

DROPPED_BY_HAND = "dropped by you"
DROPPED_BY_TAG = "tag left out by you"
SAME_ANSWER = 0.6
"""Two versions of an answer that share this much of their words are one answer, masked differently."""


class Editor:
    """Edits, indexed so that they can be tried on many conversations.

    Args:
        edits: All edits of the data set.
        options: How it is prepared; says what is masked in rewritten answers.
        ids_hold: Whether a ticket's id means the same ticket as when the edits were made: true for help desks and for
            the very same files, not for rows of a table that is exported anew.
    """

    def __init__(self, edits: Edits, options: PrepareOptions, ids_hold: bool) -> None:
        self._edits = edits
        self._options = options
        self._tickets = {ticket: key for key, ticket in edits.dropped.items()} if ids_hold else {}
        self._moved: dict[str, StoredConversation] = {}
        self._redone: dict[Rewrite, Rewrite] = {}
        self._tags = frozenset(tag.casefold() for tag in edits.tags)
        self._answers: dict[str, list[Rewrite]] = defaultdict(list)
        for answer in edits.answers:
            self._answers[answer.key].append(answer)
            if ids_hold:
                self._answers[f"ticket {answer.ticket}"].append(answer)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._edits == Edits()

    def reason(self, entry: StoredConversation) -> str:
        """Say why a conversation is left out; empty when it stays."""
        if entry.key in self._edits.dropped:
            return DROPPED_BY_HAND
        if entry.ticket in self._tickets:
            self._moved[self._tickets[entry.ticket]] = entry
            return DROPPED_BY_HAND
        if self._tags and any(tag.casefold() in self._tags for tag in entry.tags):
            return DROPPED_BY_TAG
        return ""

    def edited(self, entry: StoredConversation) -> StoredConversation:
        """Return the conversation with its answers rewritten; it keeps what they were."""
        answers = self._answers.get(entry.key, []) + self._answers.get(f"ticket {entry.ticket}", [])
        if not answers and not entry.originals:
            return entry
        messages = [replace(message, content=entry.original(number)) for number, message in enumerate(entry.messages)]
        placed = _matches(list(dict.fromkeys(answers)), messages)
        originals = {number: messages[number].content for number in sorted(placed)}
        for number, rewrite in placed.items():
            self._redone[rewrite] = replace(rewrite, key=entry.key, was=messages[number].content)
            messages[number] = replace(messages[number], content=self._masked(rewrite.words, messages))
        return replace(entry, messages=tuple(messages), originals=originals)

    def now(self) -> Edits:
        """Return the edits with the keys and words that the conversations tried so far have now.

        Both change when something else is masked in a conversation, or when a newer export has more of it.
        """
        dropped = dict(self._edits.dropped)
        for key, entry in self._moved.items():
            dropped.pop(key, None)
            dropped[entry.key] = entry.ticket
        return replace(
            self._edits,
            dropped=dropped,
            answers=tuple(self._redone.get(answer, answer) for answer in self._edits.answers),
        )

    def _masked(self, words: str, messages: Sequence[Message]) -> str:
        masker = ConversationMasker(PrivacyOptions.of(self._options))
        for message in messages:
            # Their placeholders keep their numbers.
            masker.mask(message.content)
        return masker.mask(words)


def _matches(rewrites: Sequence[Rewrite], messages: Sequence[Message]) -> dict[int, Rewrite]:
    """Find the answers that are meant: word for word, else the one that differs in little but what is masked."""
    said = {
        number: words_of([message.content]) for number, message in enumerate(messages) if message.role == "assistant"
    }
    placed: dict[int, Rewrite] = {}
    unlike: list[tuple[list[str], Rewrite]] = []
    for rewrite in rewrites:
        wanted = words_of([rewrite.was])
        number = next((number for number, words in said.items() if words == wanted and number not in placed), None)
        if number is None:
            unlike.append((wanted, rewrite))
        else:
            placed[number] = rewrite
    for wanted, rewrite in unlike:
        shares = {number: _shared(wanted, said[number]) for number in said if number not in placed}
        best = max(shares, key=lambda number: shares[number], default=None)
        if best is not None and shares[best] >= SAME_ANSWER:
            placed[best] = rewrite
    return placed


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of words that two texts have in common, 0 to 1 (Jaccard)."""
    mine, theirs = set(one), set(other)
    return len(mine & theirs) / max(len(mine | theirs), 1)


def apply_edits(
    folder: Path, edits: Edits, options: PrepareOptions | None = None, *, ids_hold: bool = False
) -> tuple[Report, Edits]:
    """Bring a prepared data set to what the edits say, without reading the export again.

    The split stays as it is; a conversation taken back in returns to its side.

    Args:
        folder: A complete data set.
        edits: All edits, not only new ones.
        options: How it was prepared.
        ids_hold: As for :class:`Editor`; needed only after the data set has been prepared again.

    Returns:
        The report, counted anew, and the edits with the keys that hold now.

    Raises:
        TicketsError: Nothing would be left to learn from.
        ResourceError: The disk is full or cannot be written.
    """
    report = Report.load(folder)
    names = {"train": TRAIN, "heldout": HELDOUT, "dropped": DROPPED}
    counts = dict.fromkeys(names, 0)
    reasons = {DROPPED_BY_HAND: 0, DROPPED_BY_TAG: 0}
    editor = Editor(edits, options or PrepareOptions(), ids_hold)
    with disk_errors(folder), scratch(folder, "editing") as aside, ExitStack() as stack:
        files = {side: stack.enter_context(private_file(aside / side)) for side in names}
        for entry in _conversations(folder):
            reason = editor.reason(entry)
            target = "dropped" if reason else entry.split
            counts[target] += 1
            if reason:
                reasons[reason] += 1
            files[target].write(replace(editor.edited(entry), reason=reason).line())
        stack.close()
        if not counts["train"] + counts["heldout"]:
            raise TicketsError("No conversation would be left to learn from.", "Keep at least one.")
        for side, name in names.items():
            (aside / side).replace(folder / name)
    others = {reason: count for reason, count in report.dropped.items() if reason not in reasons}
    by_hand = {reason: count for reason, count in reasons.items() if count}
    remaining = counts["train"] + counts["heldout"]
    report = replace(
        report,
        train=counts["train"],
        heldout=counts["heldout"],
        conversations_kept=remaining,
        dropped={**others, **by_hand},
    )
    write_atomically(folder / REPORT, orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    return report, editor.now()


def _conversations(folder: Path) -> Iterator[StoredConversation]:
    """Yield every conversation, those left out before included."""
    for name in (TRAIN, HELDOUT, DROPPED):
        yield from conversations(folder / name)
