"""A stream of JSON -> its records, one at a time, however they are packed.

Understands JSON Lines, one big array, an envelope such as ``{"tickets": [...]}``, pages of envelopes one after another,
and pretty-printed objects. Memory is bounded by the largest record, never by the file. A damaged record costs itself:
it is handed on as a :class:`LeftOut` with its place. Knows no vendor: what a record means is the readers' business.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from engine.tickets.conversation import DAMAGED, LeftOut, broken_off, excerpt
from engine.tickets.importing.files.envelopes import unwrap
from engine.tickets.importing.files.json_values import parsed, shown, why
from engine.tickets.importing.files.sources import HEAD_BYTES, Source
from engine.tickets.importing.files.splitter import CHUNK_BYTES, RECORD_BYTES, Splitter


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of an export, and where it stood."""

    value: dict[str, Any]
    source: str
    place: str
    """``line 12`` in JSON Lines, ``item 12`` in an array."""
    folder: str = ""
    """The folder inside of an archive that it lay in, for readers of exports that say something by it."""


def read_records(source: Source, encoding: str = "utf-8") -> Iterator[Record | LeftOut]:
    """Yield every record of a JSON stream.

    Args:
        source: A text stream; the first character tells how it is packed.
        encoding: Anything but UTF-8 is converted on the way.

    Yields:
        Records in the order of the file, and a :class:`LeftOut` for each damaged one.

    Raises:
        TicketsError: The stream does not hold JSON objects at all.
    """
    with source.open() as raw:
        stream = _as_utf8(raw, encoding)
        head = _read_fully(stream, HEAD_BYTES)
        if head.startswith(b"\xef\xbb\xbf"):
            head = head[3:]
        if is_json_lines(head):
            yield from _json_lines(source.name, head, stream)
        else:
            yield from _array(source.name, head, stream)


def is_json_lines(head: bytes) -> bool:
    """Tell whether most lines at the beginning are an object each (a trailing comma is forgiven)."""
    lines = [line.rstrip() for line in head.split(b"\n")[:40]]
    if len(head) >= HEAD_BYTES and len(lines) < 40:
        lines.pop()
    lines = [line for line in lines if line and line not in (b"[", b"]", b"],")]
    whole = sum(isinstance(parsed(line.rstrip(b",")), dict) for line in lines)
    if whole >= max(1, len(lines) * 0.5):
        return True
    # In pretty-printed JSON, whole objects on a line are inner ones: indented, or with lone brackets around.
    pretty = any(line[:1] in b" \t" or line.rstrip(b",") in (b"{", b"}") for line in lines)
    return whole >= 2 and not pretty


def _json_lines(name: str, head: bytes, stream: IO[bytes]) -> Iterator[Record | LeftOut]:
    read = whole = 0
    for number, line in enumerate(_lines(head, stream), start=1):
        if line is None:
            yield LeftOut(f"line {number} of {name}", DAMAGED, f"longer than {RECORD_BYTES >> 20} MB")
            continue
        read += len(line)
        text = line.strip()
        if not text or text in (b"[", b"]", b"],", b","):
            continue
        value = parsed(text.rstrip(b","))
        if isinstance(value, dict):
            whole += 1
            for record in unwrap(value):
                yield Record(record, name, f"line {number}")
        elif value is None and whole and not line.endswith(b"\n") and text.startswith(b"{") and _is_cut(text):
            yield broken_off(f"line {number} of {name}", name, whole, read)
        else:
            yield _damage(f"line {number} of {name}", text.rstrip(b","), value)


def _is_cut(text: bytes) -> bool:
    """Tell a last line that ends too early from one that is damaged within."""
    return not text.endswith(b"}")


def _array(name: str, head: bytes, stream: IO[bytes]) -> Iterator[Record | LeftOut]:
    for piece in Splitter(name, head, stream).pieces():
        if isinstance(piece, LeftOut):
            yield piece
            continue
        number, text = piece
        value = parsed(text)
        if isinstance(value, dict):
            for record in unwrap(value):
                yield Record(record, name, f"item {number}")
        else:
            yield _damage(f"item {number} of {name}", text, value)


def _damage(place: str, text: bytes, value: object) -> LeftOut:
    return LeftOut(place, DAMAGED, excerpt(f"{why(text) if value is None else 'not an object'}: {shown(text)}"))


def _lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines of bytes; None for a line beyond :data:`RECORD_BYTES`."""
    pieces = head.split(b"\n")
    last = pieces.pop()
    yield from (piece + b"\n" for piece in pieces)
    line = last + stream.readline(RECORD_BYTES)
    while line:
        if len(line) >= RECORD_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(CHUNK_BYTES)
            yield None
        else:
            yield line
        line = stream.readline(RECORD_BYTES)


def _read_fully(stream: IO[bytes], size: int) -> bytes:
    pieces, left = [], size
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _as_utf8(stream: IO[bytes], encoding: str) -> IO[bytes]:
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "ascii"):
        return stream
    return io.BufferedReader(
        _Recoded(io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")), 1 << 18
    )


class _Recoded(io.RawIOBase):
    """Text in any encoding as a stream of UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        super().__init__()
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", "replace")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
