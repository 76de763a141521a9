"""How an export is asked in a shell: a question for an endpoint as of OpenAI, and the card's chapter of commands."""

import json
import shlex
from collections.abc import Iterable

from engine.export.format import Command
from engine.export.source import ExportSource


def request_body(source: ExportSource, model: str) -> str:
    """Return a question for an endpoint as of OpenAI, quoted for a shell, with the standing instruction.

    Args:
        source: What is exported.
        model: What the endpoint calls it.
    """
    instruction = source.recipe.system_prompt.strip()
    messages = [{"role": "system", "content": instruction}] if instruction else []
    messages.append({"role": "user", "content": "Where is my parcel?"})
    return shlex.quote(json.dumps({"model": model, "temperature": 0, "messages": messages}, ensure_ascii=False))


def how_to_use(commands: Iterable[Command]) -> str:
    """Return the card's chapter: the same commands as in the window, from inside the folder."""
    parts = (f"### {command.tool}\n\n{command.note}\n\n```\n{command.lines}\n```" for command in commands)
    return "## How to use it\n\n" + "\n\n".join(parts)
