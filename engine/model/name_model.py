"""A second pair of eyes for names: a token-classification model that lies on this computer reads the messages.

Any model that transformers can open for token classification will do (named-entity recognition, privacy filters).
Loading takes seconds, reading minutes for each thousand tickets; nothing is fetched. What it means by its labels is its
own: only words that it marks as a person are passed on, or all marked words where it knows no persons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TicketsError
from engine.model.libraries import import_all, one_at_a_time

_PERSON = re.compile(r"per(?:son)?\b|name|[_-]per(?:son)?$", re.IGNORECASE)
_SUREST = 0.5
"""Share of certainty below which a find is left out."""
_BATCH = 16

Finder = Callable[[Sequence[str]], list[list[tuple[int, int]]]]
"""Texts -> start and end of what each holds."""


def open_second_look(folder: str) -> Finder:
    """Open a token-classification model.

    Args:
        folder: Where it lies: config.json, weights and tokenizer, as ``save_pretrained`` writes them.

    Returns:
        What finds the names in texts, in the order of the texts.

    Raises:
        TicketsError: There is no such model in the folder.
    """
    path = Path(folder).expanduser()
    remedy = "Choose the folder of a token-classification model, with its config.json, weights and tokenizer."
    if not (path / "config.json").is_file():
        raise TicketsError(f"{path} holds no model: there is no config.json.", remedy)
    import_all()
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    try:
        with one_at_a_time():
            model = AutoModelForTokenClassification.from_pretrained(path, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise TicketsError(f"The model in {path} cannot read for names: {_first_line(error)}", remedy) from error
    wanted = _wanted(model.config.id2label.values())
    read = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", device=-1)

    def find(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        return [_persons(found, wanted) for found in read(list(texts), batch_size=_BATCH)]

    return find


def _wanted(labels: Any) -> frozenset[str]:
    """Return the kinds of words that stand for a person, without the B- and I- before them; all where none says so."""
    kinds = {re.sub(r"^[BIESLU]-", "", str(label)) for label in labels} - {"O"}
    return frozenset(kind for kind in kinds if _PERSON.search(kind)) or frozenset(kinds)


def _persons(found: Sequence[dict[str, Any]], wanted: frozenset[str]) -> list[tuple[int, int]]:
    return [
        (int(entity["start"]), int(entity["end"]))
        for entity in found
        if entity["entity_group"] in wanted and entity["score"] >= _SUREST
    ]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
