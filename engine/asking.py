"""Questions from a file, and the base's and the tuned answers to them: what ``python -m engine ask`` does."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base_holder import BaseHolder
from engine.errors import StudioError, TicketsError
from engine.recipe import Recipe
from engine.task import Report
from engine.tickets.dataset.files import TRAIN, TRAVELLED
from engine.training.runs.directory import RunDirectory
from engine.turns import Turn, with_instruction
from engine.workspace import Workspace, read_json

if TYPE_CHECKING:
    from engine.chat.records import Sampling


def read_questions(file: Path) -> list[list[Turn]]:
    """Read conversations that wait for an answer.

    Args:
        file: JSON lines: {"prompt": text}, {"messages": [...]} (a last answer is left off), or a plain text.

    Raises:
        TicketsError: It is missing or empty, or a line is damaged; the line is named.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TicketsError(f"{file} cannot be read as text.", "Name a file of JSON lines.") from error
    questions = [_question(line, number, file) for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise TicketsError(f"{file} holds no questions.", 'Write lines such as {"prompt": "Where is my parcel?"}.')
    return questions


def _question(line: str, number: int, file: Path) -> list[Turn]:
    try:
        value = json.loads(line)
        if isinstance(value, str):
            return [{"role": "user", "content": value}]
        if "prompt" in value:
            return [{"role": "user", "content": str(value["prompt"])}]
        turns = [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in value["messages"]]
        while turns and turns[-1]["role"] == "assistant":
            turns.pop()
        if turns:
            return turns
    except (ValueError, KeyError, TypeError) as error:
        raise TicketsError(
            f"Line {number} of {file.name} is not a question.", 'Write {"prompt": "..."} or {"messages": [...]}.'
        ) from error
    raise TicketsError(
        f"Line {number} of {file.name} holds no question.", "Its messages must have one of the customer."
    )


@contextmanager
def tuned_adapter(run: RunDirectory | None, adapter: Path | None, base: str = "") -> Iterator[tuple[Recipe, Path]]:
    """Give the recipe and the adapter folder of a run, an adapter folder or an exported .zip.

    Args:
        run: A run.
        adapter: Where there is no run: an adapter.
        base: The adapter's base model, where what it names is not found here.

    Raises:
        StudioError: The run has learnt nothing yet, or the adapter is none or unsafe.
    """
    from engine.export.importing import adapter_recipe, import_adapter

    if run is not None:
        yield run.recipe, _newest_adapter(run)
        return
    assert adapter is not None
    with tempfile.TemporaryDirectory() as temporary:
        folder = import_adapter(Workspace(Path(temporary)), adapter, adapter.stem, base)
        yield adapter_recipe(folder, read_json(folder / "about.json")["model"]), folder


def tickets_for(run: RunDirectory | None, adapter: Path, data: Path | None, recipe: Recipe) -> Path | None:
    """Return where the tuned voice looks tickets up; None where it answers without.

    Args:
        run: The run, which has its own copy of the tickets.
        adapter: The adapter's folder, which may have brought some along.
        data: The folder that the person names: then it looks there in any case.
        recipe: Whether the adapter was trained with look-up, so that it must be asked with it.

    Raises:
        StudioError: It must look up, and there is nothing to look in; or the named folder holds no data set.
    """
    if data is not None:
        if not (data / TRAIN).is_file():
            raise StudioError(f"{data} holds no {TRAIN}.", "Name a folder made by 'python -m engine prepare'.")
        return data
    if not recipe.lookup:
        return None
    for folder in (run.data if run else adapter / TRAVELLED, adapter / TRAVELLED):
        if (folder / TRAIN).is_file():
            return folder
    raise StudioError(
        "This adapter was trained with look-up, and no tickets came with it.",
        "Name a folder made by 'python -m engine prepare' with --data.",
    )


def answer_questions(
    questions: Sequence[list[Turn]],
    recipe: Recipe,
    adapter: Path,
    cache: Path,
    sampling: "Sampling",
    report: Report,
    tickets: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Answer each question with the base and the adapter, as many at a time as memory has room for.

    Args:
        questions: As from :func:`read_questions`.
        recipe: Which base, loaded how, under which standing instruction.
        adapter: The PEFT adapter folder.
        cache: The workspace's cache folder.
        sampling: How the answers are chosen.
        report: Progress.
        tickets: As from :func:`tickets_for`: the tuned voice answers with what is looked up there.

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

    index = None
    if tickets is not None:
        index = index_of(tickets, lambda done, size: report("Making the look-up", done / max(1, size)))

    voices = [Voice("base", "Base model", "", None), Voice("tuned", "Tuned", recipe.model, adapter)]
    with BaseHolder(cache).use(recipe, report=report) as base:
        assert base is not None  # since nobody stops the waiting
        heard: list[list[list[Turn]]] = []
        looked_up: list[dict[str, Any]] = []
        for question in questions:
            turns = with_instruction(question, recipe.system_prompt)
            heard.append([turns, turns])
            looked_up.append({})
            if index is not None:
                told, found = with_tickets(base, turns, look_up(index, asked(turns)), sampling.max_new_tokens)
                heard[-1][1] = told
                looked_up[-1] = {"looked_up": [near.ticket for near in found.tickets[: found.used]]}

        def progress(done: int, total: int) -> None:
            report(f"{done} of {total} answers", done / total)

        answers = answer_many(base, voices, heard, sampling, progress)
        for question, extra, (plain, tuned) in zip(questions, looked_up, answers, strict=True):
            yield extra | {
                "prompt": question[-1]["content"],
                "base": plain.text,
                "tuned": tuned.text,
                "base_stopped_by": plain.stopped_by,
                "tuned_stopped_by": tuned.stopped_by,
                **({"note": tuned.note} if tuned.note else {}),
            }


def _newest_adapter(run: RunDirectory) -> Path:
    """The run's result, else its newest checkpoint."""
    if run.has_adapter():
        return run.adapter
    steps = run.checkpoint_steps()
    if not steps:
        raise StudioError(f"'{run.status.name}' has learnt nothing yet.", "Wait for its first checkpoint.")
    return run.checkpoint(steps[-1])
