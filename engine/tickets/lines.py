"""A line of a data set's files -> its record, or a sentence about the line: files outlive programs and disks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from engine.errors import TicketsError
from engine.tickets.dataset.files import numbered_lines

Entry = dict[str, Any]


def entries(file: Path, *texts: str) -> Iterator[Entry]:
    """Yield the objects of a file, one a line; none where there is no such file.

    Args:
        file: A file of a data set.
        texts: Keys that must be there and hold text.

    Raises:
        TicketsError: A line is damaged, or the file cannot be read.
    """
    for number, line in numbered_lines(file):
        yield entry_of(line, file.name, number, *texts)


def entry_of(line: bytes, file: str, number: int | None, *texts: str) -> Entry:
    """Read a line that holds an object.

    Args:
        line: The line.
        file: The name of its file.
        number: Its number, from 1; None where it is not known.
        texts: Keys that must be there and hold text.

    Raises:
        TicketsError: The line is damaged.
    """
    try:
        value = orjson.loads(line)
    except ValueError as error:
        raise damage(file, number) from error
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in texts):
        raise damage(file, number)
    return value


def damage(file: str, number: int | None) -> TicketsError:
    """Say that a line is damaged; without its number where that is not known."""
    return TicketsError(
        f"{'A line' if number is None else f'Line {number}'} of {file} is damaged.", "Prepare the tickets again."
    )
