"""What a run leaves, to take home: its card and its adapter in one file."""

from pathlib import Path

from engine.services.runs import RunService
from engine.task import Task
from engine.workspace import slug


class ExportService:
    """The results of runs as files.

    Args:
        runs: Whose results they are.
    """

    def __init__(self, runs: RunService) -> None:
        self._runs = runs

    def card(self, run: str) -> str:
        """Return the model card of a run as Markdown, without its chapter on usage."""
        from engine.export.card import summary

        return summary(self._runs.get(run))

    def usage(self, run: str) -> str:
        """Return that chapter: what to install, and the script. The first one loads the libraries of models."""
        from engine.export.card import how_to_use

        return how_to_use(self._runs.get(run))

    def size(self, run: str) -> int:
        """Return how many bytes a run's adapter, or newest checkpoint, brings along, before it is packed."""
        from engine.export.bundle import contents
        from engine.export.result import newest_result

        return sum(file.stat().st_size for file in contents(newest_result(self._runs.get(run)).folder))

    def tickets(self, run: str) -> tuple[int, int]:
        """Return how many masked conversations can travel with a run's adapter, and their bytes before packing."""
        from engine.export.tickets import weigh

        return weigh(self._runs.get(run).data)

    def bundle(self, run: str, out: Path | None = None, with_tickets: bool = False) -> Task[Path]:
        """Pack a run's adapter, or newest checkpoint, with tokenizer, recipe and card into one .zip.

        Args:
            run: The run's id.
            out: Where to; None means the run's own folder.
            with_tickets: Whether the masked tickets that it has learnt from travel too, so that it can look them up.
        """
        directory = self._runs.get(run)

        def action(task: Task[Path]) -> Path:
            from engine.export.bundle import export_bundle

            target = out or directory.path / f"{slug(directory.status.name)}-adapter.zip"
            return export_bundle(directory, target, task.report, with_tickets=with_tickets)

        return Task("Packing the adapter", action)
