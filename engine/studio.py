"""Studio: the one object that the window and the command line talk to.

It owns the workspace, the holder of the one base model, the training queue and the answers under way, and passes each
request to the package that does the work. Everything heavy (torch, transformers, peft, trl) is imported by those
packages when it is first needed, so that a Studio is made in milliseconds. It knows nothing of Gradio.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base_holder import BaseHolder
from engine.chat.imported import imported_voice, rename_imported
from engine.chat.records import Voice
from engine.damage import Damaged, readable
from engine.errors import StudioError, TicketsError
from engine.model.catalogue import CatalogueEntry, catalogue
from engine.model.device import DeviceReport, device_report, gpu_count
from engine.model.libraries import import_all
from engine.model.second_look import open_second_look
from engine.task import Task
from engine.tickets.library import DataSets
from engine.training.cards import CardFit, on_cards
from engine.training.changes import note_change
from engine.training.estimate import Estimate, estimate
from engine.training.index import RunInfo
from engine.training.job import TrainingQueue
from engine.training.lengths import guessed
from engine.training.progress import JobSnapshot
from engine.training.recipe import Preset, Recipe, presets
from engine.training.run import RunDirectory
from engine.training.runs import Runs
from engine.training.saved import saved_recipe
from engine.training.token_view import Tokens
from engine.workspace import Deleted, Workspace, checked_name, slug, write_json

if TYPE_CHECKING:
    from engine.chat.heldout import HeldOutTicket
    from engine.chat.playground import AnswerFrame, Sampling, Turn


@dataclass(frozen=True, slots=True)
class StudioSnapshot:
    """What the status bar says."""

    device: DeviceReport
    model: str
    """The loaded base in words, or empty."""
    job: JobSnapshot | None
    """The run in progress, or None."""
    queued: tuple[str, ...]
    """Ids of runs that wait."""


@dataclass(frozen=True, eq=False, slots=True)
class _Asked:
    """An answer that somebody waits for."""

    session: str
    stop: threading.Event = field(default_factory=threading.Event)


class Studio:
    """The program without its window.

    Args:
        workspace: Where everything is kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.tickets = DataSets(workspace, open_second_look)
        self.tokens = Tokens(self.tickets, workspace.cache)
        self.bases = BaseHolder(workspace.cache)
        self.queue = TrainingQueue(self.bases, workspace.cache)
        self._runs = Runs(workspace, self.queue)
        self._answers: set[_Asked] = set()
        self._warm = threading.Event()
        workspace.sweep()
        workspace.empty_old_trash()

    # ---- the machine

    def warm_up(self) -> None:
        """Import the heavy libraries in the background, once, so that the first use does not wait."""
        if not self._warm.is_set():
            self._warm.set()
            threading.Thread(target=import_all, name="warm-up", daemon=True).start()

    def snapshot(self) -> StudioSnapshot:
        """Return what the status bar says; never blocks on a model."""
        return StudioSnapshot(device_report(), self.bases.title, self.queue.current(), self.queue.waiting())

    def revision(self) -> tuple[int, ...]:
        """Return numbers of which one changes when what a list shows does; quick, for whoever asks again and again.

        The lists of runs, data sets, imported adapters and saved recipes, in this order.
        """
        mark, home = self.workspace.mark, self.workspace
        sets, adapters = mark(home.datasets, "report.json", "name.json"), mark(home.adapters, "about.json")
        return self._runs.listing().revision, sets, adapters, mark(home.recipes)

    def gpus(self) -> int:
        """Return how many GPUs this computer has; 0 without one, and until the heavy libraries are imported."""
        return gpu_count()

    def restore(self, deleted: Deleted) -> None:
        """Undo a deletion."""
        self.workspace.restore(deleted)
        note_change(deleted.original)

    def damaged(self) -> list[Damaged]:
        """Return what in the workspace no list can show, each with a sentence why."""
        stray = [path for path in self.workspace.entries(self.workspace.runs) if not path.is_dir()]
        runs = [Damaged(path, "It is no folder of a run.") for path in stray]
        return self.tickets.damaged() + runs + self._imported_voices()[1] + self._saved_recipes()[1]

    def delete_damaged(self, identifier: str) -> Deleted:
        """Move something damaged to the trash, by its :attr:`Damaged.id`.

        Raises:
            StudioError: It is not there any more, or is whole again.
        """
        for damaged in self.damaged():
            if damaged.id == identifier:
                return self.workspace.discard(damaged.path, damaged.path.name)
        raise StudioError("That is not here any more, or can be read again.", "Look at the lists once more.")

    # ---- recipes

    def presets(self) -> dict[str, Preset]:
        """Return the presets by name."""
        return presets()

    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        """Return the models a person can pick, the smallest first."""
        return catalogue()

    def estimates(self, recipes: Mapping[str, Recipe], dataset: str | None) -> dict[str, Estimate]:
        """Say how long each recipe's run would take here and how much memory it needs; quick, loads nothing."""
        data, device, runs = self.tickets.get(dataset) if dataset else None, device_report(), self.runs()
        return {
            name: estimate(
                recipe,
                data,
                device,
                [run.history for run in runs if _same_model(run, recipe)],
                self.tokens.lengths(data, recipe) if data else None,
                self.gpus(),
            )
            for name, recipe in recipes.items()
        }

    def on_cards(self, recipe: Recipe, dataset: str | None) -> tuple[CardFit, ...]:
        """Say how a recipe's run would go on named graphics cards; empty for a model of unknown size."""
        data = self.tickets.get(dataset) if dataset else None
        lengths = (self.tokens.lengths(data, recipe) or guessed(data, recipe.system_prompt)) if data else None
        return on_cards(recipe, lengths)

    def recipes(self) -> dict[str, Recipe]:
        """Return the saved recipes by the name they were given."""
        return dict(self._saved_recipes()[0])

    def _saved_recipes(self) -> tuple[list[tuple[str, Recipe]], list[Damaged]]:
        return readable(sorted(self.workspace.entries(self.workspace.recipes)), saved_recipe)

    def save_recipe(self, name: str, recipe: Recipe) -> None:
        """Keep a recipe under a name; one of the same name is replaced."""
        name = checked_name(name)
        self.workspace.recipes.mkdir(parents=True, exist_ok=True)
        write_json(self.workspace.recipes / f"{slug(name)}.json", {"name": name, "recipe": recipe.to_dict()})

    def delete_recipe(self, name: str) -> Deleted:
        """Move a saved recipe to the trash."""
        file = self.workspace.child(self.workspace.recipes, f"{slug(name)}.json")
        return self.workspace.discard(file, name)

    def command_line(self, recipe: Recipe, dataset: str | None, name: str = "run") -> str:
        """Return the command that does the same without the window."""
        import shlex

        data = str(self.workspace.datasets / dataset) if dataset else "DATASET"
        words = ["python", "-m", "engine", "train", "--data", data, "--model", recipe.model, "--preset", "balanced"]
        for setting, value in recipe.changed_from(presets()["balanced"].recipe).items():
            if setting != "model":
                words += ["--set", f"{setting}={value}"]
        return shlex.join([*words, "--run", str(self.workspace.runs / slug(name))])

    # ---- training

    def start_training(
        self, recipe: Recipe, dataset: str, name: str = "", press: str = "", started_by: str = ""
    ) -> str:
        """Start a run, or queue it behind the one in progress.

        Args:
            recipe: Its hyperparameters.
            dataset: The data set's id.
            name: What it is to be called; chosen where empty. A number is added where another run is called that.
            press: Names the press of a button: a second call for the same one returns the run of the first.
            started_by: The person who starts it, where people log in.

        Returns:
            The run's id.

        Raises:
            StudioError: The data set is gone, the disk is full, or the GPU no longer answers this program.
        """
        data, info = self.tickets.get(dataset), self.tickets.info(dataset)
        return self._runs.begin(recipe, data.folder, info.name, name, press, started_by)

    def pause(self, run: str) -> None:
        """Hold at the next step boundary.

        Raises:
            RunError: It is not in progress here.
        """
        self._check_here(run)
        self.queue.pause(run)

    def resume(self, run: str) -> None:
        """Go on: a paused run at once, one that has ended from its newest sound checkpoint.

        Raises:
            RunError: There is nothing to go on from, or another program trains it.
        """
        if self.queue.knows(run):
            self.queue.unpause(run)
            return
        directory = self.run(run)
        _ = directory.recipe  # a damaged one is said at once
        self.queue.add(directory)

    def stop(self, run: str) -> None:
        """End a run at the next step boundary; its last checkpoint stays.

        Raises:
            RunError: It is not in progress here.
        """
        self._check_here(run)
        self.queue.stop(run)

    def _check_here(self, run: str) -> None:
        """Make sure that no other program trains a run, which cannot be told from here what to do."""
        if not self.queue.knows(run):
            self.run(run).check_not_elsewhere()

    def run(self, identifier: str) -> RunDirectory:
        """Return a run's folder; the same object each time, so that its history is read once.

        Raises:
            StudioError: It is not there any more.
        """
        return self._runs.get(identifier)

    def runs(self) -> list[RunInfo]:
        """Return all runs, the newest first; looks at the disk only for what may be new."""
        return list(self._runs.listing().runs)

    def run_info(self, identifier: str) -> RunInfo:
        """Return one run as the list shows it.

        Raises:
            StudioError: It is not there any more.
        """
        return self._runs.info(identifier)

    def rename_run(self, identifier: str, name: str) -> None:
        """Give a run another name."""
        self._runs.rename(identifier, name)

    def delete_run(self, identifier: str) -> Deleted:
        """Move a run to the trash.

        Raises:
            RunError: It is in progress, here or in another program.
        """
        return self._runs.delete(identifier)

    # ---- playground

    def voices(self) -> list[Voice]:
        """Return everybody who can answer: base, finished runs, newest checkpoints of others, imported adapters."""
        found = [Voice("base", "Base model", "", None)]
        for run in self.runs():
            if run.recipe is None:
                continue
            directory, step = RunDirectory(self.workspace.runs / run.id), run.checkpoint
            if run.has_adapter:
                found.append(Voice(f"run:{run.id}", run.status.name, run.recipe.model, directory.adapter))
            elif step:
                label, folder = f"{run.status.name}, step {step}", directory.checkpoint(step)
                found.append(Voice(f"run:{run.id}@{step}", label, run.recipe.model, folder))
        return found + self._imported_voices()[0]

    def _imported_voices(self) -> tuple[list[Voice], list[Damaged]]:
        return readable(self.workspace.entries(self.workspace.adapters), imported_voice)

    def voice(self, identifier: str) -> Voice:
        """Return a voice by its id.

        Raises:
            StudioError: It is not there any more.
        """
        for voice in self.voices():
            if voice.id == identifier:
                return voice
        raise StudioError("That adapter is not here any more.", "Pick another one from the list.")

    def instruction(self, voices: Sequence[str]) -> str:
        """Return the standing instruction (system prompt) that the voices were trained with, or an empty text.

        Args:
            voices: Ids from :meth:`voices`; the first run among them counts, else the first imported adapter.
        """
        return self._recipe_for([self.voice(voice) for voice in voices], None).system_prompt

    def heldout_ticket(self, voices: Sequence[str], dataset: str, number: int) -> "HeldOutTicket":
        """Return a ticket that none of the voices has learnt from.

        Args:
            voices: Ids from :meth:`voices`. A run brings the data it was trained and checked on.
            dataset: The data set to pick from where no voice is a run.
            number: Which ticket; it wraps round, so that any integer is right.

        Raises:
            TicketsError: There is none.
        """
        from engine.chat.heldout import heldout_ticket

        runs = [name.removeprefix("run:").partition("@")[0] for name in voices if name.startswith("run:")]
        folders = [self.run(run).data for run in runs]
        if not folders and not dataset:
            raise TicketsError("There is no data set to pick from.", "Prepare your tickets, or try the sample shop.")
        return heldout_ticket(folders or [self.tickets.get(dataset).folder], number)

    def ask(
        self, voices: Sequence[str], conversations: Sequence[Sequence["Turn"]], sampling: "Sampling", session: str = ""
    ) -> "Iterator[AnswerFrame]":
        """Stream the answers of several voices, decoded in one batch.

        Args:
            voices: Ids from :meth:`voices`, at least one; all adapters must belong to one base.
            conversations: One a voice: its own messages so far, the last one the customer's.
            sampling: Temperature, top-p, length, seed.
            session: Whoever asks; :meth:`stop_answer` with the same name ends the answer.

        Yields:
            Frames with the text of every voice so far; the last frame has ``done`` set on each.

        Raises:
            StudioError: A voice is gone, the bases differ, or memory ran out.
        """
        from engine.chat.playground import answer, silent

        chosen = [self.voice(identifier) for identifier in voices]
        asked = _Asked(session)
        self._answers.add(asked)
        try:
            with self.bases.line_up(self._base_recipe(chosen)) as lease:
                for stage in self.bases.stages(lease, should_stop=asked.stop.is_set):
                    yield silent(voices, stage)
                if lease.base is None:
                    yield silent(voices, "", "cancelled")
                else:
                    yield from answer(lease.base, chosen, conversations, sampling, asked.stop.is_set)
        finally:
            self._answers.discard(asked)

    def stop_answer(self, session: str = "") -> None:
        """End the answers that ``session`` is waiting for."""
        for asked in tuple(self._answers):
            if asked.session == session:
                asked.stop.set()

    def _base_recipe(self, voices: Sequence[Voice]) -> Recipe | None:
        """The recipe of the base that all voices belong to; None where any base will do."""
        models = {voice.model for voice in voices if voice.model}
        if len(models) > 1:
            raise StudioError(
                f"These adapters belong to different base models ({', '.join(sorted(models))}).",
                "Compare adapters of one base at a time.",
            )
        return self._recipe_for(voices, models.pop()) if models else None

    def _recipe_for(self, voices: Sequence[Voice], model: str | None) -> Recipe:
        """The recipe whose loading options fit the voices: that of their run, or the defaults."""
        from engine.export.importing import adapter_recipe

        for voice in voices:
            if voice.id.startswith("run:"):
                return self.run(voice.id.removeprefix("run:").split("@")[0]).recipe
        for voice in voices:
            if voice.path is not None:
                return adapter_recipe(voice.path, voice.model)
        return Recipe(model=model) if model else Recipe()

    # ---- export and import

    def card(self, run: str) -> str:
        """Return the model card of a run as Markdown."""
        from engine.export.card import model_card

        return model_card(self.run(run))

    def export_adapter(self, run: str, out: Path | None = None) -> Task[Path]:
        """Pack a run's adapter, tokenizer, recipe and card into one .zip.

        Args:
            run: The run's id.
            out: Where to; None means the run's own folder.
        """
        directory = self.run(run)

        def action(task: Task[Path]) -> Path:
            from engine.export.bundle import export_bundle

            target = out or directory.path / f"{slug(directory.status.name)}-adapter.zip"
            return export_bundle(directory, target, task.report)

        return Task("Packing the adapter", action)

    def import_adapter(self, source: Path, name: str = "", base: str = "") -> str:
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

        known = dict.fromkeys(voice.model for voice in self.voices() if voice.model)
        return f"adapter:{import_adapter(self.workspace, source, name, base, known).name}"

    def adapter_size(self, run: str) -> int:
        """Return how many bytes a run's adapter has, before it is packed."""
        return sum(file.stat().st_size for file in self.run(run).adapter.rglob("*") if file.is_file())

    def rename_adapter(self, voice: str, name: str) -> None:
        """Give an imported adapter another name."""
        rename_imported(self._imported(voice), checked_name(name))

    def delete_adapter(self, voice: str) -> Deleted:
        """Move an imported adapter to the trash."""
        return self.workspace.discard(self._imported(voice), self.voice(voice).label)

    def _imported(self, voice: str) -> Path:
        """The folder of an imported adapter.

        Raises:
            StudioError: It is gone, or it is a run's.
        """
        if not voice.startswith("adapter:"):
            raise StudioError("Only imported adapters can be changed here.", "Rename or delete the run instead.")
        return self.workspace.child(self.workspace.adapters, voice.removeprefix("adapter:"))

    def close(self) -> None:
        """Stop the run in progress at its next step and give the model back; called when the program ends."""
        for asked in tuple(self._answers):
            asked.stop.set()
        self.queue.close()
        self.bases.close()


def _same_model(run: RunInfo, recipe: Recipe) -> bool:
    return run.recipe is not None and run.recipe.model == recipe.model
