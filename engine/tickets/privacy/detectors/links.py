"""Stretches in which digits and words are an address, not a person's data: web links."""

import re

_LINK = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'\u3000-\u303f\uff00-\uffef]{1,2000}|(?<![\w.@])www\.[^\s<>\"']{1,2000}", re.IGNORECASE
)


def find_links(text: str) -> list[tuple[int, int]]:
    """Return start and end of every web link."""
    if "://" not in text and "www." not in text:
        return []
    return [match.span() for match in _LINK.finditer(text)]
