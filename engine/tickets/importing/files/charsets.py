"""Bytes under a charset label -> text, read as browsers and mail programs read them.

A label names less than what is sent under it: mails marked gb2312 hold characters of GBK, those marked shift_jis the
ones that Microsoft added. The supersets are those of the WHATWG Encoding Standard (https://encoding.spec.whatwg.org),
which lists what is really sent. What cannot be read is counted, so that nobody learns from it.
"""

import codecs
import re
from dataclasses import dataclass

from engine.tickets.importing.files.encodings import guess_encoding

LOST = "\ufffd"
"""What stands for bytes that mean nothing in the encoding."""
ENOUGH_TO_GUESS = 20
"""Bytes beyond ASCII from which on a guess is better than the Western code page."""

_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-8": "cp1255",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "euc_jp": "euc_jis_2004",
    "iso2022_jp": "iso-2022-jp",
    "iso2022_jp_1": "iso-2022-jp",
    "iso2022_jp_2": "iso-2022-jp",
}
"""Python's name of a codec -> the codec that also reads what is sent under its label."""
_LABELS = {
    **dict.fromkeys(("x-sjis", "ms_kanji", "x-ms-cp932", "windows-932", "windows-31j"), "cp932"),
    **dict.fromkeys(("x-gbk", "x-euc-cn", "cn-gb", "gb_2312-80", "windows-936", "chinese"), "gb18030"),
    **dict.fromkeys(("ks_c_5601", "ks_c_5601-1987", "ks_c_5601-1989", "ksc_5601", "x-euc-kr", "windows-949"), "cp949"),
    **dict.fromkeys(("x-x-big5", "cn-big5", "big-5", "windows-950"), "big5hkscs"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e", "csiso88598i", "csiso88598e", "logical", "visual"), "cp1255"),
    **dict.fromkeys(("iso-8859-6-i", "iso-8859-6-e"), "iso8859-6"),
    **dict.fromkeys(("dos-874", "x-windows-874", "windows-874"), "cp874"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac"), "mac_roman"),
    **dict.fromkeys(("x-mac-cyrillic", "x-mac-ukrainian"), "mac_cyrillic"),
    **dict.fromkeys(("unicode-1-1-utf-8", "x-unicode20utf8", "utf8mb4", "utf-8mb4"), "utf-8"),
    **dict.fromkeys(("koi8-ru",), "koi8_u"),
    **dict.fromkeys(("koi", "koi8"), "koi8_r"),
    "x-euc-jp": "euc_jis_2004",
}
"""Labels that Python does not know, or takes for less."""
_CODE_PAGE = re.compile(r"(?:x-)?(?:cp|windows|win|ibm|dos)[-_ ]?(\d{3,5})")
_TO_JIS, _TO_ASCII = re.compile(rb"\x1b\$[@B]"), re.compile(rb"\x1b\([BJ]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what of its bytes could not be read."""

    text: str
    lost: int = 0
    """How many characters are U+FFFD instead of what was sent."""


def codec_of(label: str) -> str:
    """Return the codec for a charset label; empty for one that nobody knows.

    Args:
        label: As in a mail's header or a page's ``<meta>``: any case, quoted or not.
    """
    name = label.strip().strip("\"' ;").lower()
    if name in _LABELS:
        return _LABELS[name]
    if page := _CODE_PAGE.fullmatch(name):
        name = f"cp{page[1]}"
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not getattr(info, "_is_text_encoding", True):
        return ""
    return _SUPERSETS.get(info.name, info.name)


def decode(raw: bytes, label: str) -> Decoded:
    """Read bytes under a label; where it does not fit, as UTF-8, then as whatever they look like.

    Args:
        raw: The bytes.
        label: Their charset as the source says it; may be empty, unknown or wrong.
    """
    if raw.isascii() and b"\x1b" not in raw and codec_of(label) not in ("utf-7", "hz", "utf-16", "utf-32"):
        return Decoded(raw.decode("ascii"))
    codec = codec_of(label)
    # UTF-8 under a Western label is common, and Western text is never valid UTF-8
    for name in ("utf-8", codec) if codec in ("", "cp1252", "utf-8") else (codec, "utf-8"):
        if (text := _strictly(raw, name)) is not None:
            return Decoded(text)
    beyond_ascii = sum(byte > 127 for byte in raw)
    name = guess_encoding(raw) if codec in ("", "utf-8") and beyond_ascii >= ENOUGH_TO_GUESS else codec
    if name in ("", "utf-8") and beyond_ascii < ENOUGH_TO_GUESS:
        name = "cp1252"
    text = raw.decode("iso2022_jp_ext" if name == "iso-2022-jp" else name, "replace")
    return Decoded(text, text.count(LOST))


def _strictly(raw: bytes, codec: str) -> str | None:
    if not codec:
        return None
    try:
        return _iso_2022_jp(raw) if codec == "iso-2022-jp" else raw.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _iso_2022_jp(raw: bytes) -> str:
    """Read ISO-2022-JP with the characters that Microsoft's code page adds, such as circled digits (RFC 1468).

    Between ``ESC $ B`` and ``ESC ( B`` two bytes are a character of JIS X 0208; moved to where Shift JIS has them, its
    superset cp932 reads them.

    Raises:
        UnicodeDecodeError: It is something else, or has characters of other escapes.
    """
    first, *rest = _TO_JIS.split(raw)
    said = [first.decode("iso2022_jp_ext")]
    for piece in rest:
        ended = _TO_ASCII.search(piece)
        pairs, after = (piece[: ended.start()], piece[ended.end() :]) if ended else (piece, b"")
        said += (_shift_jis(pairs).decode("cp932"), after.decode("iso2022_jp_ext"))
    return "".join(said)


def _shift_jis(pairs: bytes) -> bytes:
    """Turn pairs of JIS bytes (0x21 to 0x7E) into Shift JIS."""
    moved = bytearray()
    plain = bytes(byte for byte in pairs if 0x21 <= byte <= 0x7E)
    for row, cell in zip(plain[::2], plain[1::2], strict=False):
        moved.append((row + 1) // 2 + (0x70 if row < 0x5F else 0xB0))
        moved.append(cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E)
    return bytes(moved)
