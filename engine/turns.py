"""Turns of a conversation as chat templates take them, and the standing instruction in front of them."""

from collections.abc import Mapping, Sequence
from typing import Any

Turn = dict[str, str]
"""{"role": "system" | "user" | "assistant", "content": text}"""


def instruction_for(turns: Sequence[Mapping[str, Any]], system_prompt: str) -> str:
    """Return the standing instruction that belongs before a conversation.

    Args:
        turns: Messages with at least a 'role'.
        system_prompt: The recipe's.

    Returns:
        The instruction without white space around it; empty where the recipe has none or the conversation its own.
    """
    has_its_own = bool(turns) and turns[0]["role"] == "system"
    return "" if has_its_own else system_prompt.strip()


def with_instruction(turns: Sequence[Turn], system_prompt: str) -> list[Turn]:
    """Return a conversation as it is learnt and asked: behind the standing instruction, where there is one."""
    instruction = instruction_for(turns, system_prompt)
    return [{"role": "system", "content": instruction}, *turns] if instruction else list(turns)
