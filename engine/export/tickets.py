"""Tickets that travel with an adapter, so that it can look them up elsewhere: counted, written, and taken in again.

Only when the person says so: they are the masked conversations that the run has learnt from, and whoever gets the file
can read them. Of each, what was said travels, and a number that stands for its words; no subject, tag or date.
"""

from pathlib import Path

from engine.errors import ModelError, StudioError
from engine.tickets.dataset.files import TRAIN, TRAVELLED, numbered_lines
from engine.tickets.dataset.stored import StoredConversation, conversations, json_line

FILE = "lookup_tickets.jsonl"
"""Their file in the .zip, beside the adapter's own."""


def _line(entry: StoredConversation) -> bytes:
    return json_line({"ticket": entry.ticket, "messages": entry.turns, "key": entry.key})


def weigh(data: Path) -> tuple[int, int]:
    """Return how many conversations would travel, and how many bytes at most before packing; quick.

    Args:
        data: A run's copy of its data set.

    Raises:
        TicketsError: They cannot be read.
    """
    sizes = [len(line) for _, line in numbered_lines(data / TRAIN)]
    return len(sizes), sum(sizes)


def pack(data: Path, folder: Path) -> None:
    """Write the conversations of a run beside its adapter.

    Args:
        data: A run's copy of its data set.
        folder: Where what is exported is put together.

    Raises:
        StudioError: They are damaged.
    """
    with (folder / FILE).open("xb") as target:
        for entry in conversations(data / TRAIN):
            target.write(_line(entry))


def unpack(staged: Path) -> None:
    """Put the tickets of a stranger's bundle where look-up reads them; each line is read and written anew.

    Args:
        staged: The folder with the files that were taken; the tickets' is gone from it afterwards.

    Raises:
        ModelError: A line is damaged, or there is none.
    """
    source = staged / FILE
    if not source.exists():
        return
    home = staged / TRAVELLED
    home.mkdir()
    try:
        with (home / TRAIN).open("wb") as target:
            for entry in conversations(source):
                target.write(_line(entry))
    except StudioError as error:
        raise ModelError(f"The tickets that came with it are damaged: {error.message}", "Export it again.") from error
    source.unlink()
