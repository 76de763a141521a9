"""Adapters that were brought in from elsewhere: imported, listed, renamed, deleted."""

from pathlib import Path

from engine.chat.imported import imported_voice, rename_imported
from engine.chat.records import Voice
from engine.damage import Damaged, readable
from engine.errors import StudioError
from engine.services.runs import RunService
from engine.workspace import Deleted, Workspace, checked_name


class AdapterService:
    """The imported adapters of a workspace.

    Args:
        workspace: Where they are.
        runs: Whose base models an adapter may belong to.
    """

    def __init__(self, workspace: Workspace, runs: RunService) -> None:
        self._workspace = workspace
        self._runs = runs

    def voices(self) -> list[Voice]:
        """Return all that can answer."""
        return self._read()[0]

    def damaged(self) -> list[Damaged]:
        """Return those that cannot be read."""
        return self._read()[1]

    def _read(self) -> tuple[list[Voice], list[Damaged]]:
        return readable(self._workspace.entries(self._workspace.adapters), imported_voice)

    def bring_in(self, source: Path, name: str = "", base: str = "") -> str:
        """Bring an exported .zip, or a PEFT adapter folder, into the playground.

        Args:
            source: The .zip or the folder.
            name: What it is called here; the file's name when empty.
            base: Its base model, where it is not found: 'starter', a folder or a model hub id.

        Returns:
            The id of its voice.

        Raises:
            ModelError: It is no adapter, is unsafe, or names no base model that can be loaded.
        """
        from engine.export.importing import import_adapter

        used = [run.recipe.model for run in self._runs.all() if run.recipe is not None]
        known = dict.fromkeys([*used, *(voice.model for voice in self.voices())])
        return f"adapter:{import_adapter(self._workspace, source, name, base, known).name}"

    def rename(self, voice: str, name: str) -> None:
        """Give an imported adapter another name."""
        rename_imported(self._folder(voice), checked_name(name))

    def delete(self, voice: str) -> Deleted:
        """Move an imported adapter to the trash."""
        folder = self._folder(voice)
        return self._workspace.discard(folder, imported_voice(folder).label)

    def _folder(self, voice: str) -> Path:
        """The folder of an imported adapter.

        Raises:
            StudioError: It is gone, or it is a run's.
        """
        if not voice.startswith("adapter:"):
            raise StudioError("Only imported adapters can be changed here.", "Rename or delete the run instead.")
        return self._workspace.child(self._workspace.adapters, voice.removeprefix("adapter:"))
