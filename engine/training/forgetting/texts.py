"""The general texts and plain instructions as token ids: what a model knew before it learnt tickets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import StudioError
from engine.model.chat_format import ChatFormat
from engine.recipe import Recipe
from engine.tickets.conversation import Message
from engine.tickets.dataset.stored import StoredConversation
from engine.training.data.examples import IGNORED, Example, build_examples

FOLDER = Path(__file__).parent / "texts"
LONGEST = 128
"""Tokens that are read of a paragraph: enough to know a language by, and all together few enough for every check."""


def general_examples(chat: ChatFormat, recipe: Recipe) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return the texts and the instructions that are read to see whether a model still knows them.

    They are the same rows for every run over a model.

    Args:
        chat: Of the base.
        recipe: Whose longest conversation holds here too; its standing instruction does not.
    """
    longest = min(LONGEST, recipe.max_length)
    texts = [_example(name, list(chat.tokenizer(text)["input_ids"])[:longest]) for name, text in _paragraphs()]
    plain = replace(recipe, system_prompt="", lookup=False)
    try:
        instructions = build_examples(
            list(instructions_in(FOLDER / "instructions.jsonl")), chat, plain, may_be_empty=True
        ).examples
    except StudioError:  # a template that takes no plain question; the texts are left
        instructions = ()
    return tuple(example for example in texts if example.learnt), instructions


def _example(name: str, ids: list[int]) -> Example:
    return Example(name, tuple(ids), (IGNORED, *ids[1:]), cut=0, cut_learnt=0, ends=0)


def _paragraphs() -> Iterator[tuple[str, str]]:
    for file in sorted(FOLDER.glob("*.txt")):
        for number, text in enumerate(file.read_text(encoding="utf-8").strip().split("\n\n")):
            yield f"{file.stem}-{number}", text.strip()


def instructions_in(file: Path, kind: str = "instruction") -> Iterator[StoredConversation]:
    """Yield the questions of a file with their answers; each is called after its kind, with a number."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            said = tuple(Message(turn["role"], turn["content"]) for turn in json.loads(line)["messages"])
            yield StoredConversation(f"{kind}-{number}", said)
