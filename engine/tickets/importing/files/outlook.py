"""Outlook's saved messages (.msg) -> mails as every other program writes them.

A .msg is a compound file with a stream a property ([MS-OXMSG] 2.1, https://learn.microsoft.com/openspecs); olefile
reads the container. What a mail program would have sent is put together again (RFC 5322), so that threads, roles and
parts are found out where they are for all mails. Attachments are not looked at.
"""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError, MessageError
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime, formataddr
from typing import IO, Any

from engine.errors import TicketsError
from engine.tickets.importing.files.charsets import decode

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How Microsoft's compound files begin: old workbooks, and saved messages."""
MESSAGE_BYTES = 64 << 20
_PROPERTIES = "__properties_version1.0"
_TEXT, _TEXT_8_BIT, _BYTES = "001F", "001E", "0102"
"""Types of properties: UTF-16, text in a code page, bytes."""
_SUBJECT, _BODY, _PAGE, _HEADERS = "0037", "1000", "1013", "007D"
_SENDER_NAME, _SENDER, _SENDER_SMTP = "0C1A", "0C1F", "5D01"
_NAME, _ADDRESS, _SMTP = "3001", "3003", "39FE"
_SUBMITTED, _DELIVERED, _CODE_PAGES = 0x0039, 0x0E06, (0x3FDE, 0x3FFD)
_KEPT = ("Message-ID", "In-Reply-To", "References", "Precedence", "Auto-Submitted", "X-Spam-Flag")
_BROKEN = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, struct.error, NotImplementedError),
    *(RecursionError, OverflowError, MessageError, HeaderParseError),
)
"""What olefile and the standard library raise on files that are broken."""


def is_message(stream: IO[bytes]) -> bool:
    """Whether a compound file is a message; where the stream stands is lost."""
    return holds(stream, _PROPERTIES)


def holds(stream: IO[bytes], name: str) -> bool:
    """Whether a compound file has a stream of that name; where the stream stands is lost."""
    import olefile

    try:
        stream.seek(0)
        with olefile.OleFileIO(stream) as ole:
            return bool(ole.exists(name))
    except _BROKEN:
        return False


def opened(stream: IO[bytes], name: str) -> IO[bytes]:
    """Return a stream of a mail for one of a .msg file.

    Args:
        stream: The file.
        name: For the sentence.

    Raises:
        TicketsError: It is damaged, or larger than :data:`MESSAGE_BYTES`.
    """
    import olefile

    raw = stream.read(MESSAGE_BYTES + 1)
    if len(raw) > MESSAGE_BYTES:
        raise TicketsError(f"{name} is larger than {MESSAGE_BYTES >> 20} MB.", "Save it again without its attachments.")
    try:
        with olefile.OleFileIO(io.BytesIO(raw)) as ole:
            return io.BytesIO(_as_mail(ole).as_bytes())
    except _BROKEN as error:
        raise damaged(name) from error


def damaged(name: str) -> TicketsError:
    """Return the failure of a message that cannot be read."""
    return TicketsError(
        f"{name} is an Outlook message (.msg) that is damaged.", "Save it again from Outlook, as .msg or as .eml."
    )


class _Folder:
    """A message, or one of its recipients: a folder of the compound file with a stream a property."""

    def __init__(self, ole: Any, path: str = "", header: int = 32) -> None:
        self._ole, self._path, self._header = ole, f"{path}/" if path else "", header
        self._fixed = self._fixed_properties()
        page = next((self._fixed[tag][:4] for tag in _CODE_PAGES if tag in self._fixed), b"")
        number = struct.unpack("<I", page)[0] if page else 0
        self._charset = {0: "", 65001: "utf-8"}.get(number, f"cp{number}")

    def _fixed_properties(self) -> dict[int, bytes]:
        """Property -> its 8 bytes, for numbers and dates ([MS-OXMSG] 2.4)."""
        raw = self._bytes(_PROPERTIES)[self._header :]
        entries = (raw[start : start + 16] for start in range(0, len(raw) - 15, 16))
        return {struct.unpack("<H", entry[2:4])[0]: entry[8:] for entry in entries}

    def _bytes(self, name: str) -> bytes:
        path = self._path + name
        if not self._ole.exists(path):
            return b""
        with self._ole.openstream(path) as stream:
            return bytes(stream.read())

    def text(self, tag: str) -> str:
        """Return a property that is text, or an empty one."""
        if wide := self._bytes(f"__substg1.0_{tag}{_TEXT}"):
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        return decode(self._bytes(f"__substg1.0_{tag}{_TEXT_8_BIT}"), self._charset).text.rstrip("\0")

    def page(self) -> str:
        """Return the HTML, which is bytes in the code page of the message, or text."""
        return decode(self._bytes(f"__substg1.0_{_PAGE}{_BYTES}"), self._charset).text or self.text(_PAGE)

    def date(self) -> datetime | None:
        """When it was sent, or else arrived: 100 nanoseconds since 1601 ([MS-DTYP] 2.3.3)."""
        for tag in (_SUBMITTED, _DELIVERED):
            if ticks := struct.unpack("<Q", self._fixed.get(tag, bytes(8)))[0]:
                return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
        return None


def _as_mail(ole: Any) -> EmailMessage:
    message = _Folder(ole)
    sent = HeaderParser().parsestr(message.text(_HEADERS))
    mail = EmailMessage()
    mail["From"] = _one_line(sent["From"]) or _address(message, _SENDER_NAME, _SENDER_SMTP, _SENDER)
    recipients = sorted({entry[0] for entry in ole.listdir() if entry[0].startswith("__recip_version1.0_")})
    people = (_Folder(ole, name, header=8) for name in recipients)
    mail["To"] = ", ".join(filter(None, (_address(person, _NAME, _SMTP, _ADDRESS) for person in people)))
    mail["Subject"] = _one_line(message.text(_SUBJECT))
    if sent["Date"]:
        mail["Date"] = _one_line(sent["Date"])
    elif date := message.date():
        mail["Date"] = format_datetime(date)
    for name in _KEPT:
        if sent[name]:
            mail[name] = _one_line(sent[name])
    mail.set_content(message.text(_BODY))
    if page := message.page().strip():
        mail.add_alternative(page, subtype="html")
    return mail


def _address(folder: _Folder, name: str, *addresses: str) -> str:
    """Return a person as in a mail's header; inside of a company an address may be a path of Exchange's: none."""
    address = next((said for tag in addresses if "@" in (said := _one_line(folder.text(tag)))), "")
    return formataddr((_one_line(folder.text(name)), address)) if address.isascii() and address else ""


def _one_line(text: Any) -> str:
    return " ".join(str(text or "").split())
