"""Takes the signature off a message: '-- ', 'Best regards' with names under it, 'Sent from my phone', a contact block.

Works on the text that :func:`engine.tickets.cleaning.quotes.strip_quotes` and
:func:`engine.tickets.cleaning.boilerplate.strip_notices` left. Only the last lines are looked at, and only short ones.
Where words follow that may be worth reading (a list, a question, a postscript), nothing is cut.
"""

import re

from engine.tickets.cleaning.plain_text import has_words
from engine.tickets.cleaning.words import pattern

_MAX_SIGNATURE_LINES = 12
"""Lines that may follow 'Best regards'; longer blocks hold something worth reading."""
_MAX_SIGNATURE_LINE = 90
_MAX_THANKS_LINES = 6
"""Lines that may follow a 'Thanks' for it to be part of the signature."""
_ABBREVIATION = 5
"""Characters of 'LG' and 'mvh', which are brands and words too."""
_SENT_FROM_LINES = 4
_DEVICE_WORDS = 5
"""Words of 'Sent from my iPhone!', where a mark at the end makes no sentence."""
_MAX_DELIMITED = 25
"""Lines that may follow '-- ', where the delimiter leaves no doubt."""

_MAX_CONTACT_LINES = 8
_MAX_CONTACT_LINE = 60

_RULE_CHARACTERS = " \t-_=*\u2013\u2014\u2500"
"""A line of nothing else is a rule, and one that ends a message divides it from nothing."""

_DELIMITER = re.compile(r"^(?:--|\u2014|\u2013|-- -|__) ?$")
_VALEDICTIONS = pattern("valedictions")
_VALEDICTION = re.compile(rf"^\W{{0,4}}(?:{_VALEDICTIONS})\W{{0,6}}$", re.IGNORECASE)
# 'Best regards, Anna Schmidt' on one line: the comma and one to four words.
_VALEDICTION_AND_NAME = re.compile(
    rf"^\W{{0,4}}(?:{_VALEDICTIONS})[,!]? (?:[A-Z\u00c0-\u017d][\w.'\u2019-]*(?: |$)){{1,4}}\W{{0,3}}$", re.IGNORECASE
)
# '-Anna' or '/John' on the last line; a dash with a space before it would be a list.
_SIGNED = re.compile(r"^[-/~\u2013\u2014](?:[A-Z\u00c0-\u017d][\w.'\u2019-]*(?: |$)){1,3}$")
_CONTACT = re.compile(
    r"^(?:\W{0,3}[^\W\d]{1,12}[.:]{1,2} ?)?"
    r"(?:\S{1,60}@\S{3,60}|(?:https?://|www\.)\S{3,80}|\[(?:EMAIL|PHONE)_\d+\]|\+?[\d(][\d ()./\u00a0-]{5,20}\d)$"
)
_THANKS = re.compile(rf"^\W{{0,4}}(?:{pattern('thanks')})\W{{0,6}}$", re.IGNORECASE)
_GOES_ON = re.compile(
    r"^\W{0,3}p\.? ?s\b|\?\s*$|^\s*(?:[-*\u2022]|\d{1,2}[.)]) \S|^\s*`{3}|\bplease\b|\bbitte\b", re.IGNORECASE
)
_SENT_FROM = re.compile(rf"^(?:{pattern('sent_from')})$", re.IGNORECASE)


def strip_signature(text: str) -> str:
    """Return a message without its signature.

    Args:
        text: Sanitised text of one message, quotes and notices already off.

    Returns:
        What is left; it may be empty.
    """
    lines = _without_delimited(_trimmed(text.split("\n")))
    lines = _without_sent_from(lines)
    lines = _trimmed(_without_valediction(_trimmed(lines)))
    return "\n".join(_trimmed(_without_contact_block(lines)))


def _trimmed(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip(_RULE_CHARACTERS):
        end -= 1
    return lines[start:end]


def _without_delimited(lines: list[str]) -> list[str]:
    """Cut at the line '-- ' when no more than a signature follows it and something came before it."""
    first_words = next((number for number, line in enumerate(lines) if has_words(line)), len(lines))
    for number in range(max(first_words + 1, len(lines) - _MAX_DELIMITED), len(lines)):
        if len(lines[number]) <= 4 and _DELIMITER.match(lines[number]):
            return _trimmed(lines[:number])
    return lines


def _without_sent_from(lines: list[str]) -> list[str]:
    """Drop 'Sent from my phone' where it is among the last few lines."""
    tail = len(lines)
    for _ in range(_SENT_FROM_LINES):
        tail = next((number for number in range(tail - 1, -1, -1) if lines[number]), 0)
    return lines[:tail] + [line for line in lines[tail:] if not _is_sent_from(line)]


def _is_sent_from(line: str) -> bool:
    line = line.strip(" *_[]()<>-\u2013\u2014")
    if len(line.split()) <= _DEVICE_WORDS:
        line = line.rstrip("!.:;)-( ")
    # 'Sent from my desk, is much easier' is a sentence: a device has neither a comma nor ten words nor a full stop.
    is_short = 6 < len(line) <= 120 and len(line.split()) <= 9 and ", " not in line and line[-1] not in ".?!:"
    return is_short and _SENT_FROM.match(line) is not None


def _without_valediction(lines: list[str]) -> list[str]:
    """Cut from 'Best regards' on, where only names, addresses and numbers follow."""
    if len(lines) > 1 and len(lines[-1]) <= _MAX_SIGNATURE_LINE and _SIGNED.match(lines[-1]):
        lines = _trimmed(lines[:-1])
    first = max(0, len(lines) - _MAX_SIGNATURE_LINES - 1)
    for number in range(first, len(lines)):
        line = lines[number]
        if len(line) > _MAX_SIGNATURE_LINE:
            continue
        valediction = _VALEDICTION.match(line) is not None
        with_name = not valediction and number == len(lines) - 1 and _VALEDICTION_AND_NAME.match(line) is not None
        thanks = not (valediction or with_name) and _THANKS.match(line) is not None
        if not (valediction or with_name or thanks) or _is_in_a_list(lines, number):
            continue
        following = [after for after in lines[number + 1 :] if after.strip()]
        if any(len(after) > _MAX_SIGNATURE_LINE or _GOES_ON.search(after) for after in following):
            continue
        if not thanks or (1 <= len(following) <= _MAX_THANKS_LINES and _is_name(following[0])):
            return lines[:number]
    return lines


def _is_in_a_list(lines: list[str], number: int) -> bool:
    """Say whether a short word stands among others, as 'LG' does between 'Samsung' and 'Sony'."""
    line = lines[number].strip()
    before = lines[number - 1].rstrip() if number else ""
    return len(line) <= _ABBREVIATION and bool(before) and before[-1] not in ".!?)" and not line.endswith(",")


def _without_contact_block(lines: list[str]) -> list[str]:
    """Cut a last paragraph that is a name over two or more lines of nothing but addresses, numbers or links."""
    start = len(lines)
    while start and lines[start - 1].strip() and len(lines) - start <= _MAX_CONTACT_LINES:
        start -= 1
    block = lines[start:]
    if not 3 <= len(block) <= _MAX_CONTACT_LINES or not start or max(map(len, block)) > _MAX_CONTACT_LINE:
        return lines
    contacts = sum(_CONTACT.match(line.strip()) is not None for line in block[1:])
    return lines[:start] if contacts >= 2 and _is_name(block[0]) and block[0].strip()[:1].isupper() else lines


def _is_name(line: str) -> bool:
    """Say whether a line could be a person's or a team's name: one to five words and no sentence."""
    words = line.strip(" ,.-\u2013*_").split()
    return (
        1 <= len(words) <= 5
        and not line.rstrip().endswith(("?", "!", ":"))
        and (line.strip()[:1].isupper() or len(words) <= 2)
    )
