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
        """Return the model card of a run as Markdown."""
        from engine.export.card import model_card

        return model_card(self._runs.get(run))

    def size(self, run: str) -> int:
        """Return how many bytes a run's adapter has, before it is packed."""
        return sum(file.stat().st_size for file in self._runs.get(run).adapter.rglob("*") if file.is_file())

    def bundle(self, run: str, out: Path | None = None) -> Task[Path]:
        """Pack a run's adapter, tokenizer, recipe and card into one .zip.

        Args:
            run: The run's id.
            out: Where to; None means the run's own folder.
        """
        directory = self._runs.get(run)

        def action(task: Task[Path]) -> Path:
            from engine.export.bundle import export_bundle

            target = out or directory.path / f"{slug(directory.status.name)}-adapter.zip"
            return export_bundle(directory, target, task.report)

        return Task("Packing the adapter", action)
