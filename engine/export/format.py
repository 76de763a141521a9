"""Format: one way to take a result home, as a record.

A format writes files into a folder that is made for it. Where that folder is, that it is empty, that the disk has room,
and that nothing of it stays when it fails, is making.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.export.records import Choices, Command
from engine.export.source import ExportSource
from engine.task import Report

__all__ = ["Choices", "Command", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to take a result home."""

    key: str
    """Its name on the command line."""
    title: str
    purpose: str
    """What it is for, in one sentence."""
    replayed_with: str
    """The tool that it is meant for, and is tried with in a process of its own: 'transformers and peft'."""
    write: Callable[[ExportSource, Choices, Path, Report], None]
    """Writes its files into an empty folder. Reports at least twice a second: a report raises Cancelled."""
    bytes_of: Callable[[ExportSource, Choices], int | None]
    """Bytes of what it will write; None where that is not known beforehand. Quick, and loads nothing."""
    commands: Callable[[ExportSource, Path], tuple[Command, ...]]
    """How this very export is used, where it lies (the folder, or the .zip that it is unpacked from); quick."""
    refusal: Callable[[ExportSource], str] = lambda _: ""
    """Why a source cannot be had in this format, in one sentence; empty where it can. Quick, and loads nothing."""
    extra_bytes: Callable[[ExportSource, Choices], int] = lambda *_: 0
    """Bytes that it needs beside its result while it works; gone at the end."""
    quantisations: tuple[str, ...] = ()
    """What it can be packed as, the best known first."""
    zipped: bool = False
    """Whether it is one .zip unless the person names a folder."""
