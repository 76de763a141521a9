"""What the program wants of a run in processes of its own, and what such a process tells when it fails: small files.

    runs/<id>/control.json   paused, stopped; written by the program, read between steps
    runs/<id>/failure.json   why the first process that failed did so

Both are gone when the run has ended. This module knows files, and neither processes nor training.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.workspace import read_json, write_json

CONTROL = "control.json"
FAILURE = "failure.json"


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What the program wants of the run."""

    paused: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a process ended."""

    rank: int
    message: str
    remedy: str
    lower_rate: float | None = None
    """The learning rate to try instead, where the run diverged."""
    settings: dict[str, Any] | None = None
    """Settings that need less memory, where that is what it takes to go on."""


def write_control(folder: Path, request: ControlRequest) -> None:
    """Say what is wanted."""
    write_json(folder / CONTROL, asdict(request))


def read_control(folder: Path) -> ControlRequest:
    """Return what is wanted; nothing where nobody has said or the file cannot be read."""
    try:
        return ControlRequest(**read_json(folder / CONTROL))
    except (StudioError, TypeError):
        return ControlRequest()


def write_failure(folder: Path, failure: Failure) -> bool:
    """Leave a failure behind; return whether it was the first, which is the one that counts."""
    try:
        with (folder / FAILURE).open("x", encoding="utf-8") as file:
            json.dump(asdict(failure), file)
    except FileExistsError:
        return False
    return True


def read_failure(folder: Path) -> Failure | None:
    """Return the failure that was left behind, if any."""
    try:
        return Failure(**read_json(folder / FAILURE))
    except (StudioError, TypeError):
        return None


def forget(folder: Path) -> None:
    """Remove both files."""
    for name in (CONTROL, FAILURE):
        (folder / name).unlink(missing_ok=True)
