"""Recognises where a mail program says who wrote the older message: 'On Monday, Anna wrote:'.

A reply header has a date, an address or a verb, and little else: what remains when those, and the words that mail
programs put between them, are taken away is a name. A sentence leaves more ('On 3 March our driver wrote:'). Programs
break the header at any width, some (Polymail) put the address on lines of its own. Knows nothing of what is cut.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.tickets.cleaning.words import pattern, words

_MAX_LENGTH = 400
"""Characters; no header of any mail program is longer."""
_MAX_LINES = 7
"""Lines of a header that was broken at 30 characters."""
_MOST_OTHER_WORDS = 4
"""Words in small letters that are neither date nor verb, where an address stands among them: of languages unknown."""
_FEWEST_NAMES = 2
"""Capitalised words that make a writer where no address does; 'DHL wrote' is a sentence."""

BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
AFTER_COLON = " *_\t\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
COLONS = frozenset(":\uff1a")

VERB = rf"(?:(?<!\w)(?:{pattern('wrote')})(?!\w)|{pattern('wrote_unspaced')})"
WROTE_SOMEWHERE = re.compile(VERB, re.IGNORECASE)
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[:.]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2} ?[月日월일]")
ADDRESS = re.compile(r"<[^<>]{0,200}>|\S@\S|\[mailto:|\[email|\[name@", re.IGNORECASE)

_STARTS = pattern("reply_header_starts")
_TIMED = re.compile(r"\d{1,2}[:.h]\d{2}")
_OPENS_WITH_DATE = re.compile(
    rf"^[\W_]{{0,6}}(?:reply )?(?:(?:{_STARTS})(?!\w)|(?:[^\W\d_]{{1,14}}[.,]{{0,2}} ){{0,3}}\d)",
    re.IGNORECASE,
)
_OPENS_WITH_NAME = re.compile(
    rf"^[\W_]{{0,3}}(?:[^\W_][^\s<>@:]{{0,30}} ){{0,6}}[{BIDI}]?[<(\[]{{0,2}}[^\s<>@]{{1,80}}@"
)
_ZOHO = re.compile(rf"^-{{2,8}} .*{VERB} -{{2,8}}$", re.IGNORECASE)
_DATE_PARTS = re.compile(r"<[^<>]{0,200}>|\(?\[?\S{1,120}@\S{1,200}|\S*\d\S*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w.'\u2019/-]*")
_CASED = re.compile(r"[a-z\u00df-\u024f\u0370-\u03ff\u0430-\u04ff]")
_CITATION = re.compile(r"^\s*[\"'\u201c\u201e\u00ab\u2018\u300c]")

_HEADER_WORDS = words("reply_header")


class Attribution(NamedTuple):
    """A reply header that was found."""

    lines: int
    """How many lines it takes."""
    is_sure: bool
    """Whether it may cut off what follows although no '>' marks it."""


class Endings:
    """On which lines of a text a reply header may end: those with a colon, a rule of dashes, or a quote after them.

    Args:
        lines: The lines of the text.
        before_quotes: The lines that stand right before quoted ones.
    """

    def __init__(self, lines: Sequence[str], before_quotes: Sequence[int]) -> None:
        quoted_after = frozenset(before_quotes)
        self._next = [0] * (len(lines) + 1)
        following = self._next[-1] = len(lines) + _MAX_LINES
        for number in range(len(lines) - 1, -1, -1):
            if number in quoted_after or _may_end(lines[number]):
                following = number
            self._next[number] = following

    def after(self, index: int) -> int:
        """Return the first such line from ``index`` on; a number beyond the text where there is none."""
        return self._next[index]


def find_attribution(lines: Sequence[str], index: int, endings: Endings) -> Attribution | None:
    """Return the reply header that begins on a line.

    Args:
        lines: The lines of a text.
        index: The first line of the header; it is not blank.
        endings: Of the same lines.
    """
    if endings.after(index) >= index + _MAX_LINES:
        return None
    joined, gap = "", False
    for number in range(index, min(index + _MAX_LINES, len(lines))):
        line = lines[number].strip()
        # Polymail leaves a line blank before the address, which alone may follow one.
        if not line and joined and not gap and _is_address_next(lines, number):
            gap = True
            continue
        joined = f"{joined} {line}" if joined else line
        if not line or len(joined) > _MAX_LENGTH or (number > index and not _goes_on(lines, index, joined)):
            return None
        is_closed = joined.count("<") <= joined.count(">") and joined.count("(") <= joined.count(")")
        if endings.after(number) == number and is_closed and _is_attribution(joined):
            follows = next((after for after in lines[number + 1 : number + 4] if after.strip()), "")
            return Attribution(number + 1 - index, _is_sure(joined) and not _CITATION.match(follows))
    return None


def _may_end(line: str) -> bool:
    if line[-1:].isalnum() or line[-1:] in ".,!?":  # most lines; the strip below costs ten times this look
        return False
    tail = line[-12:].rstrip(AFTER_COLON)
    return tail[-1:] in COLONS or tail.endswith("--")


def names_a_writer(line: str) -> bool:
    """Say whether a line that ends in a colon announces a mail ('Anna wrote:') and not a citation ('It says:')."""
    return bool(ADDRESS.search(line) and DATE.search(line)) or bool(WROTE_SOMEWHERE.search(line) and DATE.search(line))


def _is_address_next(lines: Sequence[str], number: int) -> bool:
    return number + 1 < len(lines) and lines[number + 1].lstrip().startswith("<")


def _goes_on(lines: Sequence[str], index: int, joined: str) -> bool:
    """Say whether what was joined so far still reads like the beginning of a reply header."""
    first = lines[index].strip()
    if _OPENS_WITH_DATE.match(first) or first.startswith("--"):
        return True
    is_name = (index == 0 or not lines[index - 1].strip()) and first[-1] not in ".,!?:;"
    return ("@" in first or is_name) and _OPENS_WITH_NAME.match(joined) is not None


def _is_attribution(joined: str) -> bool:
    dated = DATE.search(joined) is not None
    addressed = ADDRESS.search(joined) is not None
    # The verbs come last: the search for them costs as much as the rest of the clean-up.
    return (dated and addressed) or ((dated or addressed) and WROTE_SOMEWHERE.search(joined) is not None)


def _is_sure(joined: str) -> bool:
    """Say whether there is a date with an address or a time, and beside them no more than a name."""
    if DATE.search(joined) is None:
        return False
    has_verb = WROTE_SOMEWHERE.search(joined) is not None
    has_address = ADDRESS.search(joined) is not None
    timed = _TIMED.search(joined) is not None
    small, capitals = _others(joined)
    if has_address:
        return (has_verb or timed) and small <= _MOST_OTHER_WORDS
    if _ZOHO.match(joined):
        return True
    named = capitals >= _FEWEST_NAMES or _CASED.search(joined) is None
    return has_verb and timed and not small and named


def _others(joined: str) -> tuple[int, int]:
    """Count the words that belong to no date, address or verb: in small letters, and capitalised."""
    rest = WROTE_SOMEWHERE.sub(" ", _DATE_PARTS.sub(" ", joined))
    left = [word for word in _WORD.findall(rest) if word.rstrip(".").lower() not in _HEADER_WORDS]
    small = sum(word[0].islower() for word in left)
    return small, len(left) - small
