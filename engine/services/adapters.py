"""Adapters and whole models that were brought in from elsewhere: imported, listed, renamed, deleted."""

from pathlib import Path

from engine.chat.imported import imported_voice, rename_imported
from engine.chat.records import Voice
from engine.damage import Damaged, readable
from engine.errors import StudioError
from engine.model.brought_in import brought_in
from engine.model.brought_in import rename as rename_model
from engine.services.runs import RunService
from engine.task import Report
from engine.workspace import Deleted, Workspace, checked_name

ADAPTER, MODEL = "adapter:", "model:"
"""How the ids of their voices begin."""


class AdapterService:
    """What was brought into a workspace.

    Args:
        workspace: Where they are.
        runs: Whose base models an adapter may belong to.
    """

    def __init__(self, workspace: Workspace, runs: RunService) -> None:
        self._workspace = workspace
        self._runs = runs

    def voices(self) -> list[Voice]:
        """Return all that can answer: adapters, and whole models, which answer as they are."""
        return self._read()[0] + self._models()[0]

    def damaged(self) -> list[Damaged]:
        """Return those that cannot be read."""
        return self._read()[1] + self._models()[1]

    def _read(self) -> tuple[list[Voice], list[Damaged]]:
        return readable(self._workspace.entries(self._workspace.adapters), imported_voice)

    def _models(self) -> tuple[list[Voice], list[Damaged]]:
        found, damaged = readable(self._workspace.entries(self._workspace.models), brought_in)
        return [Voice(each.id, each.name, each.folder, None) for each in found], damaged

    def bring_in(self, source: Path, name: str = "", base: str = "", report: Report = lambda *_: None) -> str:
        """Bring an exported .zip, or a PEFT adapter folder, into the playground.

        Args:
            source: The .zip or the folder.
            name: What it is called here; the file's name when empty.
            base: Its base model, where it is not found: 'starter', a folder or a model hub id.
            report: Told what is done; raises Cancelled.

        Returns:
            The id of its voice.

        Raises:
            ModelError: It is no adapter, is unsafe, or names no base model that can be loaded.
        """
        from engine.export.importing import import_adapter

        used = [run.recipe.model for run in self._runs.all() if run.recipe is not None]
        known = dict.fromkeys([*used, *(voice.model for voice in self.voices())])
        return f"{ADAPTER}{import_adapter(self._workspace, source, name, base, known, report).name}"

    def bring_model_in(self, source: Path, name: str, report: Report) -> str:
        """Bring a whole model in, to train over and to ask.

        Args:
            source: Its folder, which stays where it is, or a .zip.
            name: What it is called here; the file's name when empty.
            report: Told what is done; raises Cancelled.

        Returns:
            The id of its voice.

        Raises:
            ModelError: It is damaged, or cannot be a base.
        """
        from engine.export.importing_model import import_model

        return f"{MODEL}{import_model(self._workspace, source, name, report).name}"

    def rename(self, voice: str, name: str) -> None:
        """Give what was brought in another name."""
        folder, name = self.folder(voice), checked_name(name)
        if voice.startswith(MODEL):
            rename_model(folder, name)
        else:
            rename_imported(folder, name)

    def delete(self, voice: str) -> Deleted:
        """Move what was brought in to the trash; the files of a model that lies elsewhere stay there."""
        folder = self.folder(voice)
        if voice.startswith(MODEL):
            return self._workspace.discard(folder, brought_in(folder).name)
        return self._workspace.discard(folder, imported_voice(folder).label)

    def at(self, folder: Path) -> str:
        """Return the id of the adapter that lies in a folder of the workspace.

        Raises:
            StudioError: None does.
        """
        place = folder.expanduser().resolve()
        if place.parent != self._workspace.adapters.resolve() or not place.is_dir():
            raise StudioError(f"{folder} is no adapter of this workspace.", "Bring it in first, with import.")
        return f"{ADAPTER}{place.name}"

    def folder(self, voice: str) -> Path:
        """Return the folder of what was brought in.

        Raises:
            StudioError: It is gone, or it is a run's.
        """
        if voice.startswith(MODEL):
            return self._workspace.child(self._workspace.models, voice.removeprefix(MODEL))
        if not voice.startswith(ADAPTER):
            raise StudioError("Only imported adapters can be changed here.", "Rename or delete the run instead.")
        return self._workspace.child(self._workspace.adapters, voice.removeprefix(ADAPTER))
