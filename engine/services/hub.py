"""The model hub: exports sent there, adapters fetched from there."""

from pathlib import Path
from typing import TYPE_CHECKING

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

    def send_adapter(self, run: str, repository: str, token: str = "", *, private: bool = True) -> "Task[Sent]":
        """Send a run's adapter as it is by now, never with its tickets; the arguments are those of :meth:`send`."""
        once = [token]

        def action(task: "Task[Sent]") -> "Sent":
            from engine.scratch import scratch

            with scratch(self._workspace.cache, "sending") as folder:
                made = folder / "adapter.zip"
                self._exports.write(run, "adapter", made, task.report)
                return self._send(made, repository, once.pop(), task.report, private)

        return Task("Sending to the model hub", action)

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
            from engine.scratch import scratch

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
