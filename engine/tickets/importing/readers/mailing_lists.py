"""What the archives of mailing lists do to mails: they hide addresses, mark subjects and take attachments off.

Knows Mailman's archives (pipermail, HyperKitty) and the usual ways of writing an address for people only. How mails are
read, :mod:`.mail_parts` knows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_AT = r"(?: at | AT |\s?\(at\)\s?|\s?\[at\]\s?|\(a\)|＠|\s?_at_\s?|\s?&#64;\s?|\s?&#x40;\s?)"
_DOT = r"(?:\.| dot | DOT |\s?\(dot\)\s?|\s?\[dot\]\s?)"
_HIDDEN = re.compile(rf"([\w.+%-]{{1,64}}){_AT}([\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,8}})")
_DOTS = re.compile(_DOT)
_SCRUBBED = re.compile(
    r"^-{14} next part -{14}[ \t]*\n"
    r"(?:[^\n]{0,100}(?:scrubbed|bereinigt|nettoy)[^\n]{0,80}\n(?:[A-Za-z-]{2,12} {0,3}:[^\n]*\n?){0,8})?",
    re.MULTILINE,
)
_FOOTER = re.compile(r"\n_{40,}[ \t]*\n[^\n]{1,100} mailing list[ \t]*\n(?:[^\n]{1,200}\n?){1,4}\s*\Z", re.IGNORECASE)
_REPLY = r"(?:(?:re|aw|fwd?|wg|sv|antw)\s*:\s*)*"
_MARK = re.compile(rf"\s*{_REPLY}\[([^\]\d]{{1,40}})\]", re.IGNORECASE)
_FEWEST = 2
_SHARE = 0.6
"""Share of the subjects that must carry a mark for it to be the list's."""


def shown_address(value: str) -> str:
    """Write an address as mail programs do: ``ada at example.org (Ada)`` becomes ``ada@example.org (Ada)``.

    Args:
        value: A header of addresses. One that holds an ``@`` comes back as it is.
    """
    if "@" in value:
        return value
    return _HIDDEN.sub(lambda match: f"{match[1]}@{_DOTS.sub('.', match[2])}", value)


def without_scrubbed(text: str) -> str:
    """Take off what an archive wrote in place of attachments, and the list's own footer."""
    if "next part" in text:
        text = _SCRUBBED.sub("", text)
    return _FOOTER.sub("\n", text) if "mailing list" in text.casefold() else text


def list_mark(subjects: Iterable[str]) -> str:
    """Return the mark that a list puts before its subjects, such as ``[Lamps]``; empty where most share none."""
    count, marks = 0, Counter[str]()
    for subject in subjects:
        count += 1
        if found := _MARK.match(subject):
            marks[found[1]] += 1
    mark, times = next(iter(marks.most_common(1)), ("", 0))
    return f"[{mark}]" if times >= max(_FEWEST, count * _SHARE) else ""


def without_mark(subject: str, mark: str) -> str:
    """Take a list's mark off a subject."""
    return " ".join(subject.replace(mark, " ", 1).split()) if mark and mark in subject else subject
