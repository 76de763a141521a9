"""What a run leaves, to take home: its card and its adapter in one file."""

from pathlib import Path

from engine.base_holder import BaseHolder
from engine.export.format import Choices
from engine.services.runs import RunService
from engine.task import Task
from engine.workspace import slug


class ExportService:
    """The results of runs as files.

    Args:
        runs: Whose results they are.
        bases: Lends the base that a merged model is made from.
        cache: The workspace's, where the starter model lies.
    """

    def __init__(self, runs: RunService, bases: BaseHolder, cache: Path) -> None:
        self._runs = runs
        self._bases = bases
        self._cache = cache

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
        from engine.export.formats.adapter import contents
        from engine.export.result import newest_result

        return sum(file.stat().st_size for file in contents(newest_result(self._runs.get(run)).folder))

    def tickets(self, run: str) -> tuple[int, int]:
        """Return how many masked conversations can travel with a run's adapter, and their bytes before packing."""
        from engine.export.tickets import weigh

        return weigh(self._runs.get(run).data)

    def make(self, run: str, format_: str, out: Path | None = None, choices: Choices | None = None) -> Task[Path]:
        """Export a run's adapter, or newest checkpoint.

        Args:
            run: The run's id.
            format_: A key of :data:`engine.export.registry.FORMATS`.
            out: The .zip or new folder; None means a name of its own in the run's folder.
            choices: What the person has chosen; None takes what is proposed.

        Returns:
            The task, whose result is the place of the export.

        Raises:
            StudioError: There is no such run or format.
        """
        from engine.export.registry import format_of

        directory, wanted = self._runs.get(run), format_of(format_)

        def action(task: Task[Path]) -> Path:
            from engine.export.making import make_newest
            from engine.export.source import ExportSource

            name = f"{slug(directory.status.name)}-{wanted.key}{'.zip' if wanted.zipped else ''}"
            return make_newest(
                lambda: ExportSource.of_run(directory, self._bases, self._cache),
                wanted,
                out or directory.path / name,
                choices or Choices(),
                task.report,
            )

        return Task(f"Exporting: {wanted.title}", action)

    def bundle(self, run: str, out: Path | None = None, with_tickets: bool = False) -> Task[Path]:
        """Pack a run's adapter, or newest checkpoint, with tokenizer, recipe and card into one .zip.

        Args:
            run: The run's id.
            out: Where to; None means the run's own folder.
            with_tickets: Whether the masked tickets that it has learnt from travel too, so that it can look them up.
        """
        return self.make(run, "adapter", out, Choices(with_tickets=with_tickets))
