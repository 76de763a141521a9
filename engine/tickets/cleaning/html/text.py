"""HTML -> text a person would have typed: lists, links, code and line breaks kept, quotes and decoration gone.

Walks lexbor's tree without recursion. A quoted message becomes the mark
:data:`~engine.tickets.cleaning.plain_text.QUOTED` on a line of its own, so that :mod:`engine.tickets.cleaning.quotes`
can take the line before it ('On Monday, Anna wrote:') away as well. Emphasis is dropped: the same answer in an export's
plain text has none, and a model should not learn the help desk's editor.

Own renderer, because html-to-markdown 3.21 puts a blank line between every two ``<div>`` (a mail has one a line),
keeps emphasis, escapes '1.' at the start of a line, turns layout tables into Markdown tables, and drops the text of
markup nested some thousand deep.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.tickets.cleaning.html.guard import is_affordable, strip_tags, without_payloads
from engine.tickets.cleaning.html.links import link_text
from engine.tickets.cleaning.html.marks import holds_marks, is_indented_text, mark_of
from engine.tickets.cleaning.html.tables import data_rows
from engine.tickets.cleaning.html.writer import TextWriter
from engine.tickets.cleaning.plain_text import QUOTED, sanitise, unescape_entities
from engine.tickets.cleaning.quotes import introduces

_SKIPPED = frozenset(
    [
        *("head", "style", "script", "title", "meta", "link", "noscript", "template", "svg", "math", "object"),
        *("iframe", "video", "audio", "canvas", "map", "textarea", "select", "-comment"),
    ]
)
_LINES = frozenset(
    [
        *("div", "tr", "section", "article", "header", "footer", "main", "aside", "address", "dl", "dd", "form"),
        *("fieldset", "figure", "figcaption", "center", "details", "summary", "caption", "table", "tbody"),
        *("thead", "tfoot", "td", "th", "legend", "nav"),
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "dt"])
_CODE = frozenset(["code", "kbd", "samp", "tt"])
# Word and Outlook write one <p> a line and an empty one for a blank line.
_LINE_PARAGRAPH = re.compile(r"MsoNormal|MsoPlainText|xmsonormal|margin(?:-bottom)?\s*:\s*0", re.IGNORECASE)
_FORWARDED = re.compile(
    r"^[\s>-]*(?:begin forwarded message|forwarded message|weitergeleitete nachricht|message transf)", re.I
)
_LOOK_AHEAD = 2_000
"""Nodes that are looked at for the first words of a quote."""
_EMOJI_CODE = re.compile(r":[a-z0-9_+-]{2,30}:")


def html_to_text(html: str, *, keep_everything: bool = False) -> str:
    """Return the text of a message's HTML.

    Args:
        html: Markup as exported: a fragment or a whole document, sound or broken.
        keep_everything: Also render what is marked as quote, signature or hidden; the way back from an empty result.

    Returns:
        Text with line feeds as line ends; a quoted message is a line with the mark alone.
    """
    html = sanitise(without_payloads(html).replace("\u00a0", "&nbsp;"))
    if not is_affordable(html):
        return sanitise(unescape_entities(strip_tags(html)))
    body = LexborHTMLParser(html).body
    if body is None:
        return ""
    return _Renderer(read_marks=not keep_everything and holds_marks(html)).render(body)


@dataclass
class _List:
    """An open list: the number of its next item, or None where items have bullets."""

    number: int | None
    is_fresh: bool = True


class _Renderer:
    """One walk over one tree. ``_leave`` holds, for each open element, what closing it has to do."""

    def __init__(self, *, read_marks: bool) -> None:
        self._read_marks = read_marks
        self._out = TextWriter()
        self._pre = 0
        self._ended = False
        self._lists: list[_List] = []

    def render(self, body: LexborNode) -> str:
        node: LexborNode | None = body.child
        open_elements: list[tuple[LexborNode, Callable[[], None] | None]] = []
        while not self._ended:
            if node is None:
                if not open_elements:
                    break
                parent, leave = open_elements.pop()
                if leave:
                    leave()
                node = parent.next
                continue
            tag = node.tag or ""
            if tag == "-text":
                self._text(node.text_content or "")
                node = node.next
                continue
            enters, leave = self._enter(node, tag)
            child = node.child if enters else None
            if child is not None:
                open_elements.append((node, leave))
                node = child
                continue
            if leave:
                leave()
            node = node.next
        while open_elements:
            leave = open_elements.pop()[1]
            if leave:
                leave()
        return self._out.finish()

    def _text(self, text: str) -> None:
        if self._pre:
            self._out.verbatim(sanitise(text))
        else:
            # Entities may stand for what sanitise() took out of the source: &#8203; &#xE000;
            words = " ".join(text.split() if text.isascii() else sanitise(text).split())
            if not words and "\u00a0" in text and self._out.at_line_start:
                self._out.line_break()  # Word and Outlook write a blank line as a paragraph with one hard space
                return
            before = " " if text[:1].isspace() else ""
            after = " " if words and text[-1:].isspace() else ""
            self._out.words(f"{before}{words}{after}")

    def _enter(self, node: LexborNode, tag: str) -> tuple[bool, Callable[[], None] | None]:
        """Open an element: whether its children count, and what to do after them."""
        if tag in _SKIPPED:
            return False, None
        if tag == "br":
            self._out.line_break()
            return False, None
        attributes: Mapping[str, str | None] = {}
        if self._read_marks or tag in _READ_ATTRIBUTES:
            attributes = node.attributes
        if self._read_marks and self._is_left_out(node, tag, attributes):
            return False, None
        if tag in _LINES:
            return self._enter_line(node, tag)
        if tag in _PARAGRAPHS:
            return True, self._paragraph(attributes)
        open_special = _SPECIAL.get(tag)
        return open_special(self, node, attributes) if open_special else (True, None)

    def _is_left_out(self, node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> bool:
        mark = mark_of(tag, attributes)
        if mark == "quote" and not _FORWARDED.match(_opening_words(node)):
            self._out.own_line(QUOTED)
            return True
        if mark == "history" and self._out.has_text:
            self._ended = True
        return mark in ("signature", "hidden") or self._ended

    def _enter_line(self, node: LexborNode, tag: str) -> tuple[bool, Callable[[], None] | None]:
        if tag == "table" and not self._pre:
            rows = data_rows(node)
            if rows:
                self._out.block(1)
                for row in rows:
                    self._out.own_line(row)
                self._out.block(1)
                return False, None
        self._out.block(1)
        return True, self._end_line

    def _end_line(self) -> None:
        self._out.block(1)

    def _paragraph(self, attributes: Mapping[str, str | None]) -> Callable[[], None]:
        marks = f"{attributes.get('class') or ''} {attributes.get('style') or ''}" if attributes else ""
        lines = 1 if marks and _LINE_PARAGRAPH.search(marks) else 2
        self._out.block(lines)
        return lambda: self._out.block(lines)

    def _enter_list(self, node: LexborNode, attributes: Mapping[str, str | None]) -> tuple[bool, Callable[[], None]]:
        start = attributes.get("start") or "1"
        self._out.block(1 if self._lists else 2)
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
        self._lists.append(_List(first if node.tag == "ol" else None))
        return True, self._leave_list

    def _leave_list(self) -> None:
        self._lists.pop()
        self._out.block(1 if self._lists else 2)

    def _enter_item(self, node: LexborNode, attributes: Mapping[str, str | None]) -> tuple[bool, Callable[[], None]]:
        around = self._lists[-1] if self._lists else _List(None)
        self._out.open_item("- " if around.number is None else f"{around.number}. ", first=around.is_fresh)
        around.is_fresh = False
        around.number = None if around.number is None else around.number + 1
        return True, self._leave_item

    def _leave_item(self) -> None:
        self._out.close_indent()
        self._out.block(1)

    def _enter_pre(self, node: LexborNode, attributes: Mapping[str, str | None]) -> tuple[bool, Callable[[], None]]:
        self._pre += 1
        if self._pre == 1:
            self._out.capture()
        return True, self._leave_pre

    def _leave_pre(self) -> None:
        self._pre -= 1
        if self._pre == 0:
            self._out.code_block(self._out.release())

    def _enter_code(
        self, node: LexborNode, attributes: Mapping[str, str | None]
    ) -> tuple[bool, Callable[[], None] | None]:
        if self._pre:
            return True, None
        self._out.capture()
        return True, lambda: self._out.code(self._out.release())

    def _enter_link(
        self, node: LexborNode, attributes: Mapping[str, str | None]
    ) -> tuple[bool, Callable[[], None] | None]:
        address = sanitise(attributes.get("href") or "")
        if self._pre or ":" not in address:
            return True, None
        self._out.capture()
        return True, lambda: self._close_link(address)

    def _close_link(self, address: str) -> None:
        words = self._out.release()
        core = words.strip()
        linked = link_text(core, address)
        self._out.words((" " if words[:1].isspace() else "") + linked + (" " if words[-1:].isspace() else ""))

    def _enter_quotation(
        self, node: LexborNode, attributes: Mapping[str, str | None]
    ) -> tuple[bool, Callable[[], None] | None]:
        self._out.block(2)
        if not self._read_marks or is_indented_text(attributes) or _FORWARDED.match(_opening_words(node)):
            return True, lambda: self._out.block(2)
        if introduces(self._out.last_line):
            # 'It shows this message:' and then a blockquote is the writer's own citation, not a reply's quote.
            self._out.open_indent("> ")
            return True, self._leave_quotation
        self._out.own_line(QUOTED)
        return False, None

    def _leave_quotation(self) -> None:
        self._out.close_indent()
        self._out.block(2)

    def _enter_rule(self, node: LexborNode, attributes: Mapping[str, str | None]) -> tuple[bool, None]:
        self._out.block(2)
        return False, None

    def _enter_image(self, node: LexborNode, attributes: Mapping[str, str | None]) -> tuple[bool, None]:
        alternative = sanitise(attributes.get("alt") or "").strip()
        # An emoji is a word; a screenshot or a tracking pixel says nothing that a text model could repeat.
        is_emoji = 0 < len(alternative) <= 8 and not any(part.isalnum() for part in alternative)
        if is_emoji or _EMOJI_CODE.fullmatch(alternative):
            self._out.words(alternative)
        return False, None


_SPECIAL: dict[str, Callable[..., tuple[bool, Callable[[], None] | None]]] = {
    "ul": _Renderer._enter_list,
    "ol": _Renderer._enter_list,
    "menu": _Renderer._enter_list,
    "li": _Renderer._enter_item,
    "pre": _Renderer._enter_pre,
    "a": _Renderer._enter_link,
    "blockquote": _Renderer._enter_quotation,
    "hr": _Renderer._enter_rule,
    "img": _Renderer._enter_image,
    **dict.fromkeys(_CODE, _Renderer._enter_code),
}
_READ_ATTRIBUTES = frozenset({"a", "img", "ol", "blockquote", "p"})


def _opening_words(node: LexborNode) -> str:
    """Return the first words inside an element, looking at a bounded number of nodes."""
    for seen, inner in enumerate(node.traverse(include_text=True)):
        words = (inner.text_content or "").strip() if inner.tag == "-text" else ""
        if words or seen > _LOOK_AHEAD:
            return words[:100]
    return ""
