"""Finds the names of accounts, and the passwords written beside them: 'Login: rita77', 'user/pass: anna / Secret1'.

A word that could go on a sentence ('Login: failed for everyone') is none. Accounts that are nobody's (admin, guest)
stay, their passwords go.
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.labels import Label, labels
from engine.tickets.privacy.detectors.passwords import is_said_of_passwords, looks_secret
from engine.tickets.privacy.detectors.spans import Covered, Span
from engine.tickets.privacy.words import words

_NOBODYS = words("generic_accounts")
_SHORTEST = 2
_NAME = re.compile(r"[^\s\"'`<>()\[\]{},;|/\\\u3001\u3002\uff0c\u201c\u201d\u201e\u00ab\u00bb]{1,64}")
_UNSPACED_END = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TRAILING = ".:!?*_\u2026"
_ENDS_HERE = re.compile("[\"'`)\u201d\u00bb*_]{0,3}[.!]{0,3}[ \\t]*(?:[\\n,;|)(]|$)|[.!][ \\t]")
_PAIR = re.compile(
    r"(?P<name>[^\s/|,;:\"']{1,64})[ \t]{0,2}(?:[/|]|(?<=\S)[:,;](?=[ \t]))[ \t]{0,2}(?P<secret>[^\s\"']{3,64})"
)


def find_pairs(forms: Forms) -> Iterator[tuple[tuple[int, int], list[Span]]]:
    """Yield where a user name and a password stand in one, from the label on, and what is to be masked there.

    Args:
        forms: The message.
    """
    for label in labels("credential_labels").find(forms):
        match = _PAIR.match(forms.text, label.value) if label.has_colon else None
        if match is None or match["name"].startswith(("http", "[")):
            continue
        secret = match["secret"].rstrip(".,;:)]")
        is_short_label = label.end - label.start <= len("log-in")
        if len(secret) < 3 or is_said_of_passwords(secret) or (is_short_label and not looks_secret(secret)):
            continue
        start = match.start("secret")
        spans = [Span(start, start + len(secret), "PASSWORD", secret)]
        if match["name"].lower() not in _NOBODYS and "@" not in match["name"]:
            spans.append(Span(*match.span("name"), "USER", match["name"].lower()))
        yield (label.start, start + len(secret)), spans


def find_user_names(forms: Forms, covered: Covered) -> Iterator[Span]:
    """Yield names of accounts that a label announces; identity is the name in lower case.

    Args:
        forms: The message.
        covered: Links, and pairs of a name and a password, which are settled.
    """
    for label in labels("user_labels").find_all(forms):
        end = _end_of_name(forms.text, label)
        if end is not None and not covered.touches(label.value, end):
            yield Span(label.value, end, "USER", forms.text[label.value : end].lower())


def _end_of_name(text: str, label: Label) -> int | None:
    match = _NAME.match(text, label.value)
    if match is None:
        return None
    written = match[0]
    if written[0].isascii() and (foreign := _UNSPACED_END.search(written)):
        written = written[: foreign.start()]
    name = written.rstrip(_TRAILING)
    end = label.value + len(name)
    is_none = "@" in name or name.lower() in _NOBODYS or is_said_of_passwords(name) or name.startswith("http")
    if len(name) < _SHORTEST or is_none or not any(character.isalnum() for character in name):
        return None
    if label.is_weak:
        return end if _is_handle(name) and label.has_verb and not label.has_article else None
    if _is_handle(name) and (label.has_verb or not label.has_article):
        return end
    return end if label.has_verb and not label.has_article and _ENDS_HERE.match(text, end) else None


def _is_handle(name: str) -> bool:
    """Say whether no sentence holds such a word: letters with a digit, a sign or a capital among them."""
    inner = name[1:]
    has_letter = any(character.isalpha() for character in name)
    marked = any(character.isdigit() or character in "._" for character in inner)
    changes = any(character.isupper() for character in inner) and any(character.islower() for character in name)
    return (has_letter and (marked or changes)) or (len(name) >= 4 and name.isdigit())
