"""Where names stand in a text: after a greeting or a title, alone on a line, before an honorific."""

import re

from engine.tickets.privacy.words import pattern, words

_BEFORE = re.compile(rf"(?<![^\W_])(?:{pattern('name_before')})[.,!:]?[ \t\n]{{1,3}}$", re.IGNORECASE)
_LEADING = words("name_leading")
_WORD_BEFORE = re.compile(r"([^\W\d_]+) $")
_HONORIFIC = re.compile(rf" ?(?:{pattern('honorifics_unspaced')})|[,\uff0c\u3001!\uff01]?[ \t]*(?:\n|$)")
_CONTEXT = 30


def stands_as_name(text: str, start: int, end: int) -> bool:
    """Say whether a word stands where names stand: after a greeting or a title, or alone on its line."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    if len(line) <= end - start + 4 and line.strip(" ,.!-\u2013~/*_") == text[start:end]:
        return True
    return _BEFORE.search(text[max(0, start - _CONTEXT) : start]) is not None


def is_led_to(text: str, start: int) -> bool:
    """Say whether the word before leads to a person: 'spoke with', 'asked'."""
    before = _WORD_BEFORE.search(text[max(0, start - _CONTEXT) : start])
    return before is not None and before[1].lower() in _LEADING


def is_honoured(text: str, end: int) -> bool:
    """Say whether 'さん', '先生' or the like, or nothing more, follows a part of a name."""
    return _HONORIFIC.match(text, end) is not None
