"""How much work a piece of HTML would cost a real parser, found before it is parsed.

A browser's parser is quadratic on hostile input: 100,000 nested ``<div>`` keep lexbor busy for 30 s, and 80 kB of
unclosed ``<b>`` before many ``<p>`` become 1 GB of copied nodes (both measured). This module reads tags with one linear
scan and knows nothing else about HTML.
"""

import re

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})")
_COMMENT_OR_RAW = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)|<!\[.*?(?:\]>|\Z)", re.DOTALL | re.IGNORECASE
)
_DATA_URI = re.compile(r"data:[a-z]{1,12}/[^\"'\s<>)]{200,}", re.IGNORECASE)
_LINE_BREAKING = re.compile(
    r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table|/?pre|/?blockquote)\b[^<>]{0,2000}>", re.IGNORECASE
)
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")

_VOID = frozenset(
    [
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"),
        *("wbr", "o:p"),
    ]
)
# Closed by the parser itself when the next one opens, so they do not pile up.
_SELF_CLOSING = frozenset(["p", "li", "td", "th", "tr", "dd", "dt", "option", "optgroup", "thead", "tbody", "tfoot"])
# Opened anew by the parser in every paragraph that follows: the ones that multiply nodes.
_FORMATTING = frozenset(
    [
        *("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"),
    ]
)

_FEW_TAGS = 500
_FORMATTING_LIMIT = 300_000
"""Copied nodes at most; about 110 MB of lexbor's memory, measured."""
_DEPTH_LIMIT = 20_000_000
"""Sum of depths over all tags at most; about 0.12 s of lexbor's time, measured."""
_CHARACTER_LIMIT = 2_000_000


def is_affordable(html: str) -> bool:
    """Say whether a real parser will finish this quickly and in little memory.

    Args:
        html: Markup after :func:`without_payloads`.

    Returns:
        False where the text has to be taken out with :func:`strip_tags` instead.
    """
    if len(html) > _CHARACTER_LIMIT:
        return False
    if html.count("<") <= _FEW_TAGS:
        return True
    open_tags: dict[str, int] = {}
    depth = formatting = depth_sum = formatting_sum = 0
    for slash, name in _TAG.findall(html):
        tag = name.lower()
        if tag in _VOID:
            continue
        held = open_tags.get(tag, 0)
        change = -1 if slash and held else 0 if slash else 1
        if tag not in _SELF_CLOSING:
            open_tags[tag] = held + change
            depth += change
            formatting += change if tag in _FORMATTING else 0
        depth_sum += depth
        formatting_sum += formatting
    return depth_sum <= _DEPTH_LIMIT and formatting_sum <= _FORMATTING_LIMIT


def without_payloads(html: str) -> str:
    """Drop inline images and other ``data:`` payloads, which carry no words and can be megabytes."""
    return _DATA_URI.sub("data:", html) if "data:" in html else html


def strip_tags(html: str) -> str:
    """Take the text out by scanning alone: linear, keeps lines, knows no structure. The last resort for hostile input.

    Args:
        html: Any string. Entities are left as they are.
    """
    text = _COMMENT_OR_RAW.sub("", html)
    text = _LINE_BREAKING.sub("\n", text)
    return _ANY_TAG.sub("", text)
