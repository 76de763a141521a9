"""What somebody wrote, looked for where copies of it may lie beside the data sets: saved questions, files on their way.

Knows a person by the lines of their conversations and by what was masked in them. Short lines are anybody's ('Thank you
very much') and are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from engine.errors import StudioError
from engine.question_sets import read_question_set
from engine.tickets.dataset.erasing import Person, originals_in, theirs_in
from engine.tickets.dataset.files import TRAIN
from engine.workspace import write_json

LINE, VALUE = 20, 6
"""Characters of the shortest line, and of the shortest masked value, that is looked for."""
PIECE, OVERLAP = 1 << 23, 1 << 12
"""Bytes that are looked through at a time, and by which two of them overlap."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Texts by which a person is known, in small letters with single spaces."""

    texts: frozenset[str]

    @classmethod
    def of(cls, folders: Iterable[Path], person: Person) -> Traces:
        """Gather them, before anything is deleted.

        Raises:
            StudioError: A folder's conversations are damaged.
        """
        found: set[str] = set()
        for folder in folders:
            theirs = theirs_in(folder, person)
            said = [*(message.content for entry in theirs for message in entry.messages)]
            said += [text for entry in theirs for text in entry.originals.values()]
            lines = {_plain(line) for text in said for line in text.splitlines()}
            found |= {line for line in lines if len(line) >= LINE}
            values = map(_plain, originals_in(folder, frozenset(entry.ticket for entry in theirs)))
            found |= {value for value in values if len(value) >= VALUE}
        return cls(frozenset(found))

    def are_in(self, text: str) -> bool:
        """Whether a text holds one of them."""
        plain = _plain(text)
        return any(known in plain for known in self.texts)


def forget_questions(folder: Path, traces: Traces) -> int:
    """Take a person's questions out of saved sets; a set of nothing else goes. Return how many went."""
    gone = 0
    for file in sorted(folder.glob("*.json")):
        try:
            name, questions = read_question_set(file)
        except StudioError:
            if traces.are_in(file.read_text(encoding="utf-8", errors="replace")):
                file.unlink(missing_ok=True)
            continue
        kept = [text for text in questions if not traces.are_in(text)]
        gone += len(questions) - len(kept)
        if not kept:
            file.unlink(missing_ok=True)
        elif len(kept) < len(questions):
            write_json(file, {"name": name, "questions": kept})
    return gone


def forget_passing(folder: Path, traces: Traces) -> None:
    """Delete files on their way to or from a browser that hold something of a person, packed or not."""
    for file in folder.rglob("*"):
        if file.is_file() and (holds_tickets(file) or any(map(traces.are_in, _pieces(file)))):
            file.unlink(missing_ok=True)


def forget_made(home: Path, names: Iterable[str], traces: Traces) -> None:
    """Delete those files of a run or an adapter that hold something of a person, though its own tickets do not.

    An adapter may have been tried out on the tickets of another data set.

    Args:
        home: Its folder.
        names: The files, or folders of files, within it.
        traces: By which the person is known.
    """
    for path in (home / name for name in names):
        for file in list(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and any(map(traces.are_in, _pieces(file))):
                file.unlink(missing_ok=True)


def _pieces(file: Path) -> Iterator[str]:
    """Yield a file's text in pieces that overlap; an export on its way may be larger than memory."""
    before = b""
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield (before + piece).decode("utf-8", "replace")
            before = piece[-OVERLAP:]


def holds_tickets(file: Path) -> bool:
    """Whether tickets are packed into a .zip."""
    try:
        with ZipFile(file) as packed:
            return any(name.rpartition("/")[2] == TRAIN for name in packed.namelist())
    except (OSError, BadZipFile):
        return False


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
