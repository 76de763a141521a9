"""Characters and white space: what is left to mend once there is no markup any more.

Owns line ends, control and zero-width characters, HTML entities in plain text, mojibake and blank lines. It does not
know what a quote or a signature is. Every function is linear in the length of its input and raises nothing.
"""

import quopri
import re
import unicodedata
from html import unescape

from ftfy import fix_encoding

QUOTED = "\ue000"
"""Private-use mark on a line of its own: 'a quoted message stood here'; :func:`sanitise` takes it out of any input."""

# Zero-width joiner and non-joiner stay: emoji families and Persian need them.
_DROPPED = dict.fromkeys([*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0xAD, 0x200B, 0x2060, 0xFEFF])
# A C1 control in a ticket is Windows-1252 that was read as Latin-1: 0x92 is an apostrophe.
_C1 = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0)}
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F], " ")
_LINE_ENDS = dict.fromkeys([0x0C, 0x0D, 0x2028, 0x2029], "\n")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_CHARACTERS = {**_DROPPED, **_C1, **_SPACES, **_LINE_ENDS, **_SURROGATES, ord(QUOTED): None}
# Only what the table above changes: most messages hold none of it, and str.translate costs 40 times this search.
_SUSPICIOUS_ASCII = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SUSPICIOUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\ud800-\udfff\ue000\ufeff]"
)

# With the semicolon only: html.unescape would also turn '?a=1&copy=2' into a copyright sign.
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
# What people type never holds these, but for a text about HTML itself; '&lt;' and '&copy;' they do write.
_TWICE_ESCAPED = re.compile(
    r"&(?:#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5}|nbsp|quot|apos|amp|[lr][sd]quo|[ns]bquo|[nm]dash|hellip|bull|euro|middot|deg"
    r"|[A-Za-z](?:uml|acute|grave|circ|tilde|cedil|ring)|szlig|[aoAO]?[eE]lig|[oO]slash|[lr]aquo|iexcl|iquest);"
)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)

# A mail body that nobody decoded: soft line breaks and bytes in hexadecimal.
_SOFT_BREAK = re.compile(r"=\r?\n")
_HEX_BYTE = re.compile(r"=(?:[89A-F][0-9A-F]|20|3D)")
_ENOUGH_SOFT_BREAKS = 2

# UTF-8 read as Windows-1252, Latin-1 or Windows-1251; the search is what keeps ftfy away from healthy text.
_MOJIBAKE = re.compile(
    "[\u00c2\u00c3\u00c5\u00c4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    "|\u00e2[\u0080\u201a\u20ac]|\u00ef\u00bb\u00bf|\u00f0\u0178|(?:[\u00d0\u00d1][\u0080-\u00bf\u2010-\u203a]){2}"
)
_MOJIBAKE_LINE_CHARS = 5_000

_WORD = re.compile("[^\\W_]|[\u2190-\u2bff\U0001f000-\U0001faff]")
_BLANK_LINES = re.compile(r"\n{3,}")
# Two spaces after a full stop go; three and more line something up (logs, tables, drawings).
_DOUBLE_SPACE = re.compile(r"(?<=[^\s])[ \t]{2}(?=[^\s])")


def sanitise(text: str) -> str:
    """Replace what no reader sees: control and zero-width characters, odd spaces, odd line ends, lone surrogates.

    Args:
        text: Any string; it may hold NULs and lone surrogates.

    Returns:
        Text that encodes as UTF-8, with line feeds as its only line ends.
    """
    if not (_SUSPICIOUS_ASCII if text.isascii() else _SUSPICIOUS).search(text):
        return text
    return text.replace("\r\n", "\n").translate(_CHARACTERS)


def unescape_entities(text: str) -> str:
    """Turn HTML entities into characters, in plain text that an export escaped once or twice.

    Args:
        text: Plain text. Only entities with their semicolon count, so that query strings survive.
    """
    if "&" not in text:
        return text
    return unescape_again(_ENTITY.sub(_character, text))


def unescape_again(text: str) -> str:
    """Turn entities into characters that are still there when markup is gone: the export had escaped them twice.

    Args:
        text: Plain text or Markdown; what stands in code stays as it is.
    """
    if "&" not in text or not _TWICE_ESCAPED.search(text):
        return text
    if "`" not in text:
        return _TWICE_ESCAPED.sub(_character, text)
    pieces = _CODE.split(text)
    pieces[::2] = [_TWICE_ESCAPED.sub(_character, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _character(match: re.Match[str]) -> str:
    return unescape(match[0])


def decode_quoted_printable(text: str) -> str:
    """Undo quoted-printable that the mail reader of a help desk left in: 'gr=C3=BC=C3=9Fe' and '=' at the line ends.

    Args:
        text: Plain text. Without at least two soft line breaks and one encoded byte it comes back unchanged.
    """
    if "=\n" not in text and "=\r\n" not in text:
        return text
    if len(_SOFT_BREAK.findall(text)) < _ENOUGH_SOFT_BREAKS or not _HEX_BYTE.search(text):
        return text
    return quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def mend_mojibake(text: str) -> str:
    """Repair UTF-8 that was once read as a one-byte encoding; leave every other line alone.

    Args:
        text: Plain text. Lines over 5,000 characters stay as they are: they are logs or data, and ftfy is slow there.
    """
    if text.isascii() or not _MOJIBAKE.search(text):
        return text
    return "\n".join(
        fix_encoding(line) if len(line) <= _MOJIBAKE_LINE_CHARS and _MOJIBAKE.search(line) else line
        for line in text.split("\n")
    )


def tidy(text: str) -> str:
    """Normalise to NFC, cut trailing spaces, doubled spaces and more than one blank line in a row.

    Args:
        text: Plain text with line feeds as line ends; indentation and aligned columns are kept.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if " \n" in text or "\t\n" in text:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    if "  " in text:
        text = _DOUBLE_SPACE.sub(" ", text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip("\n").rstrip()


def has_words(text: str) -> bool:
    """Say whether somebody would call this an answer: one letter, digit or pictogram is enough.

    Args:
        text: Any text; the marks of :data:`QUOTED` do not count.
    """
    return _WORD.search(text) is not None
