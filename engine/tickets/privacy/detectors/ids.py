"""Finds numbers that the words before call so: 'My SSN is', 'DNI:', '身份证号'; by choice 'order', 'Kundennummer'.

Whatever follows such a label and looks like a number is one, right checksum or not: people mistype, and no checksum is
known for passports and driving licences.
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.labels import UNSPACED, labels
from engine.tickets.privacy.detectors.national_ids import compacted
from engine.tickets.privacy.detectors.spans import Covered, Kind, Span

_SHORTEST, _LONGEST = 5, 24
"""Letters and digits of an official number."""
_FEWEST_DIGITS = 4
_WHOLE = 7
"""Letters and digits of a first group that is the whole number, unless a sign joins it to the next."""
_GROUP = re.compile(r"[A-Za-z0-9]{1,24}")
_JOINT = re.compile("[ \u00a0]?[./\u00a0-][ \u00a0]?|[ \u00a0]{1,2}")
_MOST_GROUPS = 9


def find_labelled_ids(forms: Forms, covered: Covered) -> Iterator[Span]:
    """Yield official numbers that a label announces; identity is without separators.

    Args:
        forms: The message.
        covered: Links: digits in there are part of an address.
    """
    yield from _labelled(forms, covered, "id_labels", "ID")


def find_order_numbers(forms: Forms, covered: Covered) -> Iterator[Span]:
    """Yield the numbers of orders, invoices and customers that a label announces; arguments as above."""
    yield from _labelled(forms, covered, "number_labels", "NUMBER")


def _labelled(forms: Forms, covered: Covered, table: str, kind: Kind) -> Iterator[Span]:
    for label in labels(table).find(forms):
        end = _end_of_number(forms.plain, label.value)
        if end is not None and not covered.holds(label.value):
            yield Span(label.value, end, kind, compacted(forms.plain[label.value : end]))


def _end_of_number(plain: str, start: int) -> int | None:
    """Return where a number that begins at a place ends; None where no number begins."""
    end, position, letters_and_digits = start, start, 0
    for _ in range(_MOST_GROUPS):
        group = _GROUP.match(plain, position)
        if group is None or not _belongs(group[0]) or letters_and_digits + len(group[0]) > _LONGEST:
            break
        end, letters_and_digits = group.end(), letters_and_digits + len(group[0])
        joint = _JOINT.match(plain, end)
        if joint is None or (joint[0].isspace() and end - start == letters_and_digits >= _WHOLE):
            break
        position = joint.end()
    written = plain[start:end]
    digits = sum(character.isdigit() for character in written)
    goes_on = end < len(plain) and ((plain[end].isalnum() and not UNSPACED.match(plain[end])) or plain[end] in "@_")
    is_number = letters_and_digits >= _SHORTEST and digits >= _FEWEST_DIGITS and not goes_on
    return end if is_number else None


def _belongs(group: str) -> bool:
    """Say whether a group is part of a number: it has a digit, or is a few capitals such as 'RSS' or 'X'."""
    return any(character.isdigit() for character in group) or (len(group) <= 3 and group.isupper())
