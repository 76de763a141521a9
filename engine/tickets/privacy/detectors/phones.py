"""Decides whether a run of digits is a telephone number of a country, with Google's numbering plans (phonenumbers)."""

import re
from functools import lru_cache

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    format_number,
    is_possible_number,
    is_valid_number,
    number_type,
    parse,
)

_NANP = re.compile(r"(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}")
_NANP_COUNTRIES = frozenset({"US", "CA", "PR"})
_BARE_COUNTRIES = frozenset({"IN", "CN", "JP", "BR", *_NANP_COUNTRIES})
"""Where people write their number as ten or eleven digits in one, as often as not."""
_FEWEST_BARE = 10
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_AMOUNT = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,2}(?: \d{3}){1,2}|\d+\.\d+")
"""1.234.567, 12 345 678 and 40.712776 are amounts."""
_SHORTEST_WITH_TRUNK = 9
"""Digits, the leading 0 included; below it, dates and article numbers outnumber telephones."""
_SHORTEST, _LONGEST = 7, 15
"""Digits of a number that is announced as a telephone number; 15 is the limit of ITU-T E.164."""


def could_be_phone(written: str) -> bool:
    """Say whether a run of digits may be a telephone number, where the words before say that it is."""
    digits = re.sub(r"\D", "", written)
    return _SHORTEST <= len(digits) <= _LONGEST and len(set(digits)) > 1 and not _AMOUNT.fullmatch(written)


def is_north_american(written: str) -> bool:
    """Say whether digits are grouped as in North America: 1.212.555.0123."""
    return _NANP.fullmatch(written) is not None


@lru_cache(maxsize=8192)
def is_phone(written: str, country: str | None) -> bool:
    """Say whether a run of digits is a telephone number by its form alone.

    Args:
        written: Digits with their separators, ``+`` and brackets.
        country: ISO 3166 code in upper case whose national numbers count; None for none but the North American form.
    """
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        number = _parsed(written, None)
        return number is not None and is_possible_number(number)
    if digits.startswith("00"):
        number = _parsed(f"+{digits[2:]}", None)
        return number is not None and is_valid_number(number)
    if country in _NANP_COUNTRIES and len(digits) == len(written) == _FEWEST_BARE:
        number = _parsed(written, country)
        return number is not None and is_valid_number(number)
    if country is None or country in _NANP_COUNTRIES:
        number = _parsed(written, "US") if _NANP.fullmatch(written) else None
        return number is not None and is_valid_number(number)
    return not _AMOUNT.fullmatch(written) and _is_national(written, digits, country)


def _is_national(written: str, digits: str, country: str) -> bool:
    number = _parsed(written, country)
    if number is None or not is_possible_number(number):
        return False
    is_valid, grouped = is_valid_number(number), len(written) > len(digits)
    national = re.sub(r"\D", "", format_number(number, PhoneNumberFormat.NATIONAL))
    if digits.startswith("0") and national.startswith("0"):
        # The plans change every month and leave out the ranges kept for films: a trunk 0 and groups are enough.
        return len(digits) >= _SHORTEST_WITH_TRUNK and (is_valid or grouped)
    if country in _BARE_COUNTRIES and len(digits) >= _FEWEST_BARE and number_type(number) in _MOBILE:
        return is_valid and digits == national.removeprefix("0")
    return is_valid and grouped and digits == national


def _parsed(written: str, country: str | None) -> PhoneNumber | None:
    try:
        return parse(written, country)
    except NumberParseException:
        return None
