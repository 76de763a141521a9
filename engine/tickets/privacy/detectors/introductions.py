"""Finds people who stand in no field by the words around them: 'my name is', 'my wife', 'Hi Anna,', a signature.

Only where hardly anything but a name stands; elsewhere a capitalised word is at most suspected
(:mod:`engine.tickets.privacy.detectors.suspects`).
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.labels import labels
from engine.tickets.privacy.detectors.name_forms import PARTICLES, TITLES
from engine.tickets.privacy.words import pattern, words

NAME_WORD = r"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff](?:[^\W\d_]|['\u2019-](?=[^\W\d_]))+"
"""A word that begins with a capital, or of a script without them."""
_PARTICLE = rf"(?:(?:{pattern('name_particles')}) ){{0,2}}"
_INITIAL = r"(?:[A-Z]\. )?"
_NAME = re.compile(rf"{NAME_WORD}(?: {_INITIAL}{_PARTICLE}{NAME_WORD}){{0,3}}")
# A line that is the whole message greets nobody: it is a subject.
_ENDS_A_GREETING = re.compile(r" ?(?:[,!:\u2013-]|\.(?!\w)|\n\s*\w)")
_SPEAKING = re.compile(rf",? (?:{pattern('speaking')})(?![^\W_])", re.IGNORECASE)
_SPEAKING_WORDS = frozenset(word for said in words("speaking") for word in re.findall(r"[^\W\d_]{2,}", said))
_CASED = re.compile(r"[A-Z\u00c0-\u00de\u0100-\u017d\u0391-\u03a9\u0400-\u042f]")
_NOT_NAMES = words("not_names") | words("name_roles") - words("name_roles_also_names")
_GREETING_GAPS = (" ", ", ")
_CLOSINGS = words("closings")
_LONGEST_CLOSING = 40
_MOST_SIGNED = 3
"""Words of a name under 'Thanks,'."""
_TAIL = 200
"""Characters of a message's end in which its writer signs."""


def find_introduced(forms: Forms) -> Iterator[str]:
    """Yield the names of people whom a message introduces, greets or is signed by, as they are written there.

    Args:
        forms: The message.
    """
    text = forms.text
    for label in labels("introductions").find(forms):
        if not label.has_article:  # 'my son on Yahoo'
            yield from _name_at(text, label.value)
    followed = () if _SPEAKING_WORDS.isdisjoint(forms.words) else labels("introductions_followed").find(forms)
    for label in followed:
        match = _NAME.match(text, label.value)
        if match and _SPEAKING.match(text, match.end()):
            yield from _name_at(text, label.value)
    for label in labels("greetings").find(forms):
        if text[max(0, label.start - 2) : label.start].strip(" >*") in ("", "\n"):
            match = _NAME.match(text, label.value) if text[label.end : label.value] in _GREETING_GAPS else None
            if match and _ENDS_A_GREETING.match(text, match.end()):
                yield from _name_at(text, label.value)
    yield from _signed(text)


def _name_at(text: str, start: int) -> Iterator[str]:
    match = _NAME.match(text, start)
    if match is None or not _CASED.match(match[0]):
        return
    parts = match[0].split(" ")
    named = [part for part in parts if part.lower() not in PARTICLES and part.lower().rstrip(".") not in TITLES]
    if named and not any(part.lower() in _NOT_NAMES for part in named):
        yield match[0]


def _signed(text: str) -> Iterator[str]:
    """Yield the name on the last line where the line before it thanks or takes leave."""
    text = text[-_TAIL:].rstrip()
    last = text.rfind("\n")
    if last < 0 or not (text[last + 1 : last + 2].isupper() and text.count(" ", last) < _MOST_SIGNED):
        return
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return
    closing = lines[-2][:_LONGEST_CLOSING].rstrip(" ,.!").lower()
    match = _NAME.fullmatch(lines[-1].rstrip(",. "))
    if match and closing in _CLOSINGS:
        yield from _name_at(lines[-1].rstrip(",. "), 0)
