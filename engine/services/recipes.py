"""Recipes: presets and saved ones, the models they can name, and what a run of one would take here."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.base_holder import BaseHolder
from engine.damage import Damaged
from engine.errors import StudioError
from engine.hardware import DeviceReport, device_report, gpu_count
from engine.model.brought_in import all_of
from engine.model.catalogue import CatalogueEntry, catalogue, find
from engine.model.sources import check
from engine.model.starter import starter_folder
from engine.presets import Preset, presets
from engine.read_entries import ReadEntries
from engine.recipe import Recipe
from engine.saved_recipe import saved_recipe
from engine.services.runs import RunService
from engine.steady import Steady
from engine.task import Task
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.library import DataSets
from engine.training.data.lengths import guessed_for
from engine.training.data.token_view import Tokens
from engine.training.memory.cards import CardFit, on_cards
from engine.training.memory.estimate import Estimate, estimate
from engine.workspace import Deleted, Workspace, checked_name, disk_errors, slug, write_json

SETTLES = 60.0
"""Seconds after which what other programs take of the memory counts by two thirds."""
GRAIN_GIB = 0.5
"""The least change of it that is worth another figure."""


class RecipeService:
    """Recipes and what they cost.

    Args:
        workspace: Where they are saved.
        tickets: The data sets that a run may learn from.
        tokens: How long their conversations are.
        runs: Earlier runs, whose speed tells what the next one takes.
        bases: Whose base answers, and what that holds of memory.
    """

    def __init__(
        self, workspace: Workspace, tickets: DataSets, tokens: Tokens, runs: RunService, bases: BaseHolder
    ) -> None:
        self._workspace = workspace
        self._tickets = tickets
        self._tokens = tokens
        self._runs = runs
        self._bases = bases
        self._memory = Steady(SETTLES, GRAIN_GIB)
        self._saved = ReadEntries(workspace, workspace.recipes, saved_recipe)

    def presets(self) -> dict[str, Preset]:
        """Return the presets by name."""
        return presets()

    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        """Return the models a person can pick, the smallest first."""
        return catalogue()

    def own_models(self) -> dict[str, str]:
        """Return the whole models that were brought in: as a recipe names each, and what it is called."""
        return {each.folder: each.name for each in all_of(self._workspace)}

    def checked_model(self, model: str) -> str:
        """Return a model reference as a recipe takes it, if there is such a model.

        Args:
            model: As typed: an id of the model hub, or a folder on this computer.

        Raises:
            ModelError: There is none, or the hub cannot be asked; within a few seconds.
        """
        model = model.strip()
        if find(model) is None:
            check(model)
        return model

    def estimates(self, recipes: Mapping[str, Recipe], dataset: str | None) -> dict[str, Estimate]:
        """Say how long each recipe's run would take here and how much memory it needs; quick, loads nothing."""
        data, device, runs = self._tickets.get(dataset) if dataset else None, self._device(), self._runs.all()
        return {
            name: estimate(
                recipe,
                data,
                device,
                [run.history for run in runs if run.recipe is not None and run.recipe.model == recipe.model],
                self._tokens.lengths(data, recipe) if data else None,
                gpu_count(),
                self._bases.answers_bytes(recipe),
            )
            for name, recipe in recipes.items()
        }

    def _device(self) -> DeviceReport:
        """This machine, with the memory that other programs take held still: it swings from look to look."""
        device = device_report()
        others = self._memory.of(max(0.0, device.used_gib - device.ours_gib))
        return replace(device, used_gib=others + device.ours_gib)

    def on_cards(self, recipe: Recipe, dataset: str | Path | None) -> tuple[CardFit, ...]:
        """Say how a recipe's run would go on named graphics cards; empty for a model of unknown size.

        Args:
            recipe: What would be run.
            dataset: The data set's id, or the folder of one outside the workspace; None assumes many long tickets.
        """
        data = DataSet(dataset) if isinstance(dataset, Path) else self._tickets.get(dataset) if dataset else None
        lengths = (self._tokens.lengths(data, recipe) or guessed_for(data, recipe)) if data else None
        return on_cards(recipe, lengths)

    def save_starter(self, out: Path) -> Task[Path]:
        """Write the starter model as an ordinary checkpoint folder, for use with other programs.

        Args:
            out: A folder that is empty, or not there yet.
        """

        def action(task: Task[Path]) -> Path:
            source = starter_folder(self._workspace.cache, task.report)
            if out.exists() and any(out.iterdir()):
                raise StudioError(f"{out} exists already and is not empty.", "Name a new folder.")
            with disk_errors(out):
                shutil.copytree(source, out, dirs_exist_ok=True)
            return out

        return Task("Writing the starter model", action)

    def saved(self) -> dict[str, Recipe]:
        """Return the saved recipes by the name they were given."""
        return dict(self._saved.all()[0])

    def damaged(self) -> list[Damaged]:
        """Return the saved recipes that cannot be read."""
        return self._saved.all()[1]

    def revision(self) -> int:
        """Return another number whenever the saved recipes are others."""
        return self._saved.revision

    def save(self, name: str, recipe: Recipe) -> None:
        """Keep a recipe under a name; one of the same name is replaced."""
        name = checked_name(name)
        self._workspace.recipes.mkdir(parents=True, exist_ok=True)
        write_json(self._workspace.recipes / f"{slug(name)}.json", {"name": name, "recipe": recipe.to_dict()})

    def delete(self, name: str) -> Deleted:
        """Move a saved recipe to the trash."""
        file = self._workspace.child(self._workspace.recipes, f"{slug(name)}.json")
        return self._workspace.discard(file, name)

    def command_line(self, recipe: Recipe, dataset: str | None, name: str = "run", preset: str = "balanced") -> str:
        """Return the command that does the same without the window.

        Args:
            recipe: What is run.
            dataset: The data set's id, or None.
            name: What the run is called.
            preset: The preset that the recipe starts from; only what differs from it is named.
        """
        data = str(self._workspace.datasets / dataset) if dataset else "DATASET"
        words = ["python", "-m", "engine", "train", "--data", data, "--model", recipe.model, "--preset", preset]
        for setting, value in recipe.changed_from(presets()[preset].recipe).items():
            if setting != "model":
                words += ["--set", f"{setting}={value}"]
        return shlex.join([*words, "--run", str(self._workspace.runs / slug(name))])
