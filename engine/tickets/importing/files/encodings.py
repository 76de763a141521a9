"""Bytes -> text: which encoding a stream is in, and how it is opened."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Protocol, cast

from engine.errors import TicketsError

_HEAD_BYTES = 1 << 18
_SCAN_BYTES = 512 << 20
_LEAST_CONFIDENCE = 0.1
"""chardet 7 is right about Polish and Turkish code pages at 0.11 to 0.18, and guesses below."""
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Openable(Protocol):
    """A stream of an import (sources.py)."""

    @property
    def name(self) -> str:
        """What a person knows it by."""

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """Open it, unpacked."""


def unicode_of(head: bytes) -> str:
    """Tell UTF-8, UTF-16 and UTF-32 by their marks, and UTF-16 by its zero bytes; empty for anything else."""
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), "")
    return marked or _utf16_without_bom(head)


def _utf16_without_bom(head: bytes) -> str:
    """Tell UTF-16 without a mark by where its zero bytes are: nearly all on one side of each pair."""
    sample = head[:2048]
    if len(sample) < 8 or b"\x00\x00" in sample[:64]:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.05:
        return "utf-16-be"
    return ""


def find_encoding(source: Openable) -> str:
    """Tell a stream's text encoding: its mark, else strict UTF-8, else what chardet says of the odd bytes, else cp1252.

    Returns:
        A codec name that Python knows.
    """
    with source.open() as stream:
        head = stream.read(_HEAD_BYTES)
        if known := unicode_of(head):
            return known
        decoder = codecs.getincrementaldecoder("utf-8")()
        chunk, scanned = head, 0
        while chunk and scanned < _SCAN_BYTES:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return guess_encoding(chunk)
            scanned += len(chunk)
            chunk = stream.read(1 << 20)
    return "utf-8"


def guess_encoding(chunk: bytes) -> str:
    """Tell the encoding of bytes that are not UTF-8: what chardet says of their odd lines, else cp1252.

    Returns:
        A codec name that Python knows; utf-8 for bytes that mostly are, with a few broken ones.
    """
    lines = [line for line in chunk.splitlines() if not line.isascii()]
    odd = b"\n".join(lines)[:65536]
    try:
        odd.decode("utf-8")
    except UnicodeDecodeError as error:
        # A mostly correct UTF-8 file with a few broken bytes stays UTF-8: each broken line is dealt with by itself.
        proper = sum(_is_utf8(line) for line in lines)
        if proper > len(lines) * 0.8 or error.end >= len(odd) - 3 > 65000:
            return "utf-8"
    else:
        return "utf-8"
    import chardet

    answer = chardet.detect(odd)
    name, confidence = answer.get("encoding"), answer.get("confidence") or 0.0
    if not name or confidence < _LEAST_CONFIDENCE:
        return "cp1252"
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return "cp1252"
    return "cp1252" if codec in ("ascii", "iso8859-1", "utf-8") else codec


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def open_text(source: Openable, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Open a stream as text; a byte that does not fit becomes U+FFFD instead of an error.

    Raises:
        TicketsError: The encoding is not known.
    """
    known_encoding(encoding)
    with source.open() as stream:
        yield io.TextIOWrapper(cast(io.BufferedReader, stream), encoding=encoding, errors="replace", newline="")


def known_encoding(name: str) -> str:
    """Return the codec's own name.

    Raises:
        TicketsError: Python knows no such text encoding.
    """
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise TicketsError(f"There is no encoding called {name!r}.", "Try utf-8, cp1252 or utf-16.") from error
    if not getattr(info, "_is_text_encoding", True):
        raise TicketsError(f"{name!r} is not a text encoding.", "Try utf-8, cp1252 or utf-16.")
    return info.name
