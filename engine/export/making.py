"""Make an export: room on the disk, the work in a scratch folder beside the target, and one rename at the end.

Whatever happens on the way (a full disk, a folder that is read-only, somebody who calls it off), nothing half-written
is left, and an older export of that name stays as it was until the new one is whole.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import Cancelled, ResourceError, StudioError
from engine.export.format import Choices, Format
from engine.export.packing import pack, settle
from engine.export.passport import write_passport
from engine.export.source import ExportSource
from engine.scratch import scratch, sweep
from engine.task import Report
from engine.workspace import disk_errors

MARGIN = 64 * 2**20
"""Bytes that are left free on the disk."""


Certify = Callable[[ExportSource, Format, Choices, Path, Report], object]
"""Tries an export before it gets its place, and writes into its folder what came of it (parity/certifying.py)."""


def make_newest(
    newest: Callable[[], ExportSource],
    format_: Format,
    out: Path,
    choices: Choices,
    report: Report,
    *,
    replaces: bool = False,
    certify: Certify | None = None,
) -> Path:
    """As :func:`make`, of a run that may be in progress: a newer checkpoint may take the place of the one being read.

    Args:
        newest: Returns what the run has by now.
        format_: As in :func:`make`.
        out: As in :func:`make`.
        choices: As in :func:`make`.
        report: As in :func:`make`.
        replaces: As in :func:`make`.
        certify: As in :func:`make`.

    Raises:
        StudioError: As in :func:`make`.
    """
    source = newest()
    try:
        return make(source, format_, out, choices, report, certify=certify, replaces=replaces)
    except Cancelled:
        raise
    except (OSError, StudioError):
        if not source.home.is_dir():
            raise
        newer = newest()
        if newer.adapter == source.adapter:
            raise
        return make(newer, format_, out, choices, report, certify=certify, replaces=replaces)


def make(
    source: ExportSource,
    format_: Format,
    out: Path,
    choices: Choices,
    report: Report,
    *,
    replaces: bool = False,
    certify: Certify | None = None,
) -> Path:
    """Write a result in a format.

    Args:
        source: What is exported.
        format_: As what.
        out: The .zip or the folder to write. A .zip is replaced once the new one is complete; a folder must be new, or
            empty.
        choices: What the person has chosen.
        report: Called with the stage in words and the fraction done; raises Cancelled.
        replaces: Whether a folder that is there gives way once the new one is complete.
        certify: Tries what was written; None where nobody asks how it answers.

    Returns:
        ``out``.

    Raises:
        Cancelled: ``report`` said so.
        StudioError: The source is damaged, was deleted meanwhile or cannot be had in this format, the disk is full or
            read-only, or ``out`` is taken; in words.
    """
    if refusal := format_.refusal(source):
        raise StudioError(refusal, "Pick another format.")
    if choices.quantisation and choices.quantisation not in format_.quantisations:
        known = ", ".join(format_.quantisations) or "none: it is not packed"
        raise StudioError(f"{format_.title} has no quantisation '{choices.quantisation[:40]}'.", f"Pick from: {known}.")
    zipped = out.suffix.lower() == ".zip" or (format_.zipped and not out.is_dir())
    with disk_errors(out), _while_there(source, report) as report:
        _check_target(out, zipped, replaces)
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(out, source)
        sweep([beside])  # what an export that was killed has left there may be what this one lacks room for
        check_room(out.parent, bytes_needed(source, format_, choices, zipped=zipped))
        with scratch(beside, "export") as temporary:
            folder = temporary / "files"
            folder.mkdir()
            format_.write(source, choices, folder, report)
            if certify:
                certify(source, format_, choices, folder, report)
            write_passport(source, format_, choices, folder, report)
            if zipped:
                made = pack(folder, temporary / "export.zip", report)
            else:
                made = folder
                _settle(folder, report)
            report("Putting it in its place", 1.0)
            _put(made, out, temporary)
    return out


@contextmanager
def _while_there(source: ExportSource, report: Report) -> Iterator[Report]:
    """Give a report that ends the export of what has been deleted; whatever that breaks is told as what it is."""
    told = f"'{source.name}' was deleted while it was exported."
    deleted = StudioError(told, "Undo the deletion, and export it again.")

    def reporting(stage: str, fraction: float | None) -> None:
        if not source.home.is_dir():
            raise deleted
        report(stage, fraction)

    try:
        yield reporting
    except Cancelled:
        raise
    except (OSError, StudioError) as error:
        if source.home.is_dir():
            raise
        raise deleted from error


def _beside(out: Path, source: ExportSource) -> Path:
    """Return where an export is made: on its target's disk, and not in a folder that somebody may delete meanwhile."""
    return source.home.parent if source.home in out.parents else out.parent


def pack_into(folder: Path, out: Path, report: Report) -> Path:
    """Put an export's folder into one .zip.

    Args:
        folder: The export.
        out: The .zip; an older one is replaced once the new one is complete.
        report: As in :func:`make`.

    Raises:
        Cancelled: ``report`` said so.
        ResourceError: The disk is full or read-only.
    """
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        check_room(out.parent, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
        with scratch(out.parent, "export") as temporary:
            pack(folder, temporary / "export.zip", report).replace(out)
    return out


def bytes_needed(source: ExportSource, format_: Format, choices: Choices, *, zipped: bool) -> int:
    """Return how many bytes an export needs on the disk while it is made; 0 where that is not known beforehand."""
    size = format_.bytes_of(source, choices)
    return 0 if size is None else (2 if zipped else 1) * size + format_.extra_bytes(source, choices)


def check_room(folder: Path, needed: int) -> None:
    """Make sure that a disk has room.

    Raises:
        ResourceError: It has not; says how much is needed and how much there is.
    """
    free = shutil.disk_usage(folder).free
    if needed + MARGIN > free:
        raise ResourceError(
            f"This export needs {_size(needed + MARGIN)} on the disk of {folder}, where {_size(free)} are free.",
            "Free some space, or name a place on a larger disk.",
        )


def _check_target(out: Path, zipped: bool, replaces: bool) -> None:
    if zipped and out.is_dir():
        raise StudioError(f"{out} is a folder.", "Name a file that ends with .zip.")
    if (
        not zipped
        and out.exists()
        and not (replaces and out.is_dir())
        and not (out.is_dir() and not any(out.iterdir()))
    ):
        raise StudioError(f"{out} is there already.", "Name a new folder, or a file that ends with .zip.")


def _settle(folder: Path, report: Report) -> None:
    """Bring what was written to the disk, so that a rename names whole files even when the power fails."""
    report("Writing it to the disk", None)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        settle(file, report)


def _put(made: Path, out: Path, temporary: Path) -> None:
    """Rename it into its place; an older folder goes into the scratch folder, and with it."""
    if out.is_dir():
        out.replace(temporary / "older")
    made.replace(out)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
