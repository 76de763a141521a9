"""Finds telephone numbers, payment cards and IBANs among all the digits of a ticket.

One scan yields runs of digits; cards and IBANs must pass their checksum, telephone numbers must be real ones of the
country, written like one, or be announced as one. What the words before call an order or a ticket stays.
"""

import re
from collections.abc import Iterator
from typing import Literal

from engine.tickets.privacy.detectors.number_context import (
    is_called_card,
    is_called_order_after,
    is_called_phone,
    is_computed,
    is_order_number,
)
from engine.tickets.privacy.detectors.phones import could_be_phone, is_north_american, is_phone
from engine.tickets.privacy.detectors.spans import Covered, Span

_NO_LETTER_BEFORE = "(?<![A-Za-z0-9\u00c0-\u024f_@#$€£])"
_SEPARATOR = r"[ \u00a0\u2009\u202f.()/\u2010-\u2013-]"
_NumberKind = Literal["CARD", "PHONE"]
_MOST_PIECES = 8
"""Groups of digits in a row; what has more is a table."""
_RUN = re.compile(rf"{_NO_LETTER_BEFORE}(?:\+ ?|\()?\d(?:{_SEPARATOR}{{0,3}}\d){{6,27}}")
# Cards with other signs between their groups, or a group a line; a run of digits takes no line end.
_BETWEEN = r"[ \u00a0./\n-]{1,3}"
_CARD_IN_GROUPS = re.compile(
    rf"{_NO_LETTER_BEFORE}(?:\d{{4}}(?:{_BETWEEN}\d{{4}}){{3}}|3\d{{3}}{_BETWEEN}\d{{6}}{_BETWEEN}\d{{5}})"
    r"(?!\d|[.-]\d)"
)
# The check digits, which are rarer than letters; the country stands before them.
_IBAN_CHECK = re.compile(r"\d{2}[ \u00a0./\n-]{0,2}[A-Za-z0-9]{2}")
_IBAN_COUNTRY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=IBAN))[A-Za-z]{2}[ \u00a0]?$")
_IBAN_WORD = len("IBANDE ")
_IBAN_SEPARATORS = frozenset(" \u00a0-./\n")
_MOST_SEPARATORS = 2
_PIECES = re.compile(r"[^\s\u00a0\u2009\u202f]+")

_DATE = re.compile(r"^(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2})(?!\d|[./-]\d)")
_UNIT_AFTER = re.compile(
    r"^(?: ?[€$£%°]|,\d| ?(?:EUR|USD|GBP|CHF|PLN|Kč|kr|kg|g|km|cm|mm|m|px|[KMGT]i?B|bytes?|ms|units?|points?|pcs"
    r"|Stück|rows?|users?)\b|[A-Za-z_@])"
)

# The rest of an IBAN whose checksum fails, and of one that is cut by a line end.
_INSIDE_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]{4}){0,6}[ \u00a0-]?$")
_IBAN_CHARACTERS = 42

# Total characters of an IBAN by country: SWIFT IBAN Registry, release 99.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("DJ", "FR", "GR", "IT", "MC", "MR", "SM", "BI"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
# Issuer prefixes and lengths, ISO/IEC 7812 as the networks publish them.
_CARD = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14,17}|6(?:011|5"
    r"|4[4-9])\d{12,16}"
    r"|62\d{14,17}|(?:50|5[6-9]|6\d)\d{10,17}"
)
_CARD_GROUPS = re.compile(
    r"\d{4}(?:[ \u00a0-]{1,3}\d{4}){2,4}(?:[ \u00a0-]{1,3}\d{1,3})?|\d{4}[ \u00a0-]{1,3}\d{6}[ \u00a0-]{1,3}\d{4,5}"
)
"""How cards are printed; 302-7654301-1234567 is an order."""
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,5})*\.\d(?:\.\d{1,5})*|\d(?:\.\d{1,5}){2,}")
"""Numbers between dots of which one has a single digit: 18.16.2.2749."""
_PART_OF_A_WORD = re.compile(
    r"(?<![^\W_])(?!(?:tel|t|m|f|fax|mob|mobile?|phone|fon|telefon|handy|p|cell)[-_/]$)[A-Za-z]{1,10}[-_/]$",
    re.IGNORECASE,
)
"""'ORD-' before digits makes them part of a code, 'Tel-' does not."""
_CODE = 12
_LONG_OLD_CARD = re.compile(r"4\d{12}")


def find_ibans(text: str) -> Iterator[Span]:
    """Yield IBANs of the right length for their country that pass ISO 7064 mod 97; identity is without spaces."""
    for check in _IBAN_CHECK.finditer(text):
        country = _IBAN_COUNTRY.search(text[max(0, check.start() - _IBAN_WORD) : check.start()])
        length = _IBAN_LENGTHS.get(country[0][:2].upper()) if country else None
        start = check.start() - len(country[0]) if country else 0
        end = _end_of(text, start, length) if length else None
        if end:
            compact = re.sub(r"[\s\u00a0./-]", "", text[start:end]).upper()
            if int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1:
                yield Span(start, end, "IBAN", compact)


def find_numbers(text: str, country: str | None, covered: Covered) -> Iterator[Span]:
    """Yield payment cards and telephone numbers; identity is the digits.

    Args:
        text: The message.
        country: ISO 3166 code, upper case, whose national numbers are known; None for international ones only, unless
            the words before say that it is a telephone number.
        covered: Links, IP addresses, IBANs: digits in there are settled.
    """
    in_groups = []
    for match in _CARD_IN_GROUPS.finditer(text):
        digits = _digits(match[0])
        if _CARD.fullmatch(digits) and _luhn(digits) and not covered.holds(match.start()):
            in_groups.append(match.span())
            yield Span(*match.span(), "CARD", digits)
    cards = Covered(in_groups)
    for match in _RUN.finditer(text):
        if covered.holds(match.start()) or cards.touches(*match.span()):
            continue
        start, end = match.span()
        whole = _kind_of(text, start, end, country, called=is_called_phone(text, start))
        if whole:
            yield Span(start, end, whole, _digits(text[start:end]))
        elif " " in match[0]:
            yield from _in_pieces(text, start, end, country)


def _in_pieces(text: str, start: int, end: int, country: str | None) -> Iterator[Span]:
    """Look at neighbouring pieces of a run that is more than one number, longest stretch first."""
    pieces = [(start + piece.start(), start + piece.end()) for piece in _PIECES.finditer(text[start:end])]
    if len(pieces) > _MOST_PIECES:
        return
    first = 0
    while first < len(pieces):
        called = first == 0 and is_called_phone(text, start)
        for last in range(len(pieces) - 1, first - 1, -1):
            begin, stop = pieces[first][0], pieces[last][1]
            kind = _kind_of(text, begin, stop, country, called=called) if _RUN.fullmatch(text, begin, stop) else None
            if kind:
                yield Span(begin, stop, kind, _digits(text[begin:stop]))
                first = last
                break
        first += 1


def _kind_of(text: str, start: int, end: int, country: str | None, *, called: bool) -> _NumberKind | None:
    """Say what a stretch of digits is; the dear questions about the words before come last."""
    written = text[start:end]
    digits = _digits(written)
    grouped = len(digits) != len(written)
    if _PART_OF_A_WORD.search(text[max(0, start - _CODE) : start]):
        return None
    if 13 <= len(digits) <= 19 and _is_card(written, digits, text, start):
        return "CARD" if grouped or not is_order_number(text, start) else None
    if not (is_phone(written, country) or (called and could_be_phone(written))):
        return None
    if _VERSION.fullmatch(written) and not called and not is_north_american(written):
        return None
    if not called and is_computed(text, start, end, grouped):
        return None
    if len(digits) > 15 or _DATE.match(written) or _UNIT_AFTER.match(text[end : end + 8]):
        return None
    inside_iban = _INSIDE_IBAN.search(text[max(0, start - _IBAN_CHARACTERS) : start])
    is_order = is_order_number(text, start) or (not grouped and not called and is_called_order_after(text, end))
    return None if inside_iban or is_order else "PHONE"


def _is_card(written: str, digits: str, text: str, start: int) -> bool:
    if re.search(r"[^\d \u00a0-]", written) or not _luhn(digits):
        return False
    if len(written) > len(digits) and not _CARD_GROUPS.fullmatch(written):
        return False
    if _CARD.fullmatch(digits):
        return len(digits) >= 15 or is_called_card(text, start) or written.count(" ") + written.count("-") in (2, 3)
    return _LONG_OLD_CARD.fullmatch(digits) is not None and is_called_card(text, start)


def _luhn(digits: str) -> bool:
    doubled = "".join(str(int(digit) * (2 - place % 2)) for place, digit in enumerate(digits[::-1], 1))
    return sum(map(int, doubled)) % 10 == 0 and digits.count(digits[0]) != len(digits)


def _end_of(text: str, start: int, length: int) -> int | None:
    """Return where so many letters and digits end, with few separators between them; None where they do not."""
    digits, separators, position = 0, 0, start
    while position < len(text) and digits < length:
        character = text[position]
        if character.isascii() and character.isalnum():
            digits, separators = digits + 1, 0
        else:
            separators += 1
            if character not in _IBAN_SEPARATORS or separators > _MOST_SEPARATORS:
                return None
        position += 1
    ends_a_word = position == len(text) or not text[position].isalnum()
    return position if digits == length and ends_a_word else None


def _digits(written: str) -> str:
    return re.sub(r"\D", "", written)
