"""Questions from a file, and the base's and the tuned answers to them: what ``python -m engine ask`` does."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import StudioError, TicketsError
from engine.training.run import RunDirectory
from engine.workspace import Workspace

Turn = dict[str, str]


def read_questions(file: Path) -> list[list[Turn]]:
    """Read conversations that wait for an answer.

    Args:
        file: JSON lines: {"prompt": text}, {"messages": [...]} (a last answer of the agent is left off), or a plain text.

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


def answer_questions(
    questions: Sequence[list[Turn]],
    workspace: Workspace,
    run: RunDirectory | None,
    adapter: Path | None,
    max_new_tokens: int,
    temperature: float,
    seed: int,
    report: Callable[[str, float | None], None],
) -> Iterator[dict[str, Any]]:
    """Answer each question with the base and the adapter, in one batch.

    Yields:
        {"prompt", "base", "tuned", "base_stopped_by", "tuned_stopped_by"}.

    Raises:
        StudioError: The adapter or its base cannot be loaded.
    """
    from engine.chat.playground import Sampling, answer
    from engine.export.importing import adapter_source
    from engine.model.base import load_base
    from engine.studio import Voice
    from engine.training.recipe import Recipe

    if run is not None:
        recipe, folder = run.recipe, _newest_adapter(run)
    else:
        assert adapter is not None
        model, folder = adapter_source(adapter, workspace)
        recipe = Recipe(model=model)
    base = load_base(recipe, workspace.cache, report)
    voices = [Voice("base", "Base model", "", None), Voice("tuned", "Tuned", recipe.model, folder)]
    sampling = Sampling(temperature=temperature, max_new_tokens=max_new_tokens, seed=seed)
    for question in questions:
        turns = question
        if recipe.system_prompt and question[0]["role"] != "system":
            turns = [{"role": "system", "content": recipe.system_prompt}, *question]
        *_, last = answer(base, voices, [turns, turns], sampling, lambda: False)
        plain, tuned = last.answers
        yield {
            "prompt": question[-1]["content"],
            "base": plain.text,
            "tuned": tuned.text,
            "base_stopped_by": plain.stopped_by,
            "tuned_stopped_by": tuned.stopped_by,
        }


def _newest_adapter(run: RunDirectory) -> Path:
    """The run's result, else its newest checkpoint."""
    if run.has_adapter():
        return run.adapter
    steps = run.checkpoint_steps()
    if not steps:
        raise StudioError(f"'{run.status.name}' has learnt nothing yet.", "Wait for its first checkpoint.")
    return run.checkpoint(steps[-1])
