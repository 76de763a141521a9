"""Finds dates of birth: a date, in figures or words, that the words before call one. Any other date stays."""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.labels import labels
from engine.tickets.privacy.detectors.spans import Span

_MONTH = r"[^\W\d_]{3,12}"
_OF = r"(?:\s?(?:de|del|of|di|da)\s)?"
_DATE = re.compile(
    rf"""
      \d{{1,4}} \s?[./-]\s? \d{{1,2}} \s?[./-]\s? \d{{1,4}}                      # 12/03/1980, 1980-03-12, 12. 3. 80
    | \d{{1,2}} (?:st|nd|rd|th|er|\.|º)? [\s.-]{{0,2}} {_OF} {_MONTH} [\s.,'-]{{0,2}} {_OF} (?:\d{{4}}|\d{{2}})
    | {_MONTH} \s \d{{1,2}} (?:st|nd|rd|th)? ,? \s (?:\d{{4}}|\d{{2}})            # March 12th, 1980
    | \d{{4}} [\s.,]{{1,2}} {_MONTH} \s \d{{1,2}}                                 # 1980. március 12
    | \d{{2,4}} \s?[年년]\s? \d{{1,2}} \s?[月월]\s? \d{{1,2}} \s?[日일]?
    | (?:19|20)\d{{6}} | \d{{8}} | \d{{6}}
    """,
    re.VERBOSE,
)


def find_birth_dates(forms: Forms) -> Iterator[Span]:
    """Yield dates of birth; identity is the date as written, without spaces.

    Args:
        forms: The message; it holds digits.
    """
    for label in labels("birth_labels").find(forms):
        match = _DATE.match(forms.plain, label.value)
        if match and not (match.end() < len(forms.plain) and forms.plain[match.end()].isdigit()):
            yield Span(match.start(), match.end(), "BIRTHDATE", re.sub(r"\s", "", match[0]).lower())
