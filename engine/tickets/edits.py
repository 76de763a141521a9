"""What a person changed by hand: conversations dropped, answers rewritten. Kept apart, so that a re-import keeps it.

An edit remembers what it was made for by the words, because tables without ids number their rows anew. Edits take
effect when tickets are prepared, and at once on a prepared data set by :func:`apply_edits`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import orjson

from engine.errors import TicketsError
from engine.tickets.duplicates import words_of
from engine.tickets.report import Report
from engine.workspace import disk_errors, read_json, write_atomically, write_json

DROPPED_BY_HAND = "dropped by you"
ORIGINALS = "originals"
"""Key of a rewritten conversation: ``{"number of the message": "its words as imported"}``."""
Entry = dict[str, Any]


def fingerprint(text: str) -> str:
    """Return 16 hexadecimal digits that stand for the words of a text, whatever its case, spaces and marks."""
    return hashlib.blake2b(" ".join(words_of([text])).encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Edits:
    """All changes to one data set; every method returns new edits.

    Entries are conversations as :class:`engine.tickets.dataset.DataSet` gives them.
    """

    dropped: Mapping[str, str] = field(default_factory=dict)
    """``key`` of the conversation -> its ticket."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """``ticket/fingerprint of the answer as imported`` -> the new words."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; no edits where there is no file.

        Raises:
            StudioError: The file is damaged.
        """
        if not path.exists():
            return cls()
        value: Any = read_json(path)
        if not isinstance(value, dict) or not all(isinstance(part, dict) for part in value.values()):
            raise TicketsError(f"{path.name} is damaged.", "Delete it to do without the edits in it.")
        return cls(value.get("dropped", {}), value.get("answers", {}))

    def save(self, path: Path) -> None:
        """Write the edits as JSON, atomically."""
        write_json(path, {"dropped": dict(self.dropped), "answers": dict(self.answers)})

    def drop(self, entry: Entry) -> Self:
        """Leave a conversation out from now on."""
        return replace(self, dropped={**self.dropped, entry["key"]: entry["ticket"]})

    def keep(self, entry: Entry) -> Self:
        """Take a dropped conversation back in."""
        return replace(self, dropped={key: ticket for key, ticket in self.dropped.items() if key != entry["key"]})

    def rewrite(self, entry: Entry, number: int, words: str) -> Self:
        """Put other words in place of an answer; its words as imported undo it.

        Args:
            entry: The conversation.
            number: Which of its messages, from 0.
            words: What is to be learnt instead.

        Raises:
            TicketsError: The new answer is empty, or the message is not an agent's.
        """
        message = entry["messages"][number]
        if message["role"] != "assistant":
            raise TicketsError("Only an agent's answer can be rewritten.", "Choose an answer.")
        if not words.strip():
            raise TicketsError("The new answer is empty.", "Drop the conversation instead.")
        original = entry.get(ORIGINALS, {}).get(str(number), message["content"])
        key = f"{entry['ticket']}/{fingerprint(original)}"
        others = {one: said for one, said in self.answers.items() if one != key}
        return replace(self, answers=others if words.strip() == original.strip() else {**others, key: words.strip()})

    def applied(self, entry: Entry) -> Entry:
        """Return the conversation with its answers rewritten; it keeps what they were."""
        messages, originals = [], {}
        for number, message in enumerate(entry["messages"]):
            original = entry.get(ORIGINALS, {}).get(str(number), message["content"])
            words = self.answers.get(f"{entry['ticket']}/{fingerprint(original)}") if self.answers else None
            if message["role"] != "assistant" or words is None:
                messages.append({**message, "content": original})
            else:
                messages.append({**message, "content": words})
                originals[str(number)] = original
        rest = {key: value for key, value in entry.items() if key not in ("messages", ORIGINALS)}
        return {**rest, "messages": messages, **({ORIGINALS: originals} if originals else {})}


def apply_edits(folder: Path, edits: Edits) -> Report:
    """Bring a prepared data set to what the edits say, without reading the export again.

    The split stays as it is; a conversation taken back in returns to its side.

    Args:
        folder: A complete data set.
        edits: All edits, not only new ones.

    Returns:
        The report, counted anew.

    Raises:
        TicketsError: Nothing would be left to learn from.
        ResourceError: The disk is full or cannot be written.
    """
    report = Report.from_json(read_json(folder / "report.json"))
    counts = {"train": 0, "heldout": 0, "dropped": 0}
    with disk_errors(folder), ExitStack() as stack:
        files = {side: stack.enter_context((folder / f".{side}.editing").open("wb")) for side in counts}
        for side, entry in _entries(folder):
            target = "dropped" if entry["key"] in edits.dropped else side
            counts[target] += 1
            changed = edits.applied(entry)
            files[target].write(orjson.dumps({**changed, "side": side} if target == "dropped" else changed) + b"\n")
        stack.close()
        if not counts["train"] + counts["heldout"]:
            for side in counts:
                (folder / f".{side}.editing").unlink()
            raise TicketsError("No conversation would be left to learn from.", "Keep at least one.")
        for side in counts:
            (folder / f".{side}.editing").replace(folder / f"{side}.jsonl")
    others = {reason: count for reason, count in report.dropped.items() if reason != DROPPED_BY_HAND}
    by_hand = {DROPPED_BY_HAND: counts["dropped"]} if counts["dropped"] else {}
    kept = counts["train"] + counts["heldout"]
    report = replace(
        report, train=counts["train"], heldout=counts["heldout"], conversations_kept=kept, dropped={**others, **by_hand}
    )
    write_atomically(folder / "report.json", orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    return report


def _entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    for name in ("train", "heldout", "dropped"):
        path = folder / f"{name}.jsonl"
        if not path.exists():
            continue
        with path.open("rb") as lines:
            for line in lines:
                entry: Entry = orjson.loads(line)
                yield entry.pop("side", "train") if name == "dropped" else name, entry
