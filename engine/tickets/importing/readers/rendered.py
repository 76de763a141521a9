"""A conversation that somebody has already put through a chat template, in one text -> its turns.

Knows ChatML, the templates of Llama, Gemma, Mistral, Phi and Zephyr, and headings such as ``### Human``.
"""

from __future__ import annotations

import re

from engine.tickets.importing.readers.fields import Json

_ROLE_WORDS = r"system|user|assistant|human|gpt|model|instruction|input|response|output|question|answer|bot|prompter"
_OPENINGS: tuple[re.Pattern[str], ...] = (
    re.compile(r"<\|im_start\|>[ \t]*(?P<role>[\w-]{1,20})[ \t]*\n"),
    re.compile(r"<\|start_header_id\|>[ \t]*(?P<role>[\w-]{1,20})[ \t]*<\|end_header_id\|>\s*"),
    re.compile(r"<start_of_turn>[ \t]*(?P<role>[\w-]{1,20})[ \t]*\n"),
    re.compile(r"<\|(?P<role>system|user|assistant|prompter)\|>\s*"),
    re.compile(rf"###[ \t]*(?P<role>{_ROLE_WORDS})[ \t]*:?[ \t]*\n?", re.IGNORECASE),
)
"""What begins a turn, by template; the most specific first."""
_ENDINGS = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|end_of_text|begin_of_text|im_sep)\|>|<end_of_turn>|</?s>|<bos>|<eos>"
)
_INST = re.compile(r"\[INST\](?P<asked>.*?)\[/INST\](?P<said>.*?)(?=<s>|\[INST\]|\Z)", re.DOTALL)
_SYS = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_ROLES = {"instruction": "user", "input": "user", "question": "user", "response": "assistant", "output": "assistant"}
_ROLES["answer"] = "assistant"
_CHARS = 1_000_000


def rendered_turns(text: str) -> list[Json]:
    """Take a rendered conversation apart.

    Args:
        text: Any text; beyond a million characters it is none.

    Returns:
        Turns with ``role`` and ``content``; empty for a text in which no template can be made out.
    """
    if len(text) > _CHARS or not any(mark in text for mark in ("<|", "<start_of_turn>", "###", "[INST]")):
        return []
    if "[/INST]" in text:
        return _of_llama2(text)
    for opening in _OPENINGS:
        openings = list(opening.finditer(text))
        roles = {_role(match) for match in openings}
        if "assistant" in roles or "model" in roles or "gpt" in roles or "bot" in roles:
            ends = [*(match.start() for match in openings[1:]), len(text)]
            turns: list[Json] = [
                {"role": _role(match), "content": _ENDINGS.sub("", text[match.end() : end]).strip()}
                for match, end in zip(openings, ends, strict=True)
            ]
            return turns if len(roles) > 1 else []
    return []


def _role(match: re.Match[str]) -> str:
    name = match["role"].lower()
    return _ROLES.get(name, name)


def _of_llama2(text: str) -> list[Json]:
    turns: list[Json] = []
    for match in _INST.finditer(text):
        asked = match["asked"]
        if system := _SYS.search(asked):
            turns.append({"role": "system", "content": system[1].strip()})
        turns.append({"role": "user", "content": _ENDINGS.sub("", _SYS.sub("", asked)).strip()})
        if answer := _ENDINGS.sub("", match["said"]).strip():
            turns.append({"role": "assistant", "content": answer})
    return turns
