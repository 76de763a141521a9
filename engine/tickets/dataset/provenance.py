"""Where a data set came from and how it was prepared, so that it can be prepared again with something changed.

    origin.json         what was chosen, and what is wanted next time; mode 0600, because it holds terms to be masked
    sources/N/NAME      a private copy of the N-th file of the export; modes 0700 and 0600

Knows nothing of what preparing does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from engine.errors import StudioError, TicketsError
from engine.tickets.dataset.files import ORIGIN, SOURCES
from engine.tickets.options import PrepareOptions
from engine.workspace import disk_errors, private_file, read_json, write_json

MOST_KEPT = 2_000_000_000
"""Bytes; a larger export is not copied, and has to be dropped again to be prepared again."""
_CHUNK = 1 << 22

TermKind = Literal["allow", "extra_terms", "exclude_agents"]
TERM_KINDS: tuple[TermKind, ...] = ("allow", "extra_terms", "exclude_agents")


@dataclass(frozen=True, slots=True)
class Choice:
    """A term that is allowed or masked, or an agent who is left out, by the person's choice."""

    kind: TermKind
    term: str
    pending: Literal["", "add", "remove"]
    """What the next preparation changes about it; empty when it is in effect."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The history of a data set."""

    files: tuple[tuple[str, int], ...] = ()
    """Name and bytes of each file of the export."""
    kept: bool = False
    """Whether a copy of them lies with the data set."""
    used: PrepareOptions = field(default_factory=PrepareOptions)
    """How the data set was prepared."""
    wanted: PrepareOptions = field(default_factory=PrepareOptions)
    """How it is going to be prepared next time."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote; nothing is known of a data set without it.

        Raises:
            StudioError: The file is damaged.
        """
        path = folder / ORIGIN
        if not path.exists():
            return cls()
        try:
            value = read_json(path)
            files = tuple((str(name), int(size)) for name, size in value["files"])
            used, wanted = (PrepareOptions.from_json(value[key]) for key in ("used", "wanted"))
            return cls(files, bool(value["kept"]) and (folder / SOURCES).is_dir(), used, wanted)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise TicketsError(f"{ORIGIN} of the data set is damaged.", "Prepare the tickets anew.") from error

    def save(self, folder: Path) -> None:
        """Write it, for the owner's eyes alone."""
        value = {
            "files": [list(file) for file in self.files],
            "kept": self.kept,
            "used": self.used.to_json(),
            "wanted": self.wanted.to_json(),
        }
        write_json(folder / ORIGIN, value)

    @property
    def bytes(self) -> int:
        """Size of the files together."""
        return sum(size for _, size in self.files)

    def choices(self) -> tuple[Choice, ...]:
        """Return every term and agent that the person decided about, with what is still to be done."""
        choices = []
        for kind in TERM_KINDS:
            used, wanted = getattr(self.used, kind), getattr(self.wanted, kind)
            for term in dict.fromkeys((*used, *wanted)):
                pending: Literal["", "add", "remove"] = (
                    "" if term in used and term in wanted else "add" if term in wanted else "remove"
                )
                choices.append(Choice(kind, term, pending))
        return tuple(choices)

    @property
    def pending(self) -> bool:
        """Whether something is wanted that has not been done."""
        return any(choice.pending for choice in self.choices())


def keep_sources(
    files: Sequence[Path],
    folder: Path,
    report: Callable[[str, float | None], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Copy the files of an export into ``folder``, for the owner's eyes alone.

    Args:
        files: The export.
        folder: A new folder.
        report: Told what is done and how far it is.
        should_stop: Asked after every few megabytes.

    Returns:
        Whether they were copied: not when they are larger than :data:`MOST_KEPT` or the disk would get tight.

    Raises:
        TicketsError: It was stopped.
        ResourceError: The disk cannot be written.
    """
    size = sum(file.stat().st_size for file in files)
    with disk_errors(folder):
        if size > MOST_KEPT or shutil.disk_usage(folder.parent).free < 3 * size:
            return False
        folder.mkdir(mode=0o700)
        copied = 0
        for number, file in enumerate(files):
            (folder / str(number)).mkdir(mode=0o700)
            with file.open("rb") as source, private_file(folder / str(number) / file.name) as target:
                while chunk := source.read(_CHUNK):
                    if should_stop():
                        raise TicketsError("The import was stopped.", "Nothing was changed.")
                    target.write(chunk)
                    copied += len(chunk)
                    report("Keeping a private copy of the export", copied / size)
                target.flush()
                os.fsync(target.fileno())
    return True


def kept_sources(folder: Path) -> list[Path]:
    """Return the files that :func:`keep_sources` copied, in their order.

    Raises:
        StudioError: There are none.
    """
    files = list(_kept(folder / SOURCES))
    if not files:
        raise StudioError("The export was not kept with this data set.", "Drop it once more.")
    return files


def _kept(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        places = [place for place in folder.iterdir() if place.name.isdecimal() and place.is_dir()]
        for place in sorted(places, key=lambda path: int(path.name)):
            yield from place.iterdir()
