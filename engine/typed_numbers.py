"""Numbers as people type them: with a comma or a point, thousands in groups, an exponent.

Half of the world writes 0,0002 where the other half writes 0.0002, and each reads the other's '1,000' as another
number. What can mean one thing only is read; what can mean two is refused, and both are named.
"""

import math
import re
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<digits>\d[\d.,' ]*|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?")
_GROUPS = re.compile(r"[1-9]\d{0,2}(?:(?P<mark>[.,' ])\d{3})(?:(?P=mark)\d{3})*")
"""A whole number in groups of three: 1,000 or 131.072 or 1 000 000."""
_FROM_ELSEWHERE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'", "\u2212": "-"})
"""Spaces, apostrophes and the minus as word processors write them."""


class AmbiguousNumberError(ValueError):
    """A text that is one number to some people and another one to others; its message names both."""


def read_float(text: str) -> float:
    """Read a number: '0.0002', '0,0002', '2e-4', '1.234,5', '1 000'.

    Raises:
        AmbiguousNumberError: A comma stands before the only three decimals: '1,000' may be 1 and may be 1000.
        ValueError: It is no number.
    """
    sign, whole, fraction, exponent, mark = _parts(text)
    if mark == "," and _is_group(whole, fraction) and not exponent:
        raise AmbiguousNumberError(f"may be {whole}.{fraction} and may be {whole}{fraction}")
    return float(f"{sign}{whole}.{fraction}{exponent}")


def read_whole(text: str) -> int:
    """Read a whole number: '512', '1,000' as this program writes it, '131 072', '16.0'.

    Raises:
        AmbiguousNumberError: A point stands before the only three decimals: '1.000' may be 1 and may be 1000.
        ValueError: It is no whole number.
    """
    sign, whole, fraction, exponent, mark = _parts(text)
    if mark and _is_group(whole, fraction) and not exponent:
        if mark == ".":
            raise AmbiguousNumberError(f"may be {whole}.{fraction} and may be {whole}{fraction}")
        return int(f"{sign}{whole}{fraction}")
    value = float(f"{sign}{whole}.{fraction}{exponent}")
    if not value.is_integer():
        raise ValueError(f"{text} is no whole number")
    return int(value)


def plain(value: float, *, groups: bool = True) -> str:
    """Write a number without an exponent: '1,000,000', '0.0000001'; with ``groups`` off as one would type it."""
    if not math.isfinite(value):
        return str(value)
    whole = value == int(value)
    return format(Decimal(int(value)) if whole else Decimal(repr(value)), ",f" if groups else "f")


def short(value: float) -> str:
    """Write a number by its first two digits that count, without an exponent: '0.00004' for 3.9999e-05."""
    return plain(float(f"{value:.2g}"))


def signed(value: float, digits: int = 0) -> str:
    """Write a difference with its sign, a true minus: '+1.20', '−0.5'; what rounds to nothing has none."""
    text = f"{abs(value):.{digits}f}"
    sign = "" if not float(text) else MINUS if value < 0 else "+"
    return f"{sign}{text}"


def _parts(text: str) -> tuple[str, str, str, str, str]:
    """Take a number apart: sign, digits before the decimal mark, digits after it, exponent, the only mark in it."""
    number = _NUMBER.fullmatch(text.translate(_FROM_ELSEWHERE).strip())
    if number is None:
        raise ValueError(f"{text!r} is no number")
    digits = number["digits"]
    marks = [character for character in digits if character in ".,"]
    decimal = marks[-1] if marks and marks.count(marks[-1]) == 1 else ""
    whole, _, fraction = digits.rpartition(decimal) if decimal else (digits, "", "")
    if not (whole.isdigit() or _GROUPS.fullmatch(whole) or (decimal and not whole)) or not (fraction + "0").isdigit():
        raise ValueError(f"{text!r} is no number")
    only = decimal if whole.isdigit() else ""
    return number["sign"], re.sub(r"\D", "", whole) or "0", fraction, number["exponent"] or "", only


def _is_group(whole: str, fraction: str) -> bool:
    """Whether the decimals may be a group of three that belongs to the digits before them."""
    return len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0")
