"""Files on disk -> streams of bytes: plain, .gz, and the members of a .zip; an Outlook message as the mail it was.

Owns what can be said about a file without knowing its format: empty, binary, encrypted, a bomb. Nothing is ever
unpacked to disk, and no name from inside an archive becomes a path.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from engine.errors import TicketsError
from engine.tickets.importing.files import outlook
from engine.tickets.importing.files.encodings import unicode_of
from engine.tickets.importing.files.other_kinds import (
    LOCKED,
    SLIDES,
    WORD,
    OtherFile,
    OtherKind,
    archive_kind,
    binary_kind,
    nothing_to_read,
)
from engine.tickets.importing.files.workbook_limits import check_workbook

HEAD_BYTES = 1 << 18
"""How much of a stream is looked at to tell what it is."""
BOMB_RATIO = 300
"""Real ticket exports pack 5 to 60 times; beyond this ratio (and :data:`BOMB_BYTES`) an archive is refused."""
BOMB_BYTES = 256 << 20

MOST_MEMBERS = 50_000
"""Files of one archive: each is opened several times before it is read, which takes a minute or two for 50,000."""

Packing = Literal["none", "gzip", "zip"]
Columnar = Literal["", "Parquet", "Arrow"]
_OLD_OFFICE = {"WordDocument": WORD, "PowerPoint Document": SLIDES, "EncryptedPackage": LOCKED}
"""Streams of compound files that are no workbook ([MS-CFB]; a locked .xlsx or .docx is one, [MS-OFFCRYPTO])."""


@dataclass(slots=True)
class Meter:
    """How many bytes of the files on disk have been read: what the progress bar shows."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One stream that may hold tickets."""

    path: Path
    name: str
    """What the person sees: ``export.zip: tickets.json``."""
    packing: Packing = "none"
    member: str = ""
    """The member of a .zip; only ever used as a key into that archive."""
    workbook: bool = False
    """A spreadsheet (.xlsx, .xls, .ods), told by its content."""
    columnar: Columnar = ""
    """A file of columns, whose rows are read as records."""
    outlook: bool = False
    """A message that Outlook saved (.msg): opened as the mail that it was."""
    beside: tuple[str, ...] = ()
    """Files that were chosen with this one and are of another kind, such as ``lamp.jpg (an image)``."""
    meter: Meter = field(default_factory=Meter, compare=False)
    archive: zipfile.ZipFile | None = field(default=None, compare=False, repr=False)
    """The open archive, shared by its members: its directory is read once, however many they are."""

    @property
    def folder(self) -> str:
        """The folder inside of the archive; empty at its top."""
        return PurePosixPath(self.member.replace("\\", "/")).parent.name

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the stream, unpacked.

        Raises:
            TicketsError: The file cannot be read, is damaged, or unpacks to far more than any export.
        """
        try:
            if self.archive:
                with _member(self, self.archive) as stream:
                    yield outlook.opened(stream, self.name) if self.outlook else stream
                return
            with self.path.open("rb", buffering=0) as raw:
                counted = cast(IO[bytes], io.BufferedReader(_Counted(raw, self.meter), 1 << 18))
                with _unpacked(self, counted) as stream:
                    yield outlook.opened(stream, self.name) if self.outlook else stream
        except (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, lzma.LZMAError) as error:
            raise TicketsError(
                f"{self.name} is a damaged archive ({error}).",
                "Download the export again, or unpack it yourself first.",
            ) from error
        except OSError as error:
            raise TicketsError(f"{self.name} cannot be read: {error.strerror or error}.", "Check the file.") from error

    def unpacked_size(self) -> int:
        """Say how many bytes the stream has, as far as its archive tells; nothing here is to be relied on."""
        if self.archive:
            return self.archive.getinfo(self.member).file_size
        size = self.path.stat().st_size
        if self.packing != "gzip":
            return size
        with self.path.open("rb") as raw:
            raw.seek(-4, io.SEEK_END)
            return max(int.from_bytes(raw.read(4), "little"), size)

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """Return the first bytes of the stream."""
        with self.open() as stream:
            return stream.read(size)


class _Counted(io.RawIOBase):
    """A raw file that tells the meter what was read from it."""

    def __init__(self, raw: IO[bytes], meter: Meter) -> None:
        super().__init__()
        self._raw = cast(io.RawIOBase, raw)
        self._meter = meter

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        count = self._raw.readinto(buffer)
        self._meter.done += count or 0
        return count


class _Guarded(io.RawIOBase):
    """Unpacked bytes that stop with a sentence once they outgrow every real export."""

    def __init__(self, stream: IO[bytes], name: str, packed: int) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self._limit = max(BOMB_BYTES, packed * BOMB_RATIO)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self._read += len(data)
        if self._read > self._limit:
            raise TicketsError(
                f"{self._name} unpacks to more than {BOMB_RATIO} times its size, which no ticket export does.",
                "If it is really an export, unpack it yourself and choose the unpacked file.",
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _unpacked(source: Source, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    if source.packing == "gzip":
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield io.BufferedReader(
                _Guarded(cast(IO[bytes], unpacked), source.name, source.path.stat().st_size), 1 << 18
            )
    else:
        yield stream


@contextmanager
def _member(source: Source, archive: zipfile.ZipFile) -> Iterator[IO[bytes]]:
    info = archive.getinfo(source.member)
    try:
        member = archive.open(info)
    except (RuntimeError, NotImplementedError) as error:
        raise TicketsError(
            f"{source.name} is locked with a password or packed in a way that cannot be read.",
            "Unpack it yourself and choose the unpacked file.",
        ) from error
    with member:
        yield cast(IO[bytes], io.BufferedReader(_Guarded(member, source.name, info.compress_size), 1 << 18))


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """List the streams in the given files.

    Args:
        paths: Files that the person chose; an archive counts as each of its members.

    Returns:
        The sources in the order of ``paths``, archive members in the order of their names; one :class:`Meter` counts
        for all of them. Pictures and the like beside an export are passed over; the first source names them.

    Raises:
        TicketsError: A file is missing, empty, or an archive without anything to read, or all are of another kind.
    """
    if not paths:
        raise TicketsError("No file was chosen.", "Choose at least one export file.")
    meter = Meter()
    found: list[Source] = []
    others: list[OtherFile] = []
    for path in paths:
        try:
            found.extend(_sources_of(path, meter))
        except OtherFile as error:
            others.append(error)
    if not found:
        raise others[0]
    meter.done = 0
    return [replace(found[0], beside=tuple(other.shown for other in others)), *found[1:]] if others else found


def _sources_of(path: Path, meter: Meter) -> list[Source]:
    name = path.name
    if path.is_dir():
        raise TicketsError(f"{name} is a folder.", "Choose the files inside it.")
    if not path.is_file():
        raise TicketsError(f"{name} does not exist.", "Check the name and choose the file again.")
    size = path.stat().st_size
    if size == 0:
        raise TicketsError(f"{name} is empty (0 bytes).", "Download the export again.")
    meter.total += size
    plain = Source(path, name, meter=meter)
    head = plain.head(4096)
    if head.startswith(b"\x1f\x8b"):
        packed = Source(path, name, packing="gzip", meter=meter)
        inner = packed.head()
        if columnar := _columnar(inner):
            return [replace(packed, columnar=columnar)]
        _refuse_binary(name, inner)
        return [packed]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path, meter)
    if head.startswith(outlook.OLE):
        return [_compound(path, name, meter)]
    if columnar := _columnar(head):
        return [replace(plain, columnar=columnar)]
    _refuse_binary(name, head)
    return [plain]


def _compound(path: Path, name: str, meter: Meter) -> Source:
    """Tell an old workbook from a saved message; a file that is neither any more, by its name."""
    with path.open("rb") as stream:
        if outlook.is_message(stream):
            return Source(path, name, outlook=True, meter=meter)
    if path.suffix.lower() in (".msg", ".oft"):
        raise outlook.damaged(name)
    with path.open("rb") as stream:
        if kind := next((kind for held, kind in _OLD_OFFICE.items() if outlook.holds(stream, held)), None):
            raise kind.refusal(name)
    return Source(path, name, workbook=True, meter=meter)


def _archive(path: Path, meter: Meter) -> list[Source]:
    try:
        # The archive stays open as long as a source refers to it; the file behind it is only ever read.
        archive = zipfile.ZipFile(
            cast(IO[bytes], io.BufferedReader(_Counted(path.open("rb", buffering=0), meter), 1 << 18))
        )
        infos = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise TicketsError(f"{path.name} is a damaged archive ({error}).", "Download the export again.") from error
    if len(infos) > MOST_MEMBERS:
        raise TicketsError(
            f"{path.name} holds {len(infos):,} files; at most {MOST_MEMBERS:,} are read from one archive.",
            "Split it into several archives, or export the tickets into one file.",
        )
    names = {info.filename for info in infos}
    if kind := archive_kind(path.name, names, _mimetype(archive)):
        raise kind.refusal(path.name)
    if any(name.startswith("xl/") for name in names) or "content.xml" in names:
        check_workbook(path, infos)
        return [Source(path, path.name, workbook=True, meter=meter)]
    sources = []
    shown = _shown([info.filename for info in infos])
    for info in sorted(infos, key=lambda info: info.filename):
        member = PurePosixPath(info.filename.replace("\\", "/")).name
        if member.startswith(".") or "__MACOSX" in info.filename or not info.file_size:
            continue
        source = Source(
            path, f"{path.name}: {shown[info.filename]}", "zip", info.filename, meter=meter, archive=archive
        )
        head = source.head(4096)
        if head.startswith(outlook.OLE) and _holds_message(source):
            sources.append(replace(source, outlook=True))
        elif columnar := _columnar(head):
            sources.append(replace(source, columnar=columnar))
        elif not _binary(head):
            sources.append(source)
    if not sources:
        raise nothing_to_read(path.name, names)
    return sources


def _shown(members: Sequence[str]) -> dict[str, str]:
    """Say what each member of an archive is called: its last name, with its folder where others are called so too."""
    parts = {member: PurePosixPath(member.replace("\\", "/")).parts for member in members}
    last = Counter(part[-1] for part in parts.values() if part)
    with_folder = Counter(part[-2:] for part in parts.values())
    return {
        member: "/".join(
            part[-1:] if part and last[part[-1]] == 1 else part[-2:] if with_folder[part[-2:]] == 1 else part
        )
        for member, part in parts.items()
    }


def _mimetype(archive: zipfile.ZipFile) -> bytes:
    """Return what an archive says it is; empty where it does not, or is locked."""
    try:
        with archive.open("mimetype") as stream:
            return stream.read(200)
    except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return b""


def _holds_message(source: Source) -> bool:
    with source.open() as stream:
        return outlook.is_message(io.BytesIO(stream.read(outlook.MESSAGE_BYTES)))


def _columnar(head: bytes) -> Columnar:
    """Tell a file of columns by how it begins (parquet.apache.org; Arrow's IPC formats: a file, or a stream)."""
    if head.startswith(b"PAR1"):
        return "Parquet"
    # A stream begins with a message: this mark, the length of its metadata, and that a schema is in it.
    return "Arrow" if head.startswith((b"ARROW1\0\0", b"\xff\xff\xff\xff")) and len(head) > 8 else ""


def _refuse_binary(name: str, head: bytes) -> None:
    if not head:
        raise TicketsError(f"{name} is empty once unpacked.", "Download the export again.")
    if kind := _binary(head):
        raise kind.refusal(name)


def _binary(head: bytes) -> OtherKind | None:
    return None if unicode_of(head) else binary_kind(head)
