"""Finds e-mail addresses, also those written as 'jo (at) example (dot) com'."""

import re
from collections.abc import Iterator

from engine.tickets.detectors.spans import Span

# Latin, Greek and Cyrillic: an address glued to Chinese or Japanese words must not swallow them.
_LETTERS = "A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_DOMAIN = (
    rf"(?:[{_LETTERS}](?:[{_LETTERS}-]{{0,62}})\.){{1,8}}[A-Za-z\u00c0-\u024f\u0400-\u04ff]{{2,24}}(?![{_LETTERS}])"
)
_EMAIL = re.compile(rf"(?<![{_LETTERS}.+%_-])[{_LETTERS}_+%][{_LETTERS}._+%'-]{{0,99}}@{_DOMAIN}")
_AT = r"\s?[\[({]\s?(?:at|@|ät|arroba|chiocciola)\s?[\])}]\s?|\s(?:AT|\[at\])\s"
_DOT = r"\s?[\[({]\s?(?:dot|punkt|point|punto|ponto|\.)\s?[\])}]\s?|\s(?:DOT|dot|punkt)\s|\."
_SPELT = re.compile(
    rf"(?<![{_LETTERS}.+_-])[{_LETTERS}][{_LETTERS}._+-]{{0,63}}(?:{_AT})"
    rf"[{_LETTERS}-]{{1,63}}(?:(?:{_DOT})[{_LETTERS}-]{{2,63}}){{1,4}}(?![{_LETTERS}])",
    re.IGNORECASE,
)
_SPELT_HINTS = ("(at)", "[at]", "{at}", "( at )", "[ at ]", "(@)", "[@]", "(ät)", "[ät]", "(arroba)", "(chiocciola)")

# 'logo@2x.png' and 'module@1.2.js' are files.
_FILE_ENDINGS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "js", "css", "ts", "html", "json", "zip"})


def find_emails(text: str, lowered: str) -> Iterator[Span]:
    """Yield e-mail addresses; identity is the address in lower case.

    Args:
        text: The message. Placeholders such as ``[name@domain]`` and ``root@localhost`` have no top-level domain
            and are left alone.
        lowered: The same in lower case.
    """
    if "@" in text:
        for match in _EMAIL.finditer(text):
            address = match[0]
            if address.rpartition(".")[2].lower() not in _FILE_ENDINGS and not _is_credential(text, match.start()):
                start = match.start() + (1 if address[0] == "'" else 0)
                yield Span(start, match.end(), "EMAIL", address.lower())
    if " AT " in text or any(map(lowered.__contains__, _SPELT_HINTS)):
        for match in _SPELT.finditer(text):
            yield Span(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", match[0]).lower())


def _is_credential(text: str, start: int) -> bool:
    """Say whether this is 'secret@host' of a link such as postgres://user:secret@host."""
    if text[start - 1 : start] != ":":
        return False
    word = text[max(0, start - 120) : start].rpartition(" ")[2]
    return "://" in word
