"""Assembles lines of text from words, breaks and blocks: indentation, list marks, blank lines, code fences.

Knows nothing about HTML: :mod:`engine.tickets.cleaning.html.text` tells it what comes.
"""

import re

_FENCE_RUN = re.compile(r"`{3,}")


class TextWriter:
    """Text under construction. Breaks are only written when words follow, so nothing ends in blank lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._breaks = 0
        self._indents: list[str] = []
        self._last_indent = ""
        self._marker = ""
        self._captured: list[list[str]] = []
        self.has_text = False
        """Whether any words have been written."""

    @property
    def last_line(self) -> str:
        """The last line with words on it, as far as it was written lately."""
        tail = "".join(self._parts[-12:]).rstrip()
        return tail[tail.rfind("\n") + 1 :]

    @property
    def at_line_start(self) -> bool:
        """Whether the next words open a line."""
        return not self._captured and (bool(self._breaks) or not self._parts)

    def words(self, text: str) -> None:
        """Add inline text whose white space is already collapsed."""
        if not text:
            return
        if self._captured:
            self._captured[-1].append(text)
            return
        if self._breaks or not self._parts:
            text = text.lstrip(" ")
            if not text:
                return
            self._start_line()
        elif text[0] == " " and self._parts[-1].endswith(" "):
            text = text[1:]
            if not text:
                return
        self._parts.append(text)
        self.has_text = True

    def verbatim(self, text: str) -> None:
        """Add text inside a captured code block, white space and all."""
        self._captured[-1].append(text) if self._captured else self.words(text)

    def line_break(self) -> None:
        """End the line; twice makes a blank line."""
        if self._captured:
            self._captured[-1].append("\n")
        elif self._parts:
            self._breaks = min(self._breaks + 1, 2)

    def block(self, breaks: int) -> None:
        """Make sure that at least so many line ends come before the next words (1: new line, 2: blank line)."""
        if self._captured:
            current = self._captured[-1]
            if current and not current[-1].endswith("\n"):
                current.append("\n")
        elif self._parts and not self._marker:
            self._breaks = max(self._breaks, breaks)

    def own_line(self, text: str) -> None:
        """Add a line that holds just this text."""
        self.block(1)
        self.words(text)
        self.block(1)

    def open_item(self, marker: str, *, first: bool) -> None:
        """Start a list item: its first line gets the marker, the others are indented as far.

        Args:
            marker: ``- `` or ``3. ``.
            first: Whether it opens its list; later items follow without a blank line.
        """
        self.block(1)
        if not first:
            self._breaks = min(self._breaks, 1)
        self._marker = f"{''.join(self._indents)}{marker}"
        self._indents.append(" " * len(marker))

    def open_indent(self, prefix: str) -> None:
        """Start a stretch whose lines begin with ``prefix``."""
        self._indents.append(prefix)

    def close_indent(self) -> None:
        """End the innermost item or indented stretch."""
        self._indents.pop()
        self._marker = ""

    def capture(self) -> None:
        """Collect what follows instead of writing it, until :meth:`release`."""
        self._captured.append([])

    def release(self) -> str:
        """End the innermost capture and return what it collected."""
        return "".join(self._captured.pop())

    def code(self, text: str) -> None:
        """Add a piece of code: between back-ticks, or as a block when it has several lines."""
        core = text.strip()
        if "\n" in core:
            self.code_block(text)
        elif core:
            self.words(f"`{core}`" if "`" not in core else core)

    def code_block(self, text: str) -> None:
        """Add a fenced block; the fence is longer than any run of back-ticks inside."""
        core = text.strip("\n").rstrip()
        if not core.strip():
            return
        longest = max((len(run) for run in _FENCE_RUN.findall(core)), default=2)
        fence = "`" * (longest + 1)
        self.block(2)
        if self._captured:
            self._captured[-1].append(f"{core}\n")
            return
        self._start_line()
        indent = "".join(self._indents)
        self._parts.append(f"\n{indent}".join([fence, *core.split("\n"), fence]))
        self.has_text = True
        self.block(2)

    def finish(self) -> str:
        """Return the text; open captures are written out."""
        while self._captured:
            self.words(self.release())
        return "".join(self._parts).rstrip()

    def _start_line(self) -> None:
        indent = "".join(self._indents)
        if self._parts:
            self._parts[-1] = self._parts[-1].rstrip(" ")
            blank = f"\n{indent.rstrip() if indent == self._last_indent else ''}" if self._breaks == 2 else ""
            self._parts.append(f"{blank}\n")
        self._parts.append(self._marker or indent)
        self._last_indent = indent
        self._marker = ""
        self._breaks = 0
