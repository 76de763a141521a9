"""The model hub: exports sent there, adapters fetched from there."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.model.sources import is_hub_id
from engine.scratch import scratch
from engine.services.adapters import AdapterService
from engine.services.export import ExportService
from engine.task import Report, Task
from engine.workspace import Workspace, write_json

if TYPE_CHECKING:
    from engine.export.records import Sending, Sent


class HubService:
    """What goes to the hub and what comes from there.

    Args:
        workspace: Where what comes is kept.
        exports: What goes.
        adapters: What comes.
    """

    def __init__(self, workspace: Workspace, exports: ExportService, adapters: AdapterService) -> None:
        self._workspace = workspace
        self._exports = exports
        self._adapters = adapters

    def plan(self, export: Path) -> "Sending":
        """Return what of an export would be sent, and what would stay; asks nobody.

        Args:
            export: The folder or the .zip of an export.

        Raises:
            StudioError: It is none.
        """
        from engine.export.hub.sending import opened, plan

        found: Sending = opened(export, self._workspace.cache, plan)
        return found

    def send(self, export: Path, repository: str, token: str = "", *, private: bool = True) -> "Task[Sent]":
        """Send an export.

        Args:
            export: Its folder or .zip.
            repository: Where to: 'owner/name'.
            token: The person's own; empty takes the one of ``hf auth login`` or HF_TOKEN. It is forgotten when used.
            private: Whether nobody else may see it.
        """
        once = [token]

        def action(task: "Task[Sent]") -> "Sent":
            return self._send(export, repository, once.pop(), task.report, private)

        return Task("Sending to the model hub", action)

    def plan_of(self, run: str, format_: str) -> "Task[Sending]":
        """Return what would be sent of a run's result, and what would stay; asks nobody.

        Args:
            run: The run's id.
            format_: 'adapter', which is packed for it, or a format that lies in the run's folder already.
        """

        def action(task: "Task[Sending]") -> "Sending":
            from engine.export.hub.sending import plan

            found: Sending = self._with_export(run, format_, task.report, plan)
            return found

        return Task("Looking at what would be sent", action)

    def send_of(
        self, run: str, format_: str, repository: str, token: str = "", *, private: bool = True
    ) -> "Task[Sent]":
        """Send a run's result, never with its tickets.

        Args:
            run: The run's id.
            format_: As in :meth:`plan_of`.
            repository: As in :meth:`send`.
            token: As in :meth:`send`.
            private: As in :meth:`send`.
        """
        once = [token]

        def action(task: "Task[Sent]") -> "Sent":
            def work(folder: Path) -> "Sent":
                return self._send(folder, repository, once.pop(), task.report, private)

            sent: Sent = self._with_export(run, format_, task.report, work)
            return sent

        return Task("Sending to the model hub", action)

    def _with_export(self, run: str, format_: str, report: Report, work: Callable[[Path], Any]) -> Any:
        """Call ``work`` with the folder of an export; an adapter is made for as long as that takes."""
        if format_ != "adapter":
            return work(self._exports.made(run, format_).folder)
        with scratch(self._workspace.cache, "sending") as temporary:
            folder = temporary / "adapter"
            folder.mkdir()
            return work(self._exports.write(run, "adapter", folder, report))

    def is_there(self, source: str) -> bool:
        """Whether a text names an adapter of the hub, and no file or folder of this computer; asks nobody."""
        return is_hub_id(source) and not Path(source).expanduser().exists()

    def fetch(
        self, repository: str, name: str = "", base: str = "", *, revision: str = "", sha256: str = ""
    ) -> Task[str]:
        """Bring an adapter of the hub into the playground.

        Args:
            repository: Its id.
            name: What it is called here; its id when empty.
            base: Its base model, where that is not found.
            revision: A branch, a tag or a commit; the newest when empty.
            sha256: What the hash of its weights has to be; not compared when empty.

        Returns:
            The task, whose result is the id of its voice.
        """

        def action(task: Task[str]) -> str:
            from engine.export.hub.fetching import fetch_adapter

            with scratch(self._workspace.cache, "fetching") as temporary:
                folder = temporary / repository.rpartition("/")[2]
                folder.mkdir()
                commit, digest = fetch_adapter(repository, folder, task.report, revision=revision, sha256=sha256)
                task.report("Bringing it in", None)
                voice = self._adapters.bring_in(folder, name or repository, base)
            origin = {"repository": repository, "commit": commit, "sha256": digest}
            write_json(self._workspace.adapters / voice.removeprefix("adapter:") / "hub.json", origin)
            return voice

        return Task(f"Fetching {repository}", action)

    def _send(self, export: Path, repository: str, token: str, report: Report, private: bool) -> "Sent":
        from engine.export.hub.sending import opened, send

        def work(folder: Path) -> "Sent":
            return send(folder, repository, token or None, report, private=private)

        sent: Sent = opened(export, self._workspace.cache, work)
        return sent
