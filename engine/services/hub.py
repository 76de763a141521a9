"""The model hub: exports sent there; what comes from there is services/importing.py's."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.scratch import scratch
from engine.services.export import ExportService
from engine.task import Report, Task
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.export.records import Sending, Sent


class HubService:
    """What goes to the hub.

    Args:
        workspace: Where what is sent is unpacked meanwhile.
        exports: What goes.
    """

    def __init__(self, workspace: Workspace, exports: ExportService) -> None:
        self._workspace = workspace
        self._exports = exports

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

    def _send(self, export: Path, repository: str, token: str, report: Report, private: bool) -> "Sent":
        from engine.export.hub.sending import opened, send

        def work(folder: Path) -> "Sent":
            return send(folder, repository, token or None, report, private=private)

        sent: Sent = opened(export, self._workspace.cache, work)
        return sent
