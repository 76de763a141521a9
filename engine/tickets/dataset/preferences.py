"""Preference pairs that lie beside a data set: the answer that is learnt, and one that people thought worse.

    preferences.jsonl    {"prompt", "chosen", "rejected", "ticket", "key"} a line: conversational, as trl's trainers of
                         preferences take it (https://huggingface.co/docs/trl/dataset_formats#preference); mode 0600

Only of conversations that are learnt from: the pairs of those held out would give them away. What a person has changed
by hand since, :func:`offered` minds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.tickets.dataset.files import PREFERENCES, TRAIN, numbered_lines
from engine.tickets.dataset.stored import conversations
from engine.tickets.lines import Entry, damage, entry_of
from engine.turns import Turn


def preference(asked: Sequence[Turn], chosen: str, rejected: str) -> dict[str, Any]:
    """Return a pair as trl's preference format has it, conversational.

    Args:
        asked: What was to be answered.
        chosen: The better answer.
        rejected: The worse one.
    """
    return {
        "prompt": [dict(turn) for turn in asked],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def offered(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the pairs of the conversations that are learnt from now, with their answers as they are now.

    Args:
        folder: A data set, or a run's copy.

    Raises:
        TicketsError: A line is damaged, or a file cannot be read.
    """
    pairs = list(_pairs(folder / PREFERENCES))
    if not pairs:
        return
    learnt: dict[str, tuple[Turn, ...]] = {
        entry.key: entry.turns if entry.originals else () for entry in conversations(folder / TRAIN)
    }
    for pair in pairs:
        if (rewritten := learnt.get(pair["key"])) is None:
            continue
        if rewritten:
            yield preference(rewritten[:-1], rewritten[-1]["content"], pair["rejected"][0]["content"])
        else:
            yield {name: pair[name] for name in ("prompt", "chosen", "rejected")}


def _pairs(file: Path) -> Iterator[Entry]:
    for number, line in numbered_lines(file):
        pair = entry_of(line, file.name, number, "key")
        try:
            turns = [*pair["prompt"], pair["chosen"][0], pair["rejected"][0]]
            whole = all(isinstance(turn["role"], str) and isinstance(turn["content"], str) for turn in turns)
        except (KeyError, TypeError, IndexError):
            whole = False
        if not whole:
            raise damage(file.name, number)
        yield pair
