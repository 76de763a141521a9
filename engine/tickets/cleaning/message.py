"""A message as the help desk stored it -> the words its writer meant for the reader.

Owns the order of the steps and the promise that text never becomes nothing: whatever step would leave an empty message
is taken back. The steps themselves live in ``html/``, ``plain_text``, ``quotes``, ``boilerplate``, ``signatures`` and
``auto_replies``. Time is linear in the length of the body, whatever it holds, and nothing is raised for any string.
"""

import re
from collections.abc import Iterator

from engine.tickets.cleaning.auto_replies import is_auto_reply
from engine.tickets.cleaning.boilerplate import strip_notices
from engine.tickets.cleaning.html.guard import strip_tags
from engine.tickets.cleaning.html.text import html_to_text
from engine.tickets.cleaning.plain_text import (
    QUOTED,
    decode_quoted_printable,
    has_words,
    mend_mojibake,
    sanitise,
    tidy,
    unescape_again,
    unescape_entities,
)
from engine.tickets.cleaning.quotes import strip_quotes, unquote
from engine.tickets.cleaning.signatures import strip_signature

__all__ = ["clean_message", "is_auto_reply"]

# A field that calls itself text but holds markup from its first character to its last.
_WHOLLY_MARKUP = re.compile(r"\s*<(?:!doctype|html|body|div|p|span|table|ul|ol|h[1-6]|br)\b", re.IGNORECASE)
_BREAK = re.compile(r"<br ?/?>\n?", re.IGNORECASE)
_FINE_LIMIT = 1_000_000
"""Characters of text; what is longer is a log, in which looking for quotes would take seconds and find none."""
_A_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,2000}>")


def clean_message(body: str, *, html: bool) -> str:
    """Return the newest words of one message: no markup, quotes, signature, tracking or ticket-system lines.

    Lists, links and code stay, as Markdown. What the steps may not empty: where nothing would be left, the text as it
    was one step earlier is returned, down to the bare body.

    Args:
        body: The body as exported; any string.
        html: Whether the source says that it is HTML. A field that says text but is markup throughout, or the other
            way round, is read as what it is.

    Returns:
        Text with line feeds as line ends, no more than one blank line in a row, no control characters; empty only where
        ``body`` holds no text at all.
    """
    for candidate in _candidates(body, html):
        if has_words(candidate):
            return candidate.replace(QUOTED, "").strip("\n")
    return tidy(sanitise(body)) if not html else ""


def _candidates(body: str, html: bool) -> Iterator[str]:
    """Yield the message, cleanest first."""
    mended = mend_mojibake(decode_quoted_printable(body))
    is_markup = _WHOLLY_MARKUP.match(mended) is not None if not html else _A_TAG.search(mended) is not None
    text = tidy(_from_markup(mended) if is_markup else _plain(mended))
    if len(text) > _FINE_LIMIT:
        yield text
    reply = tidy(strip_quotes(text))
    yield tidy(strip_signature(strip_notices(reply)))
    yield reply
    yield tidy(strip_signature(strip_notices(unquote(text))))
    yield unquote(text)
    if is_markup:
        whole = tidy(_from_markup(mended, keep_everything=True))
        yield tidy(strip_quotes(whole))
        yield unquote(whole)
        yield tidy(unescape_entities(strip_tags(sanitise(mended))))


def _from_markup(body: str, keep_everything: bool = False) -> str:
    text = html_to_text(body, keep_everything=keep_everything)
    again = unescape_again(text)
    # An entity may have stood for what no reader sees.
    return text if again is text else sanitise(again)


def _plain(text: str) -> str:
    text = sanitise(unescape_entities(text))
    return _BREAK.sub("\n", text) if "<" in text else text
