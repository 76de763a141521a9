"""The bytes of one mail -> its addresses, subject, date and words.

Expects every header and charset to be broken. Threads and roles are decided in :mod:`engine.tickets.readers.mail`.
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

from engine.tickets.cleaning import is_auto_reply
from engine.tickets.conversation import Kind


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
    source: str


def parse_mail(raw: bytes, source: str) -> Mail | None:
    """Read one mail; None where nothing of a mail is in it."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        sender_name, sender = _address(message)
        body, html = _body(message)
        if not (sender or body):
            return None
        referring = [str(value) for name in ("References", "In-Reply-To") for value in message.get_all(name, [])]
        references = re.findall(r"<[^<>\s]{3,500}>", " ".join(referring))
        recipients = getaddresses(
            [str(value) for name in ("To", "Cc", "Delivered-To") for value in message.get_all(name, [])]
        )
        return Mail(
            message_id=str(message.get("Message-ID") or "").strip(),
            references=tuple(references[:100]),
            sender=sender,
            sender_name=sender_name,
            recipients=tuple(dict.fromkeys(address.lower() for _, address in recipients[:50] if "@" in address)),
            subject=" ".join(_decoded(message.get("Subject")).split()),
            date=_date(message),
            body=body,
            html=html,
            kind=_kind(message, body),
            source=source,
        )
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError, AssertionError):
        # The standard library's parser raises all of these on mails that were broken on purpose (python/cpython#75171).
        return None


def _address(message: email.message.Message) -> tuple[str, str]:
    value = message.get("From") or message.get("Sender") or message.get("Return-Path") or ""
    found = getaddresses([_decoded(value)]) or getaddresses([str(value)])
    name, address = next(((name, address) for name, address in found if "@" in address), ("", ""))
    return " ".join(name.split()), address.lower()


def _decoded(value: object) -> str:
    """Decode a header of encoded words; unknown charsets lose their odd characters, never the whole header."""
    pieces = []
    try:
        for piece, charset in decode_header(str(value or "")):
            pieces.append(piece if isinstance(piece, str) else _text(piece, charset or "utf-8"))
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return str(value or "")
    return "".join(pieces)


def _text(raw: bytes, charset: str) -> str:
    for name in (charset, "utf-8", "cp1252"):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1")


def _body(message: email.message.Message) -> tuple[str, bool]:
    """Return the words of a mail: its HTML part where it has one, else its plain part; attachments are passed over."""
    plain, html = "", ""
    for part in message.walk():
        if part.is_multipart() or part.get_content_disposition() == "attachment" or part.get_filename():
            continue
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html"):
            continue
        raw = part.get_payload(decode=True)
        said = _text(raw, part.get_content_charset() or "utf-8") if isinstance(raw, bytes) else ""
        if kind == "text/html" and not html:
            html = said
        elif kind == "text/plain":
            plain = f"{plain}\n{said}" if plain else said
    return (html, True) if html.strip() else (plain, False)


def _date(message: email.message.Message) -> str:
    try:
        return parsedate_to_datetime(str(message.get("Date") or "")).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return str(message.get("Date") or "")


def _kind(message: email.message.Message, body: str) -> Kind:
    headers = {name: str(value) for name, value in message.items()}
    if message.get_content_type() == "multipart/report":
        return "auto_reply"
    if str(message.get("X-Spam-Flag") or "").strip().lower() == "yes":
        return "spam"
    precedence = str(message.get("Precedence") or "").strip().lower()
    if precedence in ("bulk", "junk", "auto_reply") or is_auto_reply(body[:5000], headers):
        return "auto_reply"
    return "draft" if "draft" in str(message.get("X-Gmail-Labels") or "").lower() else "public"
