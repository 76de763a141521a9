"""Takes off what no writer wrote: legal notices, and the lines of ticket systems, mailing lists and virus scanners.

A legal notice must both open like one and speak of recipients, so that a customer who asks about 'this e-mail with
confidential data' keeps the question. Every line is looked at a fixed number of times; no pattern sees more than 300
characters of a line, or 600 of a paragraph.
"""

import re

from engine.tickets.cleaning.plain_text import has_words
from engine.tickets.cleaning.words import pattern

_MAX_LINE = 300
_MAX_PARAGRAPH = 600
_MAX_FOOTER_LINES = 8
_MAX_FOOTER = 1000
"""Characters under a mailing list's rule."""

_LIST_RULE = re.compile(r"[_-]{20,}")
_NAMES_A_LIST = re.compile(r"mailing list|mailman/listinfo|lists?\.\w|e-?mail disclaimer", re.IGNORECASE)

_ADDED_LINE = re.compile(rf"^\W{{0,6}}(?:{pattern('added_lines')})\W{{0,6}}$", re.IGNORECASE)
_REFERENCE = re.compile(
    r"^\[[A-Z0-9]{5,8}-[A-Z0-9]{4,6}\]$|^\[(?:#|ticket[ #:]{0,3})[\w-]{2,20}\]$|^\{[A-Z0-9]{4,8}-[A-Z0-9]{4,6}\}$",
    re.IGNORECASE,
)
"""A whole line that is the mark by which a ticket system knows a mail again."""

_OPENS_LIKE_A_NOTICE = re.compile(rf"\W{{0,6}}(?:{pattern('notice_openings')})", re.IGNORECASE)
_HEADING = re.compile(
    r"\W{0,6}(?:e-?mail )?(?:disclaimer|haftungsausschluss|confidentiality notice)\W{0,6}", re.IGNORECASE
)
"""A heading after which nothing but legal text comes."""
_SPEAKS_OF_RECIPIENTS = re.compile(pattern("notice_words"), re.IGNORECASE)


def strip_notices(text: str) -> str:
    """Return a message without legal notices and without the lines that a machine added.

    Args:
        text: Sanitised text of one message, quotes already off.

    Returns:
        What is left; it may be empty.
    """
    lines = _without_list_footer(text.split("\n"))
    return "\n".join(line for line in _without_legal_notices(lines) if not _is_added(line)).strip("\n")


def _is_added(line: str) -> bool:
    return 5 < len(line) <= _MAX_LINE and (_ADDED_LINE.match(line) or _REFERENCE.match(line)) is not None


def _without_list_footer(lines: list[str]) -> list[str]:
    """Cut a mailing list's footer: a long rule and, under it, few lines that name the list."""
    for number in range(len(lines) - 1, max(0, len(lines) - _MAX_FOOTER_LINES), -1):
        if len(lines[number]) <= _MAX_LINE and _LIST_RULE.fullmatch(lines[number].strip()):
            footer = "\n".join(lines[number + 1 :])[:_MAX_FOOTER]
            if _NAMES_A_LIST.search(footer) and any(has_words(line) for line in lines[:number]):
                return lines[:number]
    return lines


def _without_legal_notices(lines: list[str]) -> list[str]:
    remaining: list[str] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].strip():
            end += 1
        paragraph = lines[start:end]
        if len(paragraph) == 1 and _HEADING.fullmatch(paragraph[0]) and any(map(has_words, remaining)):
            break
        if not (paragraph and _is_legal_notice(paragraph)):
            remaining += lines[start : end + 1]
        start = end + 1
    return remaining


def _is_legal_notice(paragraph: list[str]) -> bool:
    opening = next((line for line in paragraph if has_words(line)), "")
    if len(opening) < 8 or not _OPENS_LIKE_A_NOTICE.match(opening[:_MAX_LINE]):
        return False
    return _SPEAKS_OF_RECIPIENTS.search(" ".join(paragraph)[:_MAX_PARAGRAPH]) is not None
