"""What a run leaves, or an adapter that was brought in, to take home in any format."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base_holder import BaseHolder
from engine.chat.imported import imported_voice
from engine.errors import StudioError
from engine.export.records import Choices
from engine.services.adapters import ADAPTER, AdapterService
from engine.services.runs import RunService
from engine.task import Report, Task
from engine.workspace import slug

if TYPE_CHECKING:
    from engine.export.parity.certificate import Certificate
    from engine.export.parity.verify import Verified
    from engine.export.records import Command, Made, Offer, Proof
    from engine.export.source import ExportSource


class ExportService:
    """Results of runs, and adapters that were brought in, as files; each by the run's id or by the adapter's voice.

    Args:
        runs: Whose results they are.
        adapters: What was brought in.
        bases: Lends the base that a merged model is made from.
        cache: The workspace's, where the starter model lies.
        saved: Returns the questions that the person has saved.
    """

    def __init__(
        self,
        runs: RunService,
        adapters: AdapterService,
        bases: BaseHolder,
        cache: Path,
        saved: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._runs = runs
        self._adapters = adapters
        self._bases = bases
        self._cache = cache
        self._saved = saved

    def card(self, run: str) -> str:
        """Return the model card of a run as Markdown, without its chapter on usage."""
        from engine.export.card import summary
        from engine.export.describing import summary_of_imported

        if run.startswith(ADAPTER):
            return summary_of_imported(self._source(run))
        return summary(self._runs.get(run))

    def usage(self, run: str) -> str:
        """Return that chapter: what to install, and the script. The first one loads the libraries of models."""
        from engine.export.card import how_to_use
        from engine.export.describing import usage_of_imported

        if run.startswith(ADAPTER):
            return usage_of_imported(self._source(run), lambda *_: None)
        return how_to_use(self._runs.get(run))

    def size(self, run: str) -> int:
        """Return how many bytes a run's adapter, or newest checkpoint, brings along, before it is packed."""
        from engine.export.formats.adapter import contents

        return sum(file.stat().st_size for file in contents(self._source(run).adapter))

    def tickets(self, run: str) -> tuple[int, int]:
        """Return how many masked conversations can travel with a run's adapter, and their bytes before packing."""
        from engine.export.tickets import weigh

        return (0, 0) if run.startswith(ADAPTER) else weigh(self._runs.get(run).data)

    def make(self, run: str, format_: str, out: Path | None = None, choices: Choices | None = None) -> Task[Path]:
        """Export a run's adapter, or newest checkpoint.

        Args:
            run: The run's id.
            format_: A key of :data:`engine.export.registry.FORMATS`.
            out: The .zip or new folder; None means its place among the run's exports, where it replaces an older one.
            choices: What the person has chosen; None takes what is proposed.

        Returns:
            The task, whose result is the place of the export.

        Raises:
            StudioError: There is no such run or format.
        """
        from engine.export.offering import place
        from engine.export.registry import format_of

        wanted = format_of(format_)
        target = out or place(self._source(run), wanted)

        def action(task: Task[Path]) -> Path:
            return self.write(run, format_, target, task.report, choices, replaces=out is None)

        return Task(f"Exporting: {wanted.title}", action)

    def write(
        self,
        run: str,
        format_: str,
        out: Path,
        report: Report,
        choices: Choices | None = None,
        *,
        replaces: bool = False,
    ) -> Path:
        """As :meth:`make`, in the thread of whoever calls.

        Args:
            run: As in :meth:`make`.
            format_: As in :meth:`make`.
            out: The .zip or new folder.
            report: Told what is done, and how far it is; raises Cancelled.
            choices: As in :meth:`make`.
            replaces: Whether a folder that is there gives way once the new one is complete.
        """
        from engine.export.making import make_newest
        from engine.export.parity.certifying import certify
        from engine.export.registry import format_of

        return make_newest(
            lambda: self._source(run),
            format_of(format_),
            out,
            choices or Choices(),
            report,
            certify=certify,
            replaces=replaces,
        )

    def parity(self, run: str, format_: str) -> "Certificate | None":
        """Return how a run's last export in a format compares with the playground; None where there was none.

        Raises:
            StudioError: There is no such run.
        """
        from engine.export.parity.certifying import kept_certificate

        return kept_certificate(self._source(run).home, format_)

    def proof(self, run: str, format_: str) -> "Proof | None":
        """Return in words how a run's last export in a format answers; None where there was none, or it is damaged."""
        from engine.export.records import Proof

        try:
            found = self.parity(run, format_)
        except StudioError:
            return None
        return None if found is None else Proof(found.verdict, found.sentence)

    def verify(self, path: Path, base: str = "") -> "Task[Verified]":
        """Look at an export from anywhere: its files, its base, and how it answers.

        Args:
            path: A .zip, a folder, or a file in it.
            base: The base of an adapter, where what it names is not found here: as in a recipe.
        """

        def action(task: "Task[Verified]") -> "Verified":
            from engine.export.parity.verify import verify

            return verify(path, self._cache, base, task.report)

        return Task(f"Looking at {path.name}", action)

    def bundle(self, run: str, out: Path | None = None, with_tickets: bool = False) -> Task[Path]:
        """Pack a run's adapter, or newest checkpoint, with tokenizer, recipe and card into one .zip.

        Args:
            run: The run's id.
            out: Where to; None means the run's own folder.
            with_tickets: Whether the masked tickets that it has learnt from travel too, so that it can look them up.
        """
        source = self._source(run)
        target = out or source.home / f"{slug(source.name)}-adapter.zip"
        return self.make(run, "adapter", target, Choices(with_tickets=with_tickets))

    def offers(self, run: str) -> "tuple[Offer, ...]":
        """Return what is known of each format for a run, the exports that lie in its folder among it; loads no model.

        Raises:
            RunError: It has neither an adapter nor a checkpoint.
        """
        from engine.export.offering import offer
        from engine.export.registry import FORMATS

        source = self._source(run)
        return tuple(offer(source, format_) for format_ in FORMATS.values())

    def commands(self, run: str, place: Path) -> "tuple[Command, ...]":
        """Return how a run's adapter is used from the .zip that :meth:`bundle` writes to ``place``."""
        from engine.export.registry import format_of

        return format_of("adapter").commands(self._source(run), place)

    def made(self, run: str, format_: str) -> "Made":
        """Return the export of a format in a run's folder.

        Raises:
            StudioError: It is not there any more.
        """
        from engine.export.offering import made
        from engine.export.registry import format_of

        found = made(self._source(run), format_of(format_))
        if found is None:
            raise StudioError("That export is not here any more.", "Make it again.")
        return found

    def packed(self, run: str, format_: str, out: Path) -> Task[Path]:
        """Put an export that lies in a run's folder into one .zip, for a browser to fetch.

        Args:
            run: The run's id.
            format_: A key of the formats.
            out: The .zip.

        Raises:
            StudioError: It is not there any more.
        """
        folder = self.made(run, format_).folder

        def action(task: Task[Path]) -> Path:
            from engine.export.making import pack_into

            return pack_into(folder, out, task.report)

        return Task("Packing it for the browser", action)

    def try_arrived(self, voice: str, report: Report) -> "Proof":
        """Replay an adapter that was brought in, and say what came of it.

        Args:
            voice: Its id.
            report: Told what is done; raises Cancelled.
        """
        from engine.export.parity.arriving import try_arrived

        return try_arrived(self._source(voice), report)

    def _source(self, run: str) -> "ExportSource":
        from engine.export.importing import adapter_recipe
        from engine.export.source import ExportSource

        if run.startswith(ADAPTER):
            voice = imported_voice(self._adapters.folder(run))
            assert voice.path is not None
            recipe = adapter_recipe(voice.path, voice.model)
            return ExportSource(voice.label, voice.path, recipe, self._bases, self._cache, saved=self._saved())
        return ExportSource.of_run(self._runs.get(run), self._bases, self._cache, self._saved())
