"""Recognises the block of 'From: ... Sent: ... To: ... Subject: ...' that Outlook and others put over an older mail.

Knows the labels of all our languages at once. A mail's raw source that somebody pasted is no such block.
"""

import re
from collections.abc import Sequence

from engine.tickets.cleaning.words import groups

_MAX_LINE = 400
"""Characters; no header line of any mail program is longer."""
_MAX_LINES = 14
_MAX_BETWEEN = 2
"""Lines without a label in a row: a blank one, or the rest of a long list of recipients."""
_RAW_NEIGHBOURS = 6

Field = str
"""One of from, date, to, subject, other."""
_FIELDS: dict[str, Field] = {label: field for field, labels in groups("header_labels").items() for label in labels}
"""Label in small letters, without the colon -> what it labels."""
_LABEL = re.compile(r"^[\s>*_]{0,12}([^\W\d_][^:\uff1a*\n]{0,24}?)[\s*_]{0,4}[:\uff1a]")
_LABEL_INSIDE = re.compile(r"(?<!\S)\**((?:[^\W\d_]\w{0,15} )?[^\W\d_]\w{0,15})\** ?[:\uff1a]")
_ADDRESS = re.compile(r"[^\s@]@[^\s@]|\[mailto:|\[EMAIL_|\[email")
_RAW_SOURCE = re.compile(
    r"^(?:received|message-id|return-path|mime-version|dkim-signature|x-[\w-]{2,40}):", re.IGNORECASE
)


def header_length(lines: Sequence[str], index: int, *, announced: bool = False) -> int:
    """Return how many lines from ``index`` on form a header block, or 0.

    'From: London' and 'Date: 4 March' are fields of a booking too: a subject or an address must be among them, and
    where there are no more than two fields, the block must stand apart and nothing may lead to it.

    Args:
        lines: The lines of a text.
        index: Where the block would begin; it may be the number of lines.
        announced: Whether the words before lead to it ('The bounce says:').
    """
    first = _fields_of(lines[index]) if index < len(lines) else set()
    if "from" not in first and "date" not in first:
        return 0
    fields, end, between = set(first), index + 1, 0
    for position in range(index + 1, min(len(lines), index + _MAX_LINES)):
        labelled = _fields_of(lines[position])
        fields |= labelled
        end, between = (position + 1, 0) if labelled else (end, between + 1)
        if between > _MAX_BETWEEN:
            break
    others = len(fields & {"date", "to", "subject"})
    addressed = any(_ADDRESS.search(line[:_MAX_LINE]) for line in lines[index:end])
    alone = not announced and _stands_apart(lines, index, end)
    enough = "from" in fields and (
        (others >= 2 and ("subject" in fields or addressed)) or (others == 1 and addressed and alone)
    )
    return end - index if enough and not _is_raw_source(lines, index, end) else 0


def _stands_apart(lines: Sequence[str], index: int, end: int) -> bool:
    """Say whether the line before is blank or a rule, and the line after is blank."""
    before_is_free = index == 0 or not any(character.isalnum() for character in lines[index - 1])
    return before_is_free and (end == len(lines) or not lines[end].strip())


def _fields_of(line: str) -> set[Field]:
    """Return the header fields a line holds: one at its start, or several where a converter joined the lines."""
    if len(line) > _MAX_LINE or not (":" in line or "\uff1a" in line):
        return set()
    label = _LABEL.match(line)
    field = _FIELDS.get(label[1].strip().lower()) if label else None
    if not field:
        return set()
    names = [name.lower() for name in _LABEL_INSIDE.findall(line)]
    inside = (_FIELDS.get(name) or _FIELDS.get(name.rpartition(" ")[2]) for name in names)
    several = {one for one in inside if one} | {field}
    return several if len(several) >= 3 else {field}


def _is_raw_source(lines: Sequence[str], index: int, end: int) -> bool:
    """Say whether somebody pasted a mail's source, which is what they are talking about."""
    return any(_RAW_SOURCE.match(line) for line in lines[max(0, index - _RAW_NEIGHBOURS) : end + _RAW_NEIGHBOURS])
