"""The base's and the tuned answers to the same questions: what ``python -m engine ask`` does.

The playground's voices are those of the workspace; here a run or an adapter may lie anywhere.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base_holder import BaseHolder
from engine.errors import StudioError
from engine.question_sets import Question
from engine.recipe import Recipe
from engine.services.runs import RunService
from engine.task import Report
from engine.tickets.dataset.files import TRAIN, TRAVELLED
from engine.training.runs.directory import RunDirectory
from engine.turns import Turn, with_instruction
from engine.workspace import Workspace, read_json

if TYPE_CHECKING:
    from engine.chat.records import Sampling


@dataclass(frozen=True, slots=True)
class Tuned:
    """An adapter that is compared with its base."""

    recipe: Recipe
    """Which base, loaded how, under which standing instruction."""
    adapter: Path
    """The PEFT adapter folder."""
    data: Path | None
    """The tickets it was trained on, where they are here."""


class ComparisonService:
    """Answers of a base and of an adapter over it.

    Args:
        runs: Whose adapters are asked.
        bases: Who lends the base model.
    """

    def __init__(self, runs: RunService, bases: BaseHolder) -> None:
        self._runs = runs
        self._bases = bases

    @contextmanager
    def tuned(self, run: str, adapter: Path | None, base: str = "") -> Iterator[Tuned]:
        """Give the recipe and the weights of a run, an adapter folder or an exported .zip, for as long as it lasts.

        Args:
            run: The run's id; empty for an adapter.
            adapter: Where there is no run: an adapter, which need not be in the workspace.
            base: The adapter's base model, where what it names is not found here.

        Raises:
            StudioError: The run has learnt nothing yet, or the adapter is none or unsafe.
        """
        from engine.export.importing import adapter_recipe, import_adapter

        if run:
            directory = self._runs.get(run)
            yield Tuned(directory.recipe, _newest_adapter(directory), directory.data)
            return
        assert adapter is not None
        with tempfile.TemporaryDirectory() as temporary:
            folder = import_adapter(Workspace(Path(temporary)), adapter, adapter.stem, base)
            yield Tuned(adapter_recipe(folder, read_json(folder / "about.json")["model"]), folder, None)

    def tickets_for(self, tuned: Tuned, data: Path | None) -> Path | None:
        """Return where the tuned voice looks tickets up; None where it answers without.

        Args:
            tuned: Its recipe says whether it was trained with look-up, so that it must be asked with it.
            data: The folder that the person names: then it looks there in any case.

        Raises:
            StudioError: It must look up, and there is nothing to look in; or the named folder holds no data set.
        """
        if data is not None:
            if not (data / TRAIN).is_file():
                raise StudioError(f"{data} holds no {TRAIN}.", "Name a folder made by 'python -m engine prepare'.")
            return data
        if not tuned.recipe.lookup:
            return None
        for folder in (tuned.data, tuned.adapter / TRAVELLED):
            if folder is not None and (folder / TRAIN).is_file():
                return folder
        raise StudioError(
            "This adapter was trained with look-up, and no tickets came with it.",
            "Name a folder made by 'python -m engine prepare' with --data.",
        )

    def answers(
        self,
        questions: Sequence[Question],
        tuned: Tuned,
        sampling: "Sampling",
        report: Report,
        tickets: Path | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Answer each question with the base and the adapter, as many at a time as memory has room for.

        Args:
            questions: As from :func:`engine.question_sets.read_questions`.
            tuned: As from :meth:`tuned`.
            sampling: How the answers are chosen.
            report: Progress.
            tickets: As from :meth:`tickets_for`: the tuned voice answers with what is looked up there.

        Yields:
            {"prompt", "base", "tuned", "base_stopped_by", "tuned_stopped_by"} for each question, in order; with look-up
            "looked_up", the tickets; and a "note" where the oldest messages did not fit.

        Raises:
            StudioError: The adapter or its base cannot be loaded.
        """
        from engine.chat.lookup import look_up, with_tickets
        from engine.chat.playground import answer_many
        from engine.chat.records import Voice
        from engine.tickets.lookup.building import index_of
        from engine.tickets.lookup.question import asked

        index = index_of(tickets, report) if tickets is not None else None
        voices = [Voice("base", "Base model", "", None), Voice("tuned", "Tuned", tuned.recipe.model, tuned.adapter)]
        with self._bases.use(tuned.recipe, report=report) as base:
            assert base is not None  # since nobody stops the waiting
            heard: list[list[list[Turn]]] = []
            looked_up: list[dict[str, Any]] = []
            for question in questions:
                turns = with_instruction(question.messages, tuned.recipe.system_prompt)
                heard.append([turns, turns])
                looked_up.append({})
                if index is not None:
                    told, found = with_tickets(base, turns, look_up(index, asked(turns)), sampling.longest)
                    heard[-1][1] = told
                    looked_up[-1] = {"looked_up": [near.ticket for near in found.tickets[: found.used]]}

            def progress(done: int, total: int) -> None:
                report(f"{done} of {total} answers", done / total)

            answers = answer_many(base, voices, heard, sampling, progress)
            for question, extra, (plain, said) in zip(questions, looked_up, answers, strict=True):
                yield extra | {
                    "prompt": question.text,
                    "base": plain.text,
                    "tuned": said.text,
                    "base_stopped_by": plain.stopped_by,
                    "tuned_stopped_by": said.stopped_by,
                    **({"note": said.note} if said.note else {}),
                }


def _newest_adapter(run: RunDirectory) -> Path:
    """The run's result, else its newest checkpoint."""
    if run.has_adapter():
        return run.adapter
    steps = run.checkpoint_steps()
    if not steps:
        raise StudioError(f"'{run.status.name}' has learnt nothing yet.", "Wait for its first checkpoint.")
    return run.checkpoint(steps[-1])
