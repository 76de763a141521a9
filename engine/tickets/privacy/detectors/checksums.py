"""Checksums of official numbers, each from the specification that its issuer publishes. Plain arithmetic, no tables."""

from collections.abc import Sequence

_VERHOEFF_PRODUCT = (
    *("0123456789", "1234067895", "2340178956", "3401289567", "4012395678"),
    *("5987604321", "6598710432", "7659821043", "8765932104", "9876543210"),
)
_VERHOEFF_SHIFT = (
    *("0123456789", "1576283094", "5803796142", "8916043527"),
    *("9453126870", "4286573901", "2793806415", "7046913258"),
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812 annex B: payment cards, Swedish personal numbers, Canadian SINs."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """Verhoeff's scheme over the dihedral group of order ten: Aadhaar."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_SHIFT[place % 8][int(digit)])])
    return check == 0


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """Return the weighted sum of the first digits, modulo ``modulus``."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def mod_11_10(digits: str) -> bool:
    """ISO 7064 mod 11,10: German tax numbers, Croatian OIB."""
    product = 10
    for digit in digits[:-1]:
        product = (int(digit) + product) % 10 or 10
        product = product * 2 % 11
    return (11 - product) % 10 == int(digits[-1])
