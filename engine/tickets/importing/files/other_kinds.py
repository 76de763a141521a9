"""Files that are neither text nor tables, such as documents, pictures and programs: named, each with what helps.

Told by their first bytes, or by what lies in them where they are archives. Knows no help desk.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from engine.errors import TicketsError


class OtherFile(TicketsError):
    """A file that is neither text nor a table.

    Args:
        name: The file's.
        kind: What it is.
    """

    def __init__(self, name: str, kind: OtherKind) -> None:
        super().__init__(f"{name} is {kind.what}, not a ticket export.", kind.remedy)
        self.shown = f"{name} ({kind.what})"


@dataclass(frozen=True, slots=True)
class OtherKind:
    """What a file is, with its article, and what to do with it."""

    what: str
    remedy: str

    def refusal(self, name: str) -> OtherFile:
        """Return the failure of a file of that kind."""
        return OtherFile(name, self)


_EXPORT = "Choose the export as JSON, CSV, XLSX, Parquet, XML, mbox, EML or MSG (.gz and .zip of them are fine)."
_DOCUMENT = (
    "Export the tickets from your help desk instead; questions and answers that stand in a document go into a table "
    "with the columns question and answer."
)
_PICTURE = "What a picture shows cannot be read: export the tickets from your help desk instead."
_RECORDING = "Have it written down first, in a table with a row a message: ticket, author and text."
_UNPACK = "Unpack it and choose the files in it, or pack them as .zip."
_DATABASE = "Export the table of the messages as CSV or JSON, with the ticket's number and the writer."
_MODEL = "Models are chosen in the tab 'Recipe' and adapters brought in under 'Export'; here go the tickets."
_MAIL = "Let a mail program that knows it save the mails as mbox or EML, and choose these."
_PST = (
    "Open it in Outlook, mark the mails and drag them into a folder as .msg files; or let Thunderbird import it, and "
    "choose the mailbox file (mbox) that it makes."
)
_SPREADSHEET = "Save it as .xlsx or CSV (in Numbers: File > Export To), and choose that file."
WORD: Final = OtherKind("a Word document", _DOCUMENT)
SLIDES: Final = OtherKind("a presentation", _DOCUMENT)
LOCKED: Final = OtherKind("a file that is locked with a password", "Save a copy without one, and choose that.")
_BINARY = OtherKind("binary data", _EXPORT)
_PICKLE = OtherKind("a pickle, which could run code", "Save the table in it as CSV, JSON or Parquet.")
_BEGINNINGS: tuple[tuple[int, bytes, OtherKind], ...] = (
    (0, b"%PDF", OtherKind("a PDF", _DOCUMENT)),
    *(
        (0, magic, OtherKind("an image", _PICTURE))
        for magic in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"\0\0\1\0")
    ),
    (8, b"WEBP", OtherKind("an image", _PICTURE)),
    *((4, b"ftyp" + brand, OtherKind("an image", _PICTURE)) for brand in (b"heic", b"heix", b"mif1", b"avif")),
    (8, b"WAVE", OtherKind("a recording", _RECORDING)),
    (8, b"AVI ", OtherKind("a film", _RECORDING)),
    (4, b"ftyp", OtherKind("a film or recording", _RECORDING)),
    *((0, magic, OtherKind("a recording", _RECORDING)) for magic in (b"ID3", b"OggS", b"fLaC", b"#!AMR")),
    (0, b"\x1aE\xdf\xa3", OtherKind("a film", _RECORDING)),
    (0, b"7z\xbc\xaf\x27\x1c", OtherKind("a 7-Zip archive", _UNPACK)),
    (0, b"Rar!", OtherKind("a RAR archive", _UNPACK)),
    (0, b"BZh", OtherKind("a bzip2 archive", _UNPACK)),
    (0, b"\xfd7zXZ", OtherKind("an xz archive", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", OtherKind("a Zstandard archive", _UNPACK)),
    (0, b"\x04\x22\x4d\x18", OtherKind("an LZ4 archive", _UNPACK)),
    (0, b"MSCF", OtherKind("a cabinet archive", _UNPACK)),
    (257, b"ustar", OtherKind("a tar archive", _UNPACK)),
    (0, b"SQLite format 3", OtherKind("an SQLite database", _DATABASE)),
    (4, b"Standard Jet DB", OtherKind("an Access database", _DATABASE)),
    (4, b"Standard ACE DB", OtherKind("an Access database", _DATABASE)),
    (0, b"PGDMP", OtherKind("a dump of a database", _DATABASE)),
    *((0, magic, OtherKind("a table of another kind", _DATABASE)) for magic in (b"Obj\x01", b"ORC", b"FEA1")),
    *(
        (0, magic, OtherKind("a program", _EXPORT))
        for magic in (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    ),
    *((0, magic, OtherKind("a model or its data", _MODEL)) for magic in (b"GGUF", b"\x93NUMPY", b"\x89HDF")),
    (8, b'{"__metadata__"', OtherKind("a model (safetensors)", _MODEL)),
    (0, b"bplist00", OtherKind("a settings file of a Mac", _EXPORT)),
    (0, b"!BDN", OtherKind("an Outlook data file (.pst)", _PST)),
    (0, b"\xcf\xad\x12\xfe", OtherKind("a mailbox of Outlook Express (.dbx)", _MAIL)),
    (0, b"\x1a\0\0\x04", OtherKind("a database of Notes (.nsf)", _MAIL)),
)  # fmt: skip
"""(place, bytes there, kind); more special ones first. Most are in file's magic database, https://darwinsys.com/file."""
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.text": OtherKind("a document of OpenOffice", _DOCUMENT),
    b"application/vnd.oasis.opendocument.presentation": SLIDES,
    b"application/vnd.oasis.opendocument.graphics": OtherKind("a drawing", _PICTURE),
    b"application/epub+zip": OtherKind("an electronic book", _DOCUMENT),
}
"""What the member ``mimetype`` of an archive says it is (OpenDocument 1.3 part 2; EPUB OCF)."""
_IWORK = {
    ".pages": OtherKind("a document of Pages", _DOCUMENT),
    ".key": OtherKind("a presentation of Keynote", _DOCUMENT),
    ".numbers": OtherKind("a spreadsheet of Numbers", _SPREADSHEET),
}


_USUAL = bytes(byte for byte in range(256) if not (byte < 9 or 13 < byte < 27 or 27 < byte < 32))
"""All but control characters that no text has."""
_TELLING = 5
"""Shorter beginnings are letters that a text may begin with as well."""


def binary_kind(head: bytes) -> OtherKind | None:
    """Say what kind of binary data a file is by how it begins; None for text.

    Args:
        head: The first bytes, 4,096 at least where the file has them. Whether it is text in an encoding of two or four
            bytes a character has been looked at before.
    """
    for at, magic, kind in _BEGINNINGS:
        if head.startswith(magic, at) and (len(magic) >= _TELLING or magic == b"%PDF" or not _is_plain(head[:64])):
            return kind
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return _PICKLE
    sample = head[:4096]
    odd = len(sample.translate(None, _USUAL))
    return _BINARY if b"\x00" in sample or odd > len(sample) * 0.05 else None


def _is_plain(head: bytes) -> bool:
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)


def archive_kind(name: str, members: Collection[str], mimetype: bytes) -> OtherKind | None:
    """Say what a file is that is an archive inside, such as a document; None for a mere archive.

    Args:
        name: The file's.
        members: The names in it.
        mimetype: What its member ``mimetype`` holds; empty where it has none.
    """
    if kind := _MIMETYPES.get(mimetype.strip().removesuffix(b"-template")):
        return kind
    if "word/document.xml" in members:
        return WORD
    if "ppt/presentation.xml" in members:
        return SLIDES
    if any(member.endswith(".iwa") for member in members):
        return _IWORK.get(f".{name.lower().rpartition('.')[2]}", OtherKind("a file of Apple's office", _SPREADSHEET))
    if "META-INF/MANIFEST.MF" in members or "AndroidManifest.xml" in members:
        return OtherKind("a program", _EXPORT)
    if any("com.microsoft.__Messages" in member for member in members):
        return OtherKind("an archive of Outlook for Mac (.olm)", _MAIL)
    return None


def nothing_to_read(name: str, members: Collection[str]) -> TicketsError:
    """Return the failure of an archive of which nothing can be read: it says what is in it by the endings of names."""
    if not members:
        return TicketsError(f"{name} is an archive with nothing in it.", "Download the export again.")
    endings = sorted({f".{member.lower().rpartition('.')[2]}" for member in members if "." in member})
    listed = ", ".join(endings[:6]) + (" and others" if len(endings) > 6 else "")
    inner = [ending for ending in endings if ending in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")]
    return TicketsError(
        f"{name} holds no file that could be a ticket export{f' (only {listed})' if listed else ''}.",
        "Unpack it, and choose the archives in it." if inner else _EXPORT,
    )
