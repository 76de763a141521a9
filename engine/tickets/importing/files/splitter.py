"""One long JSON text -> the bytes of its records, found by brackets alone.

Memory is bounded by the largest record; one that is larger than all tickets, such as a chat of years, comes in parts. A
missing quote or bracket costs the record it is in: the next one is found by its signature. Parsing is left to
:mod:`engine.tickets.importing.files.records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from engine.errors import TicketsError
from engine.tickets.conversation import DAMAGED, LeftOut, broken_off, excerpt
from engine.tickets.importing.files.envelopes import ENVELOPES, OPEN, OPEN_LIST, QUOTE, TOKEN, envelope_depth
from engine.tickets.importing.files.json_values import shown

RECORD_BYTES = 64 << 20
"""A record larger than this is read in parts, or, where it has none, is damage and no ticket."""
HEAD_OF_RECORD_BYTES = 1 << 16
"""What may stand in a record before the list that it is parted at; it is repeated in front of each part."""
CHUNK_BYTES = 1 << 20
_COMMA = re.compile(rb"\s*,")
_DEEPEST = 1000
"""orjson's own limit is 1,024."""


class Splitter:
    """Finds the records inside one long JSON text by its brackets, without parsing the whole.

    A record is a ``{...}`` at the right depth: outside of everything, in a top-level array, or in an envelope's array.
    """

    def __init__(self, name: str, head: bytes, stream: IO[bytes]) -> None:
        if head.lstrip()[:1] not in (b"{", b"["):
            raise TicketsError(f"{name} is not JSON: it begins with {shown(head.lstrip()[:20])!r}.", "Check the file.")
        self._name = name
        self._stream = stream
        self._buffer = bytearray(head)
        self._envelope = envelope_depth(head)
        self.count = 0
        self._read = len(head)
        """Bytes of the text so far."""
        self._stack: list[int] = []
        self._keys: list[bytes] = []
        self._start = -1
        """Where in the buffer the record in progress begins; -1 between records."""
        self._position = 0
        """Up to where the buffer has been looked at."""
        self._inner = 0
        """How many brackets of the record are open."""
        self._signature: re.Pattern[bytes] | None = None

    def pieces(self) -> Iterator[tuple[int, bytes] | LeftOut]:
        """Yield the number of each record, from 1, and its bytes; a :class:`LeftOut` for what is no whole record."""
        while True:
            yield from self._scan()
            self._drop()
            if len(self._buffer) > RECORD_BYTES and (part := self._part()):
                yield part
                continue
            if len(self._buffer) > RECORD_BYTES:
                yield self._given_up(f"larger than {RECORD_BYTES >> 20} MB")
                continue
            # Reading as much again as is waiting keeps the work on one long string linear.
            more = self._stream.read(max(CHUNK_BYTES, len(self._buffer)))
            self._buffer += more
            self._read += len(more)
            if not more:
                if self._start < 0:
                    break
                yield self._given_up("the file ends inside this record")
                if self._start < 0:
                    return
        if self._stack:
            self.count += 1
            yield self._broken_off()

    def _scan(self) -> Iterator[tuple[int, bytes] | LeftOut]:
        """Look at every token of the buffer that is whole."""
        buffer, stack, keys = self._buffer, self._stack, self._keys
        for token in TOKEN.finditer(buffer, self._position):
            at = token.start()
            byte = buffer[at]
            if byte == QUOTE:
                if token.end() - at == 1:
                    self._position = at
                    return
                if self._start < 0 and 0 < len(stack) <= 3 and stack[-1] == OPEN:
                    keys[len(stack) - 1 :] = [bytes(buffer[at + 1 : min(token.end() - 1, at + 64)])]
            elif self._start >= 0:
                self._inner += 1 if byte in (OPEN, OPEN_LIST) else -1
                if not self._inner:
                    yield self._record(bytes(buffer[self._start : token.end()]))
                    self._start = -1
                elif self._inner > _DEEPEST:
                    raise self._too_deep()
            elif byte == OPEN and self._is_record():
                self._start, self._inner = at, 1
            elif byte in (OPEN, OPEN_LIST):
                if len(stack) > _DEEPEST:
                    raise self._too_deep()
                stack.append(byte)
                keys[len(stack) - 1 :] = [b""]
            elif stack:
                stack.pop()
            self._position = token.end()
        self._position = len(buffer)

    def _drop(self) -> None:
        """Forget what has been dealt with, but for the blanks before a record, which are part of its signature."""
        done = self._start if self._start >= 0 else self._position
        done -= len(self._buffer[:done]) - len(self._buffer[:done].rstrip())
        del self._buffer[:done]
        self._position -= done
        if self._start >= 0:
            self._start -= done

    def _is_record(self) -> bool:
        depth = len(self._stack)
        if self._envelope == 0:
            return depth == 0 or (depth == 1 and self._stack[0] == OPEN_LIST)
        if depth != self._envelope + 1:
            return depth == 1 and self._stack[0] == OPEN_LIST
        return self._stack[-1] == OPEN_LIST and self._keys[depth - 2].decode("utf-8", "replace") in ENVELOPES

    def _record(self, text: bytes) -> tuple[int, bytes]:
        self.count += 1
        if self._signature is None:
            blanks = self._buffer[: self._start]
            self._signature = _signature(bytes(blanks[len(blanks.rstrip()) :]), text)
        return self.count, text

    def _part(self) -> tuple[int, bytes] | None:
        """Take the beginning of the record in progress off as a record of its own, with the messages that are whole.

        What stands before its list of messages is in this part, and stays for the next one.

        Returns:
            None where it has no such list, or is no record but several, of which a quote is missing.
        """
        if self._start < 0 or (self._signature and self._signature.search(self._buffer, self._start + 1)):
            return None
        record = bytes(self._buffer[self._start :])
        found = _whole_messages(record)
        if found is None:
            return None
        opened, end = found
        head, part = record[:opened], record[: end - 1] + b"]}"
        self._buffer[: self._start + end] = head
        self._start, self._position, self._inner = 0, len(head), 2
        self.count += 1
        return self.count, part

    def _given_up(self, why: str) -> LeftOut:
        """Count the record in progress as damaged, and go on with the next one that can be made out behind it.

        A missing quote or bracket swallows everything behind it; the signature of whole records finds the next one.
        """
        self.count += 1
        text = bytes(self._buffer[max(self._start, 0) :])
        left = LeftOut(f"item {self.count} of {self._name}", DAMAGED, excerpt(f"{why}: {shown(text)}"))
        following = self._signature.search(text, 1) if self._signature else None
        if following:
            begin = max(self._start, 0) + following.end() - len(following.group().lstrip())
            del self._buffer[:begin]
            self._start, self._position, self._inner = 0, 1, 1
        elif len(text) > RECORD_BYTES:
            raise TicketsError(
                f"{self._name}: item {self.count} is {why}.", "This is no ticket export, or a quote is missing there."
            )
        else:
            self._buffer.clear()
            self._start, self._position = -1, 0
            # Where every bracket is closed at the very end, a quote is missing and nothing more.
            return left if text.rstrip().endswith((b"}]", b"]}", b"}\n]")) else self._broken_off()
        return left

    def _broken_off(self) -> LeftOut:
        return broken_off(f"item {self.count} of {self._name}", self._name, self.count - 1, self._read)

    def _too_deep(self) -> TicketsError:
        return TicketsError(
            f"{self._name}: item {self.count + 1} is nested more than {_DEEPEST:,} deep.", "This is no ticket export."
        )


def _whole_messages(record: bytes) -> tuple[int, int] | None:
    """Find the list of a record that is not whole: where it opens, and the end of the comma behind its last whole item.

    Args:
        record: Bytes that begin with the record's bracket.
    """
    depth, opened, end, key = 0, 0, 0, b""
    for token in TOKEN.finditer(record):
        byte = token.group()[:1]
        if byte == b'"':
            key = token.group()[1:-1] if depth == 1 and not opened else key
        elif byte in b"{[":
            depth += 1
            if depth == 2 and byte == b"[" and not opened and key.decode("utf-8", "replace") in ENVELOPES:
                opened = token.end()
        else:
            depth -= 1
            if depth == 1 and opened:
                return None  # the list is whole: something else is large
            if depth == 2 and opened and byte == b"}" and (comma := _COMMA.match(record, token.end())):
                end = comma.end()
        if not opened and token.end() > HEAD_OF_RECORD_BYTES:
            return None
    return (opened, end) if end else None


def _signature(blanks: bytes, text: bytes) -> re.Pattern[bytes] | None:
    """Return what tells the beginning of a record from objects inside of it: its indentation and its first two keys."""
    begin = re.match(
        rb'\{(\s*)("[^"\\]{1,60}")\s*:\s*(?:"[^"\\]{0,500}"|[^"{}\[\],\s]{1,40})\s*,\s*("[^"\\]{1,60}")', text
    )
    if not begin:
        return None
    inside, one, two = begin.groups()
    value = rb'\s*:\s*(?:"[^"\\]{0,500}"?|[^"{}\[\],\s]{1,40})\s*,\s*'
    return re.compile(re.escape(blanks) + rb"\{" + re.escape(inside) + re.escape(one) + value + re.escape(two))
