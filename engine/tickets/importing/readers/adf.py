"""Atlassian Document Format and Jira's wiki markup -> Markdown.

ADF is the tree in which Jira's API version 3 gives text (developer.atlassian.com, 'Atlassian Document Format'); wiki
markup is what its CSV and API version 2 hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_DEEPEST = 60
_LEAVES = {"hardBreak": "\n", "rule": "\n---\n", "mention": "", "media": "", "mediaInline": ""}


def adf_to_text(node: object) -> str:
    """Return an ADF tree as Markdown; text as it is, and an empty string for anything else."""
    if isinstance(node, str):
        return node
    return _block(node, 0).strip() if isinstance(node, Mapping) else ""


def _block(node: Mapping[str, Any], depth: int) -> str:
    if depth > _DEEPEST:
        return ""
    kind = str(node.get("type"))
    if kind == "text":
        return _marked(node)
    if kind in _LEAVES:
        return _LEAVES[kind]
    given = node.get("attrs")
    attributes: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if kind in ("emoji", "date", "status"):
        return str(attributes.get("text") or attributes.get("shortName") or "")
    if kind in ("inlineCard", "blockCard", "embedCard"):
        return str(attributes.get("url") or "")
    children = _objects(node.get("content"))
    if kind in ("bulletList", "orderedList", "taskList"):
        return _listed(children, kind == "orderedList", depth)
    inside = [_block(child, depth + 1) for child in children]
    return _joined(kind, inside, attributes)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _level(value: object) -> int:
    return min(max(value, 1), 6) if isinstance(value, int) else 1


def _joined(kind: str, inside: Iterable[str], attributes: Mapping[str, Any]) -> str:
    if kind == "paragraph":
        return "".join(inside) + "\n\n"
    if kind == "heading":
        return "#" * _level(attributes.get("level")) + " " + "".join(inside) + "\n\n"
    if kind == "codeBlock":
        return "```\n" + "".join(inside) + "\n```\n\n"
    if kind == "blockquote":
        return "".join(f"> {line}\n" for line in "".join(inside).strip().split("\n")) + "\n"
    if kind == "tableRow":
        return " | ".join(cell.strip() for cell in inside) + "\n"
    return "".join(inside)


def _listed(items: Iterable[Mapping[str, Any]], numbered: bool, depth: int) -> str:
    lines = []
    for number, item in enumerate(items, start=1):
        text = _block(item, depth + 1).strip().replace("\n\n", "\n").replace("\n", "\n  ")
        lines.append(f"{f'{number}.' if numbered else '-'} {text}")
    return "\n".join(lines) + "\n\n"


def _marked(node: Mapping[str, Any]) -> str:
    text = str(node.get("text") or "")
    for mark in _objects(node.get("marks")):
        if mark.get("type") == "code":
            text = f"`{text}`"
        elif mark.get("type") == "link":
            target = (mark.get("attrs") or {}).get("href") if isinstance(mark.get("attrs"), Mapping) else None
            if target and target != text:
                text = f"[{text}]({target})"
    return text


_WIKI: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\{(?:code|noformat)(?::[^}\n]{0,80})?\}"), "```"),
    (re.compile(r"\{color(?::[^}\n]{0,40})?\}|\{panel(?::[^}\n]{0,200})?\}"), ""),
    (re.compile(r"(?m)^h([1-6])\.\s+"), "## "),
    (re.compile(r"\[~[^\]\n]{1,100}\]"), ""),
    (re.compile(r"!(?=\S)[^!\n|]{1,200}\.(?:png|jpe?g|gif|bmp|svg|webp)(?:\|[^!\n]{0,100})?!", re.IGNORECASE), ""),
    (re.compile(r"\[([^\]|\n]{1,300})\|(https?://[^\]|\s]{1,1000})(?:\|[^\]\n]{0,40})?\]"), r"[\1](\2)"),
    (re.compile(r"\[(https?://[^\]|\s]{1,1000})\]"), r"\1"),
    (re.compile(r"(?m)^\{quote\}[\s\S]{0,20000}?\{quote\}[ \t]*\n?"), ""),
)


def wiki_to_text(markup: str) -> str:
    """Return Jira's wiki markup as Markdown: code, headings and links kept, colours, mentions and images off.

    A text that would be empty afterwards stays as it is.
    """
    if not any(mark in markup for mark in "{[!") and "h" not in markup[:3]:
        return markup
    text = markup
    for pattern, replacement in _WIKI:
        text = pattern.sub(replacement, text)
    return text if text.strip() else markup
