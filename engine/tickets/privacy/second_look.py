"""Reads a prepared data set once more with a model, for names that the rules do not know, and puts them on the list.

A union with the rules, never instead of them, and nothing is masked by it: a model of names calls every third clean
message suspicious. Knows no model; the one who prepares brings something that finds names in texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson

from engine.errors import Cancelled
from engine.tickets.dataset.files import PREFERENCES, REDACTIONS, SPLIT_FILES
from engine.tickets.dataset.stored import conversations
from engine.tickets.lines import entries
from engine.tickets.preparing.report import Progress
from engine.tickets.privacy.review import SUSPECT, read_places

Finder = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]
"""Texts -> start and end of every name in each."""
FinderOpener = Callable[[str], Finder]
"""The folder of a model -> what finds names with it."""

_PASSAGE = 800
"""Characters that are read at once; a model of names sees about 512 tokens."""
_DENSE_PASSAGE = 300
"""The same of a text that is not in Latin letters, of which each may be a token."""
_AT_ONCE = 64
_CONTEXT = 40
_SHORTEST = 2
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]|[\[\]_]")
_END = re.compile(r"(?<=[\n.!?\u3002])\s*|\s+")


def look_again(
    folder: Path,
    find: Finder,
    allowed: Sequence[str],
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> int:
    """Add what a finder suspects to the review of a data set that has just been written.

    Args:
        folder: Where train.jsonl, heldout.jsonl and redactions.jsonl lie.
        find: Finds names in texts.
        allowed: Terms that are no names.
        progress: Told how many conversations are read.
        should_stop: Asked between batches; True ends the import.

    Returns:
        How many places were added.

    Raises:
        Cancelled: It was stopped.
    """
    left = {term.casefold() for term in allowed}
    known = {(place.ticket, place.original) for place in read_places(folder / REDACTIONS)}
    passages = [passage for ticket, text in _texts(folder) for passage in _passages(ticket, text)]
    added = 0
    with (folder / REDACTIONS).open("ab") as review:
        for first in range(0, len(passages), _AT_ONCE):
            if should_stop():
                raise Cancelled
            progress(Progress(first, len(passages), "Looking for names with the model"))
            batch = passages[first : first + _AT_ONCE]
            for (ticket, text), spans in zip(batch, find([text for _, text in batch]), strict=True):
                for start, end in spans:
                    words = text[start:end].strip(" ,.;:!?\n")
                    if _is_suspect(words, left) and (ticket, words) not in known:
                        known.add((ticket, words))
                        added += 1
                        review.write(orjson.dumps(_line(ticket, words, text, start, end)) + b"\n")
    return added


def _is_suspect(words: str, allowed: set[str]) -> bool:
    is_name = len(words) >= _SHORTEST and any(letter.isalpha() for letter in words) and not _PLACEHOLDER.search(words)
    return is_name and words.casefold() not in allowed


def _line(ticket: str, words: str, text: str, start: int, end: int) -> dict[str, str]:
    before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
    return {"ticket": ticket, "kind": SUSPECT, "placeholder": "", "original": words, "before": before, "after": after}


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield ticket and text of every message, and of the rejected answers that are kept beside them."""
    for name in SPLIT_FILES.values():
        yield from (
            (entry.ticket, message.content) for entry in conversations(folder / name) for message in entry.messages
        )
    for pair in entries(folder / PREFERENCES, "ticket"):
        yield from ((pair["ticket"], turn["content"]) for turn in pair["rejected"])


def _passages(ticket: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield ticket and text of every passage of a text."""
    limit = _PASSAGE if text.isascii() or sum(map(_is_latin, text)) > len(text) // 2 else _DENSE_PASSAGE
    while text:
        cut = _cut(text, limit)
        yield ticket, text[:cut]
        text = text[cut:]


def _is_latin(letter: str) -> bool:
    return letter < "\u0250"


def _cut(text: str, limit: int) -> int:
    """Return where a passage ends: after a sentence or a word, as late as the limit allows."""
    if len(text) <= limit:
        return len(text)
    ends = [match.end() for match in _END.finditer(text, limit // 2, limit) if match.end() > limit // 2]
    return ends[-1] if ends else limit
