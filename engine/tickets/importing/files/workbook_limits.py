"""What a spreadsheet may unpack to: looked at before it is opened, since it has to be held in memory whole.

A sheet of a kilobyte can ask for half a terabyte: its reader sets aside a place for every cell between the first and
the last, and a copy of a shared text for every cell that refers to it. Both are counted here, as the streams of the
archive are unpacked piece by piece; nothing is kept.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from engine.errors import TicketsError

SHEET_BYTES = 600 << 20
"""The most that all of a workbook may unpack to."""
MOST_CELLS = 64_000_000
"""The most places between the first cell of a sheet and the last: 60 columns of as many rows as Excel knows. Each takes
32 bytes before anything stands in it."""
SHARED_BYTES = 1 << 30
"""The most that shared texts may come to, each counted as often as a cell refers to it."""
_PIECE = 1 << 20
_SHEETS = "xl/worksheets/"
_STRINGS = "xl/sharedStrings.xml"
_CELL = re.compile(rb"""\sr=["']([A-Z]{1,4})([0-9]{1,8})["']""")
_SHARED = re.compile(rb"""\st=["']s["'][^>]{0,200}>\s{0,9}<v>([0-9]{1,9})</v>""")
_LONGEST_MATCH = 300
_Archive = Sequence[zipfile.ZipInfo]


def check_workbook(path: Path, infos: _Archive) -> None:
    """Refuse a spreadsheet that would unpack to more than it may.

    The sizes that an archive claims can lie, so the streams are unpacked and counted, without keeping anything.

    Raises:
        TicketsError: The workbook is too large, or damaged.
    """
    try:
        with path.open("rb") as raw:
            left = SHEET_BYTES
            longest = shared_cells = 0
            for info in infos:
                if info.filename == _STRINGS:
                    size, longest = _strings(raw, info, path.name, left)
                elif info.filename.startswith(_SHEETS):
                    size, cells = _sheet(raw, info, path.name, left)
                    shared_cells += cells
                else:
                    size = sum(len(piece) for piece in _unpacked(raw, info, path.name, left))
                left -= size
            if longest * shared_cells > SHARED_BYTES:
                _check_shared(raw, infos, path.name)
    except (zlib.error, OSError, ValueError) as error:
        raise TicketsError(
            f"{path.name} is a damaged workbook.", "Open it in a spreadsheet program and save it again."
        ) from error


def _sheet(raw: IO[bytes], info: zipfile.ZipInfo, name: str, most: int) -> tuple[int, int]:
    """Check how far a sheet reaches; return its bytes and how many of its cells share a text."""
    size = shared = widest = tallest = 0
    widths: set[bytes] = set()
    for piece, window in _windows(_unpacked(raw, info, name, most)):
        size += len(piece)
        shared += window.count(b't="s"') + window.count(b"t='s'")
        found = _CELL.findall(window)
        if not found:
            continue
        if new := {letters for letters, _ in found} - widths:
            widths |= new
            widest = max(_column(letters) for letters in widths)
        tallest = max(tallest, *map(int, {row for _, row in found}))
        if widest * tallest > MOST_CELLS:
            raise TicketsError(
                f"{name} has cells so far out ({tallest:,} rows down, {widest:,} columns wide) that a sheet takes up "
                f"{widest * tallest:,} places; at most {MOST_CELLS:,} are read.",
                "Delete the rows and columns behind the tickets, or save the sheet as CSV.",
            )
    return size, shared


def _strings(raw: IO[bytes], info: zipfile.ZipInfo, name: str, most: int) -> tuple[int, int]:
    """Return the bytes of the shared texts, and those of the longest."""
    size = longest = current = 0
    for piece in _unpacked(raw, info, name, most):
        size += len(piece)
        first, *others = piece.split(b"</si>")
        current += len(first)
        for text in others:
            longest, current = max(longest, current), len(text)
    return size, max(longest, current)


def _check_shared(raw: IO[bytes], infos: _Archive, name: str) -> None:
    """Count what the shared texts come to, text by text."""
    times: Counter[bytes] = Counter()
    for info in infos:
        if info.filename.startswith(_SHEETS):
            for _, window in _windows(_unpacked(raw, info, name, SHEET_BYTES)):
                times.update(_SHARED.findall(window))
    total = 0
    for number, length in enumerate(_lengths(raw, infos, name)):
        total += length * times[b"%d" % number]
        if total > SHARED_BYTES:
            raise TicketsError(
                f"{name} repeats long texts so often that it unpacks to more than {SHARED_BYTES >> 30} GB.",
                "Save the sheet as CSV, or split it into several workbooks.",
            )


def _lengths(raw: IO[bytes], infos: _Archive, name: str) -> Iterator[int]:
    current = 0
    for info in infos:
        if info.filename == _STRINGS:
            for piece in _unpacked(raw, info, name, SHEET_BYTES):
                first, *others = piece.split(b"</si>")
                current += len(first)
                for text in others:
                    yield current
                    current = len(text)


def _windows(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each piece, and with it what is to be searched: from behind the last whole tag that was searched before."""
    before = b""
    for piece in pieces:
        window = before + piece
        end = window.rfind(b"</c>") + 4
        if end < 4 or len(window) - end > _PIECE:
            end = max(0, len(window) - _LONGEST_MATCH)
        yield piece, window[:end]
        before = window[end:]
    yield b"", before


def _column(letters: bytes) -> int:
    """The number of a column from its letters, A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _unpacked(raw: IO[bytes], info: zipfile.ZipInfo, name: str, most: int) -> Iterator[bytes]:
    """Yield the bytes of a member, a piece at a time.

    Raises:
        TicketsError: They are more than ``most``.
    """
    size = 0
    for piece in _pieces(raw, info):
        size += len(piece)
        if size > most:
            raise TicketsError(
                f"{name} unpacks to more than {SHEET_BYTES >> 20} MB, too much for a workbook.",
                "Save the sheet as CSV, or split it into several workbooks.",
            )
        yield piece


def _pieces(raw: IO[bytes], info: zipfile.ZipInfo) -> Iterator[bytes]:
    raw.seek(info.header_offset)
    header = raw.read(30)
    if len(header) < 30:
        return
    raw.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), io.SEEK_CUR)
    if info.compress_type != zipfile.ZIP_DEFLATED:
        left = info.file_size
        while left > 0 and (piece := raw.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or raw.read(1 << 16)
        if not packed:
            return
        yield unpacker.decompress(packed, _PIECE)
