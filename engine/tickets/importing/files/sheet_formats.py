"""The formats of a workbook's cells, which the library that reads the cells leaves out.

Looks into the XML of an .xlsx for two things alone: which format code a number has, and which formulas were saved
without their result. Reads in pieces; nothing is evaluated.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from engine.tickets.importing.files.number_formats import BUILT_IN

_PART_BYTES = 16 << 20
"""Styles and relations beyond this are no spreadsheet's."""
_CHUNK = 1 << 20
_MOST = 2_000_000
"""Cells whose format is remembered, at most: about 100 bytes each."""
_ATTRIBUTE = r'\b{}\s*=\s*"([^"<>]*)"'
_FORMAT = re.compile(r"<(?:\w{1,20}:)?numFmt\b([^<>]*)>")
_STYLES = re.compile(r"</?(?:\w{1,20}:)?cellXfs\b")
_STYLE = re.compile(r"<(?:\w{1,20}:)?xf\b([^<>]*)>")
_SHEET = re.compile(r"<(?:\w{1,20}:)?sheet\b([^<>]*)>")
_RELATION = re.compile(r"<(?:\w{1,20}:)?Relationship\b([^<>]*)>")
_TAG = re.compile(rb"<(?:\w{1,20}:)?(/?c|row|f|v)\b([^<>]*)>([^<]?)")
"""A row, the beginning and the end of a cell, its formula, its value; and the first byte of what follows the tag."""
_ROW = re.compile(rb'\br="([0-9]{1,7})"')
_NAMED = re.compile(rb'\br="([A-Z]{1,3})[0-9]{1,7}"')
_STYLED = re.compile(rb'\bs="([0-9]{1,5})"')
_TYPED = re.compile(rb'\bt="(?!n")')


@dataclass(slots=True)
class SheetFormats:
    """What the XML of one sheet tells of its cells."""

    codes: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column), both from 0, -> the format code of a number; cells of the general format are left out."""
    empty_formulas: int = 0
    """Formulas whose result the file does not hold."""


def sheet_formats(path: Path, sheet: str, rows: int | None = None) -> SheetFormats:
    """Look into one sheet of an .xlsx; any other file, and one that is built otherwise, tells nothing.

    Args:
        path: The workbook.
        sheet: The name of the sheet.
        rows: Look no further than so many rows; None for all.
    """
    formats = SheetFormats()
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member_of(archive, sheet)
            if member:
                codes = _codes(_part(archive, "xl/styles.xml")) if "xl/styles.xml" in archive.namelist() else {}
                with archive.open(member) as stream:
                    _look_into(stream, codes, rows, formats)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        return SheetFormats()
    return formats


def _part(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as stream:
        return stream.read(_PART_BYTES).decode("utf-8", "replace")


def _attribute(text: str, name: str) -> str:
    match = re.search(_ATTRIBUTE.format(name), text)
    return unescape(match[1]) if match else ""


def _member_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the archive's name of a sheet."""
    sheets = _SHEET.findall(_part(archive, "xl/workbook.xml"))
    named = next((text for text in sheets if _attribute(text, "name") == sheet), "")
    link = _attribute(named, "r:id") or _attribute(named, r"\w+:id")
    for text in _RELATION.findall(_part(archive, "xl/_rels/workbook.xml.rels")):
        if link and _attribute(text, "Id") == link:
            target = _attribute(text, "Target")
            return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
    return ""


def _codes(styles: str) -> dict[bytes, str]:
    """Return the format code by the number of a cell's style; styles of the general format are left out."""
    spelt = {_attribute(text, "numFmtId"): _attribute(text, "formatCode") for text in _FORMAT.findall(styles)}
    ends = [match.start() for match in islice(_STYLES.finditer(styles), 2)]
    numbers = [_attribute(text, "numFmtId") for text in _STYLE.findall(styles, *ends)] if len(ends) == 2 else []
    spelling = {number: spelt.get(number) or BUILT_IN.get(int(number or 0), "") for number in set(numbers)}
    return {str(index).encode(): spelling[number] for index, number in enumerate(numbers) if spelling[number]}


def _look_into(stream: IO[bytes], codes: dict[bytes, str], rows: int | None, formats: SheetFormats) -> None:
    row = column = -1
    formula = result = False
    for tag, attributes, after in _tags(stream):
        if tag == b"row":
            # A row and a cell may leave out where they stand: then it is behind the one before.
            row, column = int(named[1]) - 1 if (named := _ROW.search(attributes)) else row + 1, -1
            if rows is not None and row >= rows:
                return
        elif tag == b"c":
            formula = result = False
            column = _column(named[1]) if (named := _NAMED.search(attributes)) else column + 1
            code = codes.get(styled[1]) if (styled := _STYLED.search(attributes)) else None
            if code and not _TYPED.search(attributes) and len(formats.codes) < _MOST:
                formats.codes[row, column] = code
        elif tag == b"f":
            formula = True
        elif tag == b"v":
            result = result or bool(after.strip())
        elif tag == b"/c" and formula and not result:
            formats.empty_formulas += 1


def _tags(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    text = b""
    while piece := stream.read(_CHUNK):
        text += piece
        # A tag that is cut in two waits for the rest, and so does the byte behind one.
        end = max(text.rfind(b"<"), 0)
        for match in _TAG.finditer(text, 0, end):
            yield match[1], match[2], match[3]
        text = text[end:] if len(text) - end < _CHUNK else b""
    for match in _TAG.finditer(text):
        yield match[1], match[2], match[3]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
