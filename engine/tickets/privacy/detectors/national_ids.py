"""Knows official numbers by their form and checksum: who issues them, how they are written, when one is real.

A form that only letters, dates or separators make, or whose checksum leaves one in a hundred, stands for itself. Plain
digits with a weaker checksum are an official number only in the country that issues them; elsewhere the words before
must say so (:mod:`engine.tickets.privacy.detectors.ids`). Rules from the issuers' public specifications.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from engine.tickets.privacy.detectors.checksums import luhn, mod_11_10, verhoeff, weighted
from engine.tickets.privacy.detectors.number_context import is_order_number
from engine.tickets.privacy.detectors.spans import Covered, Span

_LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_OF_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD_OF_CODICE = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2 + [0] * 16, strict=True)
)
_ODD_OF_CODICE.update(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


class Rule(NamedTuple):
    """One kind of official number."""

    countries: frozenset[str]
    """Where its bare digits count; empty: everywhere, its form is distinctive enough."""
    form: re.Pattern[str]
    is_real: Callable[[str], bool]
    """Whether the letters and digits, without separators, in capitals, make a real one."""


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return 1900 <= date(year, month, day).year <= date.today().year
    except ValueError:
        return False


def _is_short_date(year: str, month: str, day: str) -> bool:
    """Say whether two digits a part make a date of the 20th or the 21st century."""
    return _is_date(1900 + int(year), int(month), int(day)) or _is_date(2000 + int(year), int(month), int(day))


def _ssn(compact: str) -> bool:
    return compact[:3] not in ("000", "666") and compact[0] != "9" and compact[3:5] != "00" and compact[5:] != "0000"


def _dni(compact: str) -> bool:
    digits = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return _LETTERS_OF_DNI[int(digits) % 23] == compact[-1]


def _cpf(compact: str) -> bool:
    first = weighted(compact, range(10, 1, -1), 11)
    second = weighted(compact, range(11, 1, -1), 11)
    checks = [0 if rest < 2 else 11 - rest for rest in (first, second)]
    return len(set(compact)) > 1 and compact[9:] == "".join(map(str, checks))


def _cnpj(compact: str) -> bool:
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    values = [ord(character) - 48 for character in compact]
    for place, table in ((12, weights[1:]), (13, weights)):
        rest = sum(value * weight for value, weight in zip(values, table, strict=False)) % 11
        if values[place] != (0 if rest < 2 else 11 - rest):
            return False
    return len(set(compact)) > 1


def _codice_fiscale(compact: str) -> bool:
    total = 0
    for place, character in enumerate(compact[:15]):
        even = int(character) if character.isdigit() else ord(character) - 65
        total += even if place % 2 else _ODD_OF_CODICE[character]
    return chr(total % 26 + 65) == compact[15]


def _chinese(compact: str) -> bool:
    check = "10X98765432"[weighted(compact, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11)]
    return _is_date(int(compact[6:10]), int(compact[10:12]), int(compact[12:14])) and check == compact[17]


def _aadhaar(compact: str) -> bool:
    return len(set(compact)) > 1 and verhoeff(compact)


def _steuer_id(compact: str) -> bool:
    counts = sorted((compact[:10].count(digit) for digit in set(compact[:10])), reverse=True)
    return counts[0] in (2, 3) and counts[1:2] in ([], [1]) and mod_11_10(compact)


def _pesel(compact: str) -> bool:
    century, month = divmod(int(compact[2:4]), 20)
    year = (1900, 2000, 2100, 2200, 1800)[century] + int(compact[:2])
    is_real = _is_date(year, month, int(compact[4:6])) if month else False
    return is_real and (10 - weighted(compact, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)) % 10 == int(compact[10])


def _bsn(compact: str) -> bool:
    return weighted(compact, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0 and len(set(compact)) > 1


def _nhs(compact: str) -> bool:
    return (11 - weighted(compact, range(10, 1, -1), 11)) % 11 == int(compact[9]) and len(set(compact)) > 1


def _swedish(compact: str) -> bool:
    short = compact[-10:]
    day = int(short[4:6])
    return _is_short_date(short[:2], short[2:4], f"{day - 60 if day > 60 else day:02}") and luhn(short)


def _finnish(compact: str) -> bool:
    rest = int(compact[:6] + compact[-4:-1]) % 31
    return _is_short_date(compact[4:6], compact[2:4], compact[:2]) and _LETTERS_OF_HETU[rest] == compact[-1]


def _danish(compact: str) -> bool:
    return _is_short_date(compact[4:6], compact[2:4], compact[:2])


def _norwegian(compact: str) -> bool:
    first = weighted(compact, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11)
    second = weighted(compact, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11)
    day = int(compact[:2])
    return first == second == 0 and _is_short_date(compact[4:6], compact[2:4], f"{day - 40 if day > 40 else day:02}")


def _french(compact: str) -> bool:
    body = compact[:13].replace("2A", "19").replace("2B", "18")
    if not body.isdigit() or not (1 <= int(compact[3:5]) <= 12 or int(compact[3:5]) >= 20):
        return False
    return len(compact) == 13 or 97 - int(body) % 97 == int(compact[13:15])


def _belgian(compact: str) -> bool:
    rests = (97 - int(prefix + compact[:9]) % 97 for prefix in ("", "2"))
    return int(compact[9:]) in rests and int(compact[2:4]) % 20 <= 12


def _swiss(compact: str) -> bool:
    return compact[:3] == "756" and (10 - weighted(compact, (1, 3) * 6, 10)) % 10 == int(compact[12])


def _czech(compact: str) -> bool:
    month = int(compact[2:4]) % 50 % 20
    dated = _is_short_date(compact[:2], f"{month:02}", compact[4:6]) if month else False
    return dated and (len(compact) == 9 or int(compact) % 11 == 0 or int(compact[:9]) % 11 == 10)


def _romanian(compact: str) -> bool:
    rest = weighted(compact, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11)
    return _is_short_date(compact[1:3], compact[3:5], compact[5:7]) and rest % 10 == int(compact[12]) and rest < 11


def _turkish(compact: str) -> bool:
    values = [int(digit) for digit in compact]
    tenth = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return values[0] != 0 and values[9] == tenth and values[10] == sum(values[:10]) % 10


def _korean(compact: str) -> bool:
    return _is_short_date(compact[:2], compact[2:4], compact[4:6])


def _south_african(compact: str) -> bool:
    return _is_short_date(compact[:2], compact[2:4], compact[4:6]) and luhn(compact)


def _cuit(compact: str) -> bool:
    return (11 - weighted(compact, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11)) % 11 % 10 == int(compact[10])


def _rut(compact: str) -> bool:
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(compact[:-1])))
    return "0123456789K"[(11 - total % 11) % 11] == compact[-1]


def _oib(compact: str) -> bool:
    return mod_11_10(compact)


def _always(compact: str) -> bool:
    return len(set(compact)) > 1


def _rule(countries: str, form: str, is_real: Callable[[str], bool]) -> Rule:
    return Rule(frozenset(countries.split()), re.compile(rf"(?:{form})(?![\w@]|[.-]\d|[ \u00a0]\d{{2}})"), is_real)


# Where one may begin: a word in which six digits are not far apart.
_START = re.compile(r"(?<![\w.@#-])(?=[A-Z]{0,6}(?:[A-Z ./+\u00a0-]{0,2}\d){6})[\dA-Z]")

_S = r"[ \u00a0]"
RULES = (
    # Written so that nothing else is: the form stands for itself.
    _rule("", r"\d{3}-\d{2}-\d{4}", _ssn),
    _rule("", r"(?:\d{8}|[XYZ]\d{7})-?[A-Z]", _dni),
    _rule("", r"\d{3}\.\d{3}\.\d{3}-\d{2}", _cpf),
    _rule("", r"[\dA-Z]{2}\.[\dA-Z]{3}\.[\dA-Z]{3}/[\dA-Z]{4}-\d{2}", _cnpj),
    _rule("", r"[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPR-T][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]", _codice_fiscale),
    _rule("", r"[1-9]\d{16}[\dX]", _chinese),
    _rule("", rf"[2-9]\d{{3}}(?:{_S}\d{{4}}){{2}}|[2-9]\d{{3}}(?:-\d{{4}}){{2}}", _aadhaar),
    _rule("", rf"\d{{2}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", _steuer_id),
    _rule("", r"(?:19|20)?\d{6}[-+]\d{4}", _swedish),
    _rule("", r"\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]", _finnish),
    _rule("", rf"\d{{6}}{_S}?\d{{5}}", _norwegian),
    _rule("", rf"[12](?:{_S}?\d\d){{2}}{_S}?(?:\d\d|2[AB])(?:{_S}?\d{{3}}){{2}}{_S}?\d\d", _french),
    _rule("", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _belgian),
    _rule("", r"756\.?\d{4}\.?\d{4}\.?\d{2}", _swiss),
    _rule("", r"\d{6}/\d{4}", _czech),
    _rule("", r"[1-8]\d{12}", _romanian),
    _rule("", r"\d{6}-[1-8]\d{6}", _korean),
    _rule("", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[\dA-Z]\d", _always),
    _rule("", r"\d{2}-\d{8}-\d", _cuit),
    _rule("", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", _rut),
    _rule("", rf"(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z]{_S}\d{{2}}{_S}\d{{2}}{_S}\d{{2}}{_S}[A-D]", _always),
    # Bare digits with a checksum: only at home.
    _rule("BR", r"\d{11}", _cpf),
    _rule("DE", r"[1-9]\d{10}", _steuer_id),
    _rule("PL", r"\d{11}", _pesel),
    _rule("NL", r"\d{9}", _bsn),
    _rule("GB", rf"\d{{3}}{_S}\d{{3}}{_S}\d{{4}}", _nhs),
    _rule("TR", r"[1-9]\d{10}", _turkish),
    _rule("HR", r"\d{11}", _oib),
    _rule("ZA", r"\d{13}", _south_african),
    _rule("IN", r"[2-9]\d{11}", _aadhaar),
    _rule("DK", r"\d{6}-\d{4}", _danish),
    _rule("IN", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", _always),
    _rule("GB", r"(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z]\d{6}[A-D]", _always),
)


def find_national_ids(plain: str, country: str | None, covered: Covered) -> Iterator[Span]:
    """Yield official numbers that are known by their form; identity is without separators.

    Args:
        plain: The message with half-width digits; it holds six digits or more.
        country: ISO 3166 code, upper case; None for none known.
        covered: Links: digits in there are part of an address.
    """
    position = 0
    while match := _START.search(plain, position):
        span = None if covered.holds(match.start()) else _at(plain, match.start(), country)
        position = span.end if span else match.end()
        if span:
            yield span


def _at(plain: str, start: int, country: str | None) -> Span | None:
    for rule in RULES:
        if rule.countries and country not in rule.countries:
            continue
        match = rule.form.match(plain, start)
        if match and rule.is_real(compacted(match[0])):
            return None if is_order_number(plain, start) else Span(start, match.end(), "ID", compacted(match[0]))
    return None


def compacted(written: str) -> str:
    """Return an official number without its separators, in capitals."""
    return re.sub(r"[\W_]", "", written).upper()
