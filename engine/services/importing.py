"""What comes from elsewhere: an exported .zip, a PEFT folder, an id of the model hub, a whole model; and its trial."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Cancelled, StudioError
from engine.model.sources import is_hub_id
from engine.scratch import scratch
from engine.services.adapters import AdapterService
from engine.services.export import ExportService
from engine.task import Report, Task
from engine.workspace import Workspace, write_json

if TYPE_CHECKING:
    from engine.export.records import Brought


class ImportService:
    """The way in.

    Args:
        workspace: Where what comes is kept.
        adapters: Knows what is there, and brings in what lies on this computer.
        exports: Tries an adapter that has come in.
    """

    def __init__(self, workspace: Workspace, adapters: AdapterService, exports: ExportService) -> None:
        self._workspace = workspace
        self._adapters = adapters
        self._exports = exports

    def bring_in(
        self, source: str, name: str = "", base: str = "", *, revision: str = "", sha256: str = ""
    ) -> "Task[Brought]":
        """Bring something in, and try it where it is an adapter.

        Args:
            source: A .zip or a folder on this computer, or an adapter's id on the model hub.
            name: What it is called here; by default as its file, or its id.
            base: The base of an adapter, where what it names is not found here.
            revision: Of the hub: a branch, a tag or a commit; the newest when empty.
            sha256: Of the hub: what the hash of its weights has to be; not compared when empty.

        Returns:
            The task. Once it is called off nothing is left, whatever it was at.
        """

        def action(task: "Task[Brought]") -> "Brought":
            place = Path(source).expanduser()
            if is_hub_id(source) and not place.exists():
                return self._from_hub(source, name, base, revision, sha256, task.report)
            return self._from_disk(place, name, base, task.report)

        return Task(f"Bringing in {Path(source).name or source}", action)

    def _from_hub(self, repository: str, name: str, base: str, revision: str, sha256: str, report: Report) -> "Brought":
        from engine.export.hub.fetching import fetch_adapter
        from engine.export.passport import HUB

        with scratch(self._workspace.cache, "fetching") as temporary:
            folder = temporary / repository.rpartition("/")[2]
            folder.mkdir()
            commit, digest = fetch_adapter(repository, folder, report, revision=revision, sha256=sha256)
            voice = self._adapters.bring_in(folder, name or repository, base, report)
        origin = {"repository": repository, "commit": commit, "sha256": digest}
        write_json(self._adapters.folder(voice) / HUB, origin)
        return self._tried(voice, report)

    def _from_disk(self, source: Path, name: str, base: str, report: Report) -> "Brought":
        from engine.export.importing_model import is_whole_model
        from engine.export.records import Brought

        if not source.exists():
            raise StudioError(f"There is no {source}.", "Pick a .zip, a folder, or an id of the model hub.")
        if is_whole_model(source):
            voice = self._adapters.bring_model_in(source, name, report)
            return Brought(voice, self._label(voice), None)
        return self._tried(self._adapters.bring_in(source, name, base, report), report)

    def _tried(self, voice: str, report: Report) -> "Brought":
        """Try an adapter that is here now; whoever calls that off wants nothing left of it."""
        from engine.export.records import Brought

        try:
            told = self._exports.try_arrived(voice, report)
        except Cancelled:
            shutil.rmtree(self._adapters.folder(voice), ignore_errors=True)
            raise
        return Brought(voice, self._label(voice), told)

    def _label(self, voice: str) -> str:
        return next(known.label for known in self._adapters.voices() if known.id == voice)
