"""Reasoning that stands written out inside an answer: found, and taken out or told apart.

Reasoning models put it between tags in front of what they say, and data sets made from their answers carry it along.
Here every answer begins after it, so that nobody learns to write the tags as letters.
"""

import re

_TAG = re.compile(r"<(/?)((?:seed:)?think|thinking|reasoning)>\s*|\[(/?)(THINK)\]\s*", re.IGNORECASE)


def without_reasoning(answer: str) -> str:
    """Return an answer without the reasoning in it; the very same text where there is none.

    A block that has lost its opening tag, because the prompt wrote it, is known by its end; an answer that is one block
    without an end is reasoning as a whole. A single tag in the midst of words is just a word.
    """
    outside: list[str] = []
    position, opened = 0, ""
    for number, tag in enumerate(_TAG.finditer(answer)):
        closes, name = tag[1] or tag[3], (tag[2] or tag[4]).lower()
        if opened and closes and name == opened:
            position, opened = tag.end(), ""
        elif not opened and not closes:
            outside.append(answer[position : tag.start()])
            position, opened = tag.start(), name
        elif not opened and closes and not number:
            position = tag.end()
    if not opened or any(text.strip() for text in outside):
        outside.append(answer[position:])
    left = "".join(outside)
    return answer if left == answer else left.strip()


def split_reasoning(text: str, *, begun: bool = False) -> tuple[str, str]:
    """Tell what a model thinks from what it answers, also while it is being written.

    Args:
        text: What it has written so far.
        begun: Whether the prompt has opened the thought already.

    Returns:
        The thoughts in front of the answer, and the answer; the very same text where there are none.
    """
    start = 0
    if not begun:
        opening = _TAG.match(text, len(text) - len(text.lstrip()))
        if opening is None or opening[1] or opening[3]:
            return "", text
        start = opening.end()
    for tag in _TAG.finditer(text, start):
        if tag[1] or tag[3]:
            return text[start : tag.start()].strip(), text[tag.end() :]
    return text[start:].strip(), ""
