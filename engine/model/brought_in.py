"""Whole models that were brought in, to train over and to ask: what the workspace remembers of each.

models/<id>/about.json    {"name", "folder", "imported_at"}
models/<id>/checkpoint/   its files, where it came as a .zip; a folder stays where it lies
"""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.model.sources import check_reference
from engine.workspace import Workspace, read_object, write_json

ABOUT = "about.json"
CHECKPOINT = "checkpoint"
"""The folder in the entry itself, as about.json names it: the workspace may be moved."""


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """A whole model that somebody brought in."""

    entry: Path
    """Its folder in the workspace."""
    name: str
    folder: str
    """Where its files lie: the model as a recipe names it."""

    @property
    def id(self) -> str:
        """Of its voice in the playground."""
        return f"model:{self.entry.name}"


def brought_in(entry: Path) -> BroughtIn:
    """Read what is remembered of one.

    Raises:
        ModelError: It is damaged, or the model's files are not there any more.
    """
    about = read_object(entry / ABOUT)
    name, folder = about.get("name"), about.get("folder")
    inside = folder == CHECKPOINT
    if not isinstance(name, str) or not isinstance(folder, str) or not (inside or Path(folder).is_absolute()):
        raise ModelError(f"{ABOUT} in {entry.name} is damaged.", "Bring the model in again.")
    place = str(entry / CHECKPOINT) if inside else folder
    check_reference(place)
    return BroughtIn(entry, name, place)


def all_of(workspace: Workspace) -> list[BroughtIn]:
    """Return those of a workspace that can be used, the newest first."""
    from engine.damage import readable

    return readable(workspace.entries(workspace.models), brought_in)[0]


def rename(entry: Path, name: str) -> None:
    """Give one another name.

    Raises:
        ModelError: As in :func:`brought_in`.
    """
    brought_in(entry)
    write_json(entry / ABOUT, {**read_object(entry / ABOUT), "name": name})
