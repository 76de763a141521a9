"""The parts of a mail -> its words.

Which parts are words and which are attachments follows MIME (RFC 2046, RFC 2387): of alternatives the HTML one counts,
a related group is its first part, and everything else that is text stands one after the other. A message inside a
message is an attachment, whoever wrote it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from engine.tickets.importing.files.charsets import Decoded, decode

_META = re.compile(rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_META_BYTES = 4096
"""Browsers look at the first kilobyte; mail programs put style sheets first."""
_QUOTED = re.compile(r"^(>*)( ?)(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Words:
    """What a part of a mail, or the whole of it, says."""

    text: str = ""
    html: bool = False
    lost: int = 0
    """Characters that could not be read."""


def words_of(message: Message) -> Words:
    """Return the words of a mail, attachments left out; HTML as soon as one of its parts is."""
    only = None if message.is_multipart() else _words(message)
    parts = [only] if only is not None else list(_said(message, _SoFar()))
    parts = [words for words in parts if words.text.strip()]
    lost = sum(words.lost for words in parts)
    if not any(words.html for words in parts):
        return Words("\n".join(words.text for words in parts), lost=lost)
    pages = (words.text if words.html else _as_html(words.text) for words in parts)
    return Words("\n".join(pages), html=True, lost=lost)


@dataclass(slots=True)
class _SoFar:
    """Whether words have been found: from then on a text with a file name is an attachment."""

    words: bool = False


def _said(part: Message, so_far: _SoFar) -> Iterator[Words]:
    kind = part.get_content_maintype()
    if kind == "multipart":
        yield from _said_together(part, so_far)
    elif kind == "text" and not _is_attached(part, so_far):
        words = _words(part)
        if words.text.strip():
            so_far.words = True
            yield words


def _said_together(part: Message, so_far: _SoFar) -> Iterator[Words]:
    payload = part.get_payload()
    children = [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []
    subtype = part.get_content_subtype()
    if subtype == "alternative":
        yield from _best(children, so_far)
    elif subtype == "related":
        for child in children:
            if words := list(_said(child, so_far)):
                yield from words
                return
    else:
        for child in children:
            yield from _said(child, so_far)


def _best(children: list[Message], so_far: _SoFar) -> list[Words]:
    """Return the alternative that has HTML, the last of several; else the first that says anything."""
    before = so_far.words
    plain: list[Words] = []
    best: list[Words] = []
    for child in children:
        so_far.words = before
        words = list(_said(child, so_far))
        if any(each.html for each in words):
            best = words
        elif words and not plain:
            plain = words
    chosen = best or plain
    so_far.words = before or bool(chosen)
    return chosen


def _is_attached(part: Message, so_far: _SoFar) -> bool:
    """Whether a text is a file that was sent along; the first one may have a name and still be the letter."""
    if part.get_content_subtype() not in ("plain", "html"):
        return True
    return part.get_content_disposition() == "attachment" or (bool(part.get_filename()) and so_far.words)


def _words(part: Message) -> Words:
    """Return what one part says; nothing for one that is no text."""
    subtype = part.get_content_type()
    raw = part.get_payload(decode=True) if subtype in ("text/plain", "text/html") else None
    if not isinstance(raw, bytes):
        return Words()
    label = part.get_content_charset() or ""
    if subtype == "text/html":
        decoded = _page(raw, label)
        return Words(decoded.text, html=True, lost=decoded.lost)
    decoded = decode(raw, label)
    text = decoded.text
    if str(part.get_param("format") or "").lower() == "flowed":
        text = unflowed(text, delete_space=str(part.get_param("delsp") or "").lower() == "yes")
    return Words(text, lost=decoded.lost)


def _page(raw: bytes, label: str) -> Decoded:
    """Read a page under the charset of its part, else under the one that it names itself."""
    named = _META.search(raw[:_META_BYTES])
    if named and (not label or decode(raw, label).lost):
        label = named[1].decode("ascii")
    return decode(raw, label)


def _as_html(text: str) -> str:
    return f"<p>{html.escape(text.strip(), quote=False)}</p>".replace("\n", "<br>\n")


def unflowed(text: str, *, delete_space: bool = False) -> str:
    """Join the lines that a mail program broke (RFC 3676, format=flowed).

    A line that ends with a space goes on in the next one of the same quote depth. A leading space was put there so that
    the line is not taken for something else, and goes. An empty line stays one, whatever stands before it.

    Args:
        text: The part's text.
        delete_space: DelSp=yes: the space at a break was not there either, as in Chinese, or in a link.
    """
    lines: list[str] = []
    depth, goes_on = -1, False
    for line in text.splitlines():
        marks, _, rest = _QUOTED.match(line).groups()  # type: ignore[union-attr]  # it matches any line
        signature = rest == "-- "
        if goes_on and rest and len(marks) == depth and not signature:
            lines[-1] += rest
        else:
            lines.append(f"{marks} {rest}" if marks else rest)
        depth, goes_on = len(marks), rest.endswith(" ") and not signature
        if goes_on and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")
