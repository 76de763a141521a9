"""A folder as one .zip: texts are packed, weights are stored as they are, since they do not compress."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from engine.meanwhile import meanwhile
from engine.task import Report

STORED = frozenset({".safetensors", ".gguf", ".zip"})
"""Endings of files that do not get smaller."""
_CHUNK = 4 * 2**20


def pack(folder: Path, out: Path, report: Report) -> Path:
    """Pack all files of a folder, the small ones first.

    Args:
        folder: What is packed; names in the .zip are relative to it.
        out: The .zip to write.
        report: Called with the stage in words and the fraction of the bytes that are done.

    Raises:
        Cancelled: ``report`` said so; what is written so far is the caller's to remove.
        OSError: The disk is full.
    """
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    total, done = sum(file.stat().st_size for file in files), 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            done = _add(archive, file, file.relative_to(folder).as_posix(), done, max(1, total), report)
    settle(out, report)
    return out


def settle(file: Path, report: Report) -> None:
    """Bring a file's bytes to the disk, which takes as long as the disk wants.

    Raises:
        Cancelled: ``report`` said so.
        OSError: The disk is full, or failed.
    """

    def work(_: Callable[[], None]) -> None:
        with file.open("rb+") as written:
            os.fsync(written.fileno())

    meanwhile(work, lambda: report("Writing it to the disk", None), "settle")


def _add(archive: zipfile.ZipFile, file: Path, name: str, done: int, total: int, report: Report) -> int:
    entry = zipfile.ZipInfo.from_file(file, name)
    entry.compress_type = zipfile.ZIP_STORED if file.suffix in STORED else zipfile.ZIP_DEFLATED
    with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            done += len(chunk)
            report("Packing it into one file", min(1.0, done / total))
    return done
