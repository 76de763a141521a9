"""A conversation that somebody has already put through a chat template, in one text -> its turns.

Knows ChatML, the templates of Llama, Gemma, Mistral, Phi, Zephyr, DeepSeek, Granite, Command R and gpt-oss, headings
such as ``### Human``, and plain ``USER:`` and ``Assistant:``.
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
    re.compile(r"<｜(?P<role>User|Assistant)｜>"),
    re.compile(r"<\|start_of_role\|>(?P<role>\w{1,20})(?:\{[^{}]{0,200}\})?<\|end_of_role\|>"),
    re.compile(r"<\|START_OF_TURN_TOKEN\|><\|(?P<role>USER|CHATBOT|SYSTEM)_TOKEN\|>"),
    re.compile(
        r"<\|start\|>(?P<role>\w{1,20})(?: to=[\w.]{1,60})?(?:<\|channel\|>(?P<channel>\w{1,20}))?[^<]{0,80}"
        r"(?:<\|constrain\|>\w{1,20})?<\|message\|>"
    ),
    re.compile(rf"###[ \t]*(?P<role>{_ROLE_WORDS})[ \t]*:?[ \t]*\n?", re.IGNORECASE),
)
"""What begins a turn, by template; the most specific first."""
_PLAIN: tuple[re.Pattern[str], ...] = (
    re.compile(r"(?:^|(?<=\s)|(?<=</s>))(?P<role>USER|ASSISTANT):\s"),
    re.compile(r"(?:^|\n)[ \t]*(?P<role>Human|User|Customer|Assistant|Agent|Bot|AI|Support)[ \t]*:[ \t]*"),
)
"""The same without any marks: the first with a preamble (Vicuna), the second only where the text begins with it."""
_ENDINGS = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|begin_of_text|im_sep|return|call|END_OF_TURN_TOKEN)\|>"
    r"|<end_of_turn>|</?s>|<bos>|<eos>|<(?:BOS|EOS)_TOKEN>|<｜(?:begin|end)▁of▁sentence｜>|<eo[hm]>"
)
_AT_THE_ENDS = re.compile(rf"^\s*(?:(?:{_ENDINGS.pattern})\s*)+|(?:\s*(?:{_ENDINGS.pattern}))+\s*$")
_SYSTEM_PROMPT = re.compile(r"\[SYSTEM_PROMPT\](.*?)\[/SYSTEM_PROMPT\]", re.DOTALL)
_INST = re.compile(r"\[INST\](?P<asked>.*?)\[/INST\](?P<said>.*?)(?=<s>|\[INST\]|\Z)", re.DOTALL)
_SYS = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_ROLES = {"instruction": "user", "input": "user", "question": "user", "response": "assistant", "output": "assistant"}
_ROLES["answer"] = "assistant"
_ANSWERING = frozenset(("assistant", "model", "gpt", "bot", "chatbot", "agent", "ai", "support"))
_MARKS = ("<|", "<｜", "<start_of_turn>", "###", "[INST]")
_CHARS = 1_000_000


def rendered_turns(text: str) -> list[Json]:
    """Take a rendered conversation apart.

    Args:
        text: Any text; beyond a million characters it is none.

    Returns:
        Turns with ``role`` and ``content``; empty for a text in which no template can be made out.
    """
    if len(text) > _CHARS:
        return []
    if any(mark in text for mark in _MARKS):
        if "[/INST]" in text:
            return _of_llama2(text)
        return next(filter(None, (_parted(text, opening) for opening in _OPENINGS)), [])
    named, begun = _PLAIN
    plain = without_marks(text).strip()
    return _parted(plain, named) or (_parted(plain, begun) if begun.match(plain) else [])


def without_marks(text: str) -> str:
    """Take the marks of a template off the ends of a text, such as ``</s>`` behind an answer."""
    return _AT_THE_ENDS.sub("", text) if "<" in text else text


def _parted(text: str, opening: re.Pattern[str]) -> list[Json]:
    """Part a text where turns begin; empty where not both sides speak."""
    openings = list(opening.finditer(text))
    roles = {_role(match) for match in openings}
    if not roles & _ANSWERING or len(roles) < 2:
        return []
    ends = [*(match.start() for match in openings[1:]), len(text)]
    return [
        {"role": _role(match), "content": _ENDINGS.sub("", text[match.end() : end]).strip()}
        for match, end in zip(openings, ends, strict=True)
        if match.groupdict().get("channel") in (None, "final")
    ]


def _role(match: re.Match[str]) -> str:
    name = match["role"].lower()
    return _ROLES.get(name, name)


def _of_llama2(text: str) -> list[Json]:
    turns: list[Json] = [{"role": "system", "content": found[1].strip()} for found in _SYSTEM_PROMPT.finditer(text)]
    for match in _INST.finditer(text):
        asked = match["asked"]
        if system := _SYS.search(asked):
            turns.append({"role": "system", "content": system[1].strip()})
        turns.append({"role": "user", "content": _ENDINGS.sub("", _SYS.sub("", asked)).strip()})
        if answer := _ENDINGS.sub("", match["said"]).strip():
            turns.append({"role": "assistant", "content": answer})
    return turns
