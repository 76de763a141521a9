"""Preference pairs (DPO and its kin): the chosen answer ends the conversation, the rejected one stands behind it.

Knows the shapes of TRL, LLaMA-Factory, OpenAI and Anthropic's HH. Who speaks in a turn, :mod:`.chat_turns` knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from engine.tickets.importing.readers.chat_turns import role_of, said, speaker
from engine.tickets.importing.readers.fields import Json, first, objects
from engine.tickets.importing.readers.rendered import rendered_turns, without_marks

_PAIRS = (
    ("chosen", "rejected"),
    ("preferred_output", "non_preferred_output"),
    ("chosen_response", "rejected_response"),
    ("response_chosen", "response_rejected"),
    ("preferred", "rejected"),
    ("preferred", "dispreferred"),
    ("accepted", "rejected"),
)
_ARENA = {
    "model_a": ("conversation_a", "conversation_b"),
    "model_b": ("conversation_b", "conversation_a"),
}
"""Which of two models' conversations people chose (Chatbot Arena); a tie is no pair."""
_ASKED = ("prompt", "question", "instruction", "query", "input")
_SPOKEN = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")
"""How Anthropic's HH writes a conversation into one text."""


def pair_of(record: Json) -> tuple[str, str] | None:
    """Return the keys of the chosen and the rejected answer; None for a record that is no preference pair."""
    if (winner := first(record, "winner")) and {"conversation_a", "conversation_b"} <= record.keys():
        return _ARENA.get(winner)
    return next((pair for pair in _PAIRS if record.get(pair[0]) and pair[1] in record), None)


def preferred_turns(record: Json, chosen: str, earlier: Sequence[Json]) -> list[Json]:
    """Return the conversation that ends with the chosen answer.

    Args:
        record: A preference pair.
        chosen: The key of the chosen answer: a text, a turn, or turns, with or without those before it.
        earlier: The turns that the record holds beside it.
    """
    answer = _turns(record[chosen])
    if _is_whole(answer):
        return answer
    inner = record.get("input")
    asked = [*earlier] or (objects(inner.get("messages")) if isinstance(inner, dict) else [])
    if not asked:
        question = "\n\n".join(dict.fromkeys(part for key in _ASKED if (part := first(record, key))))
        apart = [turn for turn in _spoken(question) or rendered_turns(f"{question}\n") if turn["content"]]
        asked = apart or [{"role": "user", "content": question}]
    return [*asked, *answer]


def rejected_turns(record: Json, chosen: str, rejected: str) -> tuple[list[Json], bool]:
    """Return the rejected answers, and whether they answer the very words that the chosen one answers.

    Args:
        record: A preference pair.
        chosen: The key of the chosen answer.
        rejected: The key of the rejected one: as the chosen one, or a list of texts.
    """
    value = record[rejected]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return [turn for item in value for turn in _turns(item)[-1:]], True
    *before, last = _turns(value) or [{}]
    *asked, _ = _turns(record[chosen]) or [{}]
    whole = _is_whole([*before, last])
    return ([last] if last else []), [said(turn) for turn in before] == [said(turn) for turn in asked] or not (
        whole or before
    )


def _is_whole(turns: Sequence[Json]) -> bool:
    """Tell turns that hold the question as well from those of the answer alone."""
    return len(turns) > 1 and role_of(speaker(turns[0])) != "assistant"


def _turns(value: Any) -> list[Json]:
    if isinstance(value, str):
        return _spoken(value) or [{"role": "assistant", "content": without_marks(value)}]
    return objects(value)


def _spoken(value: str) -> list[Json]:
    """Split ``Human: ... Assistant: ...``; empty for a text that is not written so."""
    if not value.lstrip().startswith(("Human:", "Assistant:")):
        return []
    pieces = _SPOKEN.split(value.strip())[1:]
    return [
        {"role": "user" if who == "Human" else "assistant", "content": words.strip()}
        for who, words in zip(pieces[::2], pieces[1::2], strict=True)
        if words.strip()
    ]
