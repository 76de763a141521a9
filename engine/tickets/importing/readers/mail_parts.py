"""The bytes of one mail -> its addresses, subject, date and words.

Expects every header and charset to be broken. Threads and roles are decided in
:mod:`engine.tickets.importing.readers.mail`.
"""

from __future__ import annotations

import email
import email.errors
import email.message
import email.policy
import re
from dataclasses import dataclass
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime

from engine.tickets.cleaning.message import is_auto_reply
from engine.tickets.conversation import Kind
from engine.tickets.importing.files.charsets import decode
from engine.tickets.importing.readers.mail_body import words_of
from engine.tickets.importing.readers.mailing_lists import shown_address, without_scrubbed

HEADER_CHARS = 32_000
"""Of a header that is decoded; RFC 5322 knows no limit, and mail servers take 10 to 64 kB of all headers together."""
_LENGTH = re.compile(rb"(\d{1,10})[ \t]*\r?\n(?=[A-Za-z-]{1,60}:)")
"""What Apple's mail program writes over a mail (.emlx): its length in bytes, behind which come settings."""
BOM = b"\xef\xbb\xbf"
"""What Office 365 writes before the headers of a mail that it saves."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What is kept of one mail."""

    message_id: str
    references: tuple[str, ...]
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    date: str
    body: str
    html: bool
    kind: Kind
    """What it is whoever wrote it; see ``marked``."""
    source: str
    marked: bool = False
    """Whether its headers say that a program sent it, as help desks do with what their agents write."""
    lost: int = 0
    """Characters of the body that could not be read."""


def parse_mail(raw: bytes, source: str) -> Mail | None:
    """Read one mail; None where nothing of a mail is in it."""
    try:
        message = email.message_from_bytes(_bare(raw.removeprefix(BOM)), policy=email.policy.compat32)
        sender_name, sender = _address(message)
        words = words_of(message)
        if not (sender or words.text):
            return None
        referring = [str(value) for name in ("References", "In-Reply-To") for value in message.get_all(name, [])]
        references = re.findall(r"<[^<>\s]{3,500}>", " ".join(referring))
        recipients = getaddresses(
            [shown_address(str(value)) for name in ("To", "Cc", "Delivered-To") for value in message.get_all(name, [])]
        )
        return Mail(
            message_id=str(message.get("Message-ID") or "").strip(),
            references=tuple(references[:100]),
            sender=sender,
            sender_name=sender_name,
            recipients=tuple(dict.fromkeys(address.lower() for _, address in recipients[:50] if "@" in address)),
            subject=" ".join(_decoded(message.get("Subject")).split()),
            date=_date(message),
            body=words.text if words.html else without_scrubbed(words.text),
            html=words.html,
            kind=_kind(message, words.text),
            source=source,
            marked=_is_marked(message),
            lost=words.lost,
        )
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError, AssertionError):
        # The standard library's parser raises all of these on mails that were broken on purpose (python/cpython#75171).
        return None


def _bare(raw: bytes) -> bytes:
    """Take off what Apple's mail program puts around a mail."""
    counted = _LENGTH.match(raw)
    return raw[counted.end() : counted.end() + int(counted[1])] if counted else raw


def _address(message: email.message.Message) -> tuple[str, str]:
    value = message.get("From") or message.get("Sender") or message.get("Return-Path") or ""
    found = getaddresses([shown_address(_decoded(value))]) or getaddresses([shown_address(str(value))])
    name, address = next(((name, address) for name, address in found if "@" in address), ("", ""))
    return " ".join(name.split()), address.lower()


def _decoded(value: object) -> str:
    """Decode a header of encoded words; unknown charsets lose their odd characters, never the whole header."""
    pieces = []
    # decode_header joins neighbouring words one by one, which is quadratic.
    value = str(value or "")[:HEADER_CHARS]
    try:
        for piece, charset in decode_header(value):
            pieces.append(piece if isinstance(piece, str) else decode(piece, charset or "").text)
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return value
    return "".join(pieces)


def _date(message: email.message.Message) -> str:
    try:
        return parsedate_to_datetime(str(message.get("Date") or "")).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return str(message.get("Date") or "")


def _kind(message: email.message.Message, body: str) -> Kind:
    headers = {
        name: str(value) for name, value in message.items() if name.lower() not in ("precedence", "auto-submitted")
    }
    if message.get_content_type() == "multipart/report":
        return "auto_reply"
    if str(message.get("X-Spam-Flag") or "").strip().lower() == "yes":
        return "spam"
    replied = str(message.get("Auto-Submitted") or "").strip().lower().startswith(("auto-replied", "auto-notified"))
    if replied or is_auto_reply(body[:5000], headers):
        return "auto_reply"
    return "draft" if "draft" in str(message.get("X-Gmail-Labels") or "").lower() else "public"


def _is_marked(message: email.message.Message) -> bool:
    """Whether the headers call it one of many, or made by a program (RFC 2076 Precedence, RFC 3834 Auto-Submitted)."""
    submitted = str(message.get("Auto-Submitted") or "no").split(";")[0].strip().lower()
    precedence = str(message.get("Precedence") or "").strip().lower()
    return submitted not in ("no", "") or precedence in ("bulk", "junk", "list", "auto_reply")
