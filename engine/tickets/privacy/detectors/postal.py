"""Finds postal addresses: after words that announce one, and by a street with its house number.

What a label announces is taken to the end of the line or the sentence, with the lines under it that belong to it. A
street without a label is taken with the postcode and the town that follow it. A street without a number, and a town
alone, stay.
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.labels import Label, labels
from engine.tickets.privacy.detectors.spans import Covered, Span
from engine.tickets.privacy.words import entries, pattern, words

_OTHER_ADDRESS = re.compile(r"(?:e-?mail|mail|ip|ipv[46]|mac|web|url|server|memory|bcc|http|bus|smtp|imap|base)[ _-]?$")
_ANNOUNCING = re.compile(r"(?:live|living|lives|moved|ship|deliver|send|wohn|habit|vivo|moro|mieszkam|bor |residente)")

_LONGEST_LINE = 120
_SHORTEST = 6
_MOST_LINES = 4
_LONGEST_NEXT_LINE = 60
_MOST_WORDS = 7
_END = re.compile(
    r"(?<=\w{4})[.!?](?=\s|$)|(?<=\d)[.!?](?=\s|$)|[.!?](?=\s+[A-Z]\w+ [a-z])|[;\n|<>]| [-\u2013\u2014] "
    r"|,? (?:and|und|et|y|e|en|i|og|och|ja|but|aber|mais|pero|mas|ma|maar|ale|men|please|bitte|thanks|for|für|instead)"
    r" (?=[a-z\u00df-\u00ff])"
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_CAPITALISED = re.compile(r"(?<![^\W_])[A-Z\u00c0-\u00de\u0100-\u017d\u0391-\u03a9\u0401-\u042f][^\W\d_]")
_UNCASED = re.compile("[\u0590-\u06ff\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LABELLED_LINE = re.compile(r"^[^:\uff1a]{1,24}[:\uff1a]")

_NAME = r"[A-Z\u00c0-\u00de\u0100-\u017d\u0391-\u03a9\u0401-\u042f][\w.'\u2019-]{0,24}"
_HOUSE = r"\d{1,5} ?[a-zA-Z]?(?:[-/]\d{1,4}[a-zA-Z]?)?(?![\w]|[.,:]\d)"
_POSTCODE = (
    r"(?:[A-Z]{1,2}-)?\d{4,6}|\d{2}-\d{3}|\d{3} \d{2}|\d{5}-\d{3}|\d{4}-\d{3}|\d{4} [A-Z]{2}"
    r"|[A-Z]{1,2}\d[\dA-Z]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
)
_TOWN = rf"{_NAME}(?:[ -](?:{_NAME}|am|an|der|de|la|sur|upon|on|do|da)){{0,3}}"
_TAIL = (
    rf"(?:,? ?\n?(?:{_POSTCODE})(?![\w]),? {_TOWN}"
    rf"|(?:, ?\n?| ?\n){_TOWN},?(?: [A-Z]{{2}})?,? (?:{_POSTCODE})(?!\w))?"
)

_PARTICLES = (
    r"(?:(?:de|du|des|d'|d\u2019|la|le|les|l'|l\u2019|del|da|do|dos|das|della|van|von|der|den|i|y|e|\u0438) ?){0,3}"
)

_ENGLISH = re.compile(
    rf"(?<![\w.,:/-])\d{{1,5}}[a-zA-Z]?,? (?:{_NAME} ){{1,4}}(?i:{pattern('street_after_number')})\.?(?![^\W_]){_TAIL}"
)
_NUMBER_FIRST = re.compile(
    rf"(?<![\w.,:/-])\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:rue|avenue|boulevard|bd|chemin|impasse|allée|quai|place|cours)"
    rf" {_PARTICLES}{_NAME}(?: {_PARTICLES}{_NAME}){{0,3}}{_TAIL}"
)
_KIND_FIRST = re.compile(
    rf"(?<![^\W_])(?i:{'|'.join(map(re.escape, entries('street_before_name')))}) ?{_PARTICLES}{_NAME}"
    rf"(?: {_PARTICLES}{_NAME}){{0,3}},? ?(?:(?i:n[º°o]\.?|nr\.?|no:|д\.|дом|буд\.) ?)?{_HOUSE}{_TAIL}"
)
_ENDINGS = "|".join(map(re.escape, entries("street_endings")))
_ONE_WORD = re.compile(rf"(?<![^\W_])(?:{_NAME}[ -]){{0,2}}{_NAME}(?<=(?:[\w.'\u2019-]))(?=,? \d),? {_HOUSE}{_TAIL}")
_ENDS_LIKE_A_STREET = re.compile(rf"(?i:{_ENDINGS}),? \d")
_EAST_ASIAN = re.compile(
    "[\u4e00-\u9fff]{2,10}(?:省|市|区|縣|县|都|府|道|県)[\u3040-\u30ff\u4e00-\u9fff\\d-]{2,30}?"
    "(?:号|號|番地?|室|楼|[\\d-]{3,12})[\u4e00-\u9fff\\d-]{0,12}"
    "|[\uac00-\ud7af]{1,8}(?:시|도) [\uac00-\ud7af]{1,8}(?:구|군|시) [\uac00-\ud7af\\d ]{1,20}(?:로|길) ?\\d{1,4}"
)
_KINDS_LAST = words("street_after_number")
_KINDS_FIRST = words("street_before_name")
_SHORT_KINDS = frozenset(kind.rstrip("./") for kind in _KINDS_FIRST if kind[-1] in "./")
# 'c/', 'al.' and their kin, which without their sign are other words.
_SHORT_KIND = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(kind for kind in _KINDS_FIRST if kind[-1] in './')))}) ?\w"
)
_KINDS_FRENCH = frozenset(("rue", "avenue", "boulevard", "bd", "chemin", "impasse", "allée", "quai", "place", "cours"))
_HOUSE_FIRST = re.compile(r"\d[a-zA-Z]?,? [A-Z\u00c0-\u00de]")
_DIGIT = re.compile(r"\d")
_SPACED_DIGIT = re.compile(r" \d")
_LONGEST_ENDING = 12
_IN_ONE_WORD = tuple(entries("street_endings"))


def find_postal_addresses(forms: Forms, covered: Covered) -> Iterator[Span]:
    """Yield postal addresses; identity is the address in lower case with single spaces.

    Args:
        forms: The message; it holds digits.
        covered: Links and what was found already.
    """
    for start, end in (*_labelled(forms), *_streets(forms)):
        if not covered.holds(start):
            yield Span(start, end, "ADDRESS", " ".join(forms.text[start:end].lower().split()))


def _labelled(forms: Forms) -> Iterator[tuple[int, int]]:
    for label in labels("address_labels").find(forms):
        before = forms.lowered[max(0, label.start - 10) : label.start]
        if not _OTHER_ADDRESS.search(before):
            start = label.article if forms.text[label.article : label.article + 1].isupper() else label.value
            end = _end_of_block(forms, label, start)
            if end is not None:
                yield start, end


def _end_of_block(forms: Forms, label: Label, start: int) -> int | None:
    """Return where the address that begins after a label ends; None where none follows."""
    text = forms.text
    end = _end_of_line(text, start)
    lines = 1
    while lines < _MOST_LINES and end < len(text) and text[end] == "\n":
        stop = text.find("\n", end + 1)
        line = text[end + 1 : stop if stop >= 0 else len(text)]
        if not _continues(line.rstrip(" .") if _DIGIT.search(line) else line):
            break
        end, lines = end + 1 + len(line.rstrip()), lines + 1
    value = text[start:end].rstrip(" ,.")
    announced = label.has_colon or _ANNOUNCING.match(forms.lowered, label.start) is not None
    shaped = _CAPITALISED.search(value) is not None or _UNCASED.search(value) is not None
    is_address = (
        len(value) >= _SHORTEST
        and any(character.isdigit() for character in value)
        and (_WORD.search(value) is not None or _UNCASED.search(value) is not None)
        and "@" not in value
        and "://" not in value
        and (shaped or (label.has_colon and len(value.split()) >= 3))
        and (announced or label.has_verb)
    )
    return start + len(value) if is_address else None


def _end_of_line(text: str, start: int) -> int:
    stop = text.find("\n", start, start + _LONGEST_LINE)
    stop = stop if stop >= 0 else min(len(text), start + _LONGEST_LINE)
    match = _END.search(text, start, stop)
    return match.start() if match else stop


def _continues(line: str) -> bool:
    """Say whether a line under an address belongs to it: short, capitalised, no sentence and no other label."""
    line = line.strip()
    return (
        0 < len(line) <= _LONGEST_NEXT_LINE
        and len(line.split()) <= _MOST_WORDS
        and line[-1] not in ".!?:"
        and not _LABELLED_LINE.match(line)
        and (line[0].isupper() or line[0].isdigit() or _UNCASED.match(line) is not None)
    )


def _streets(forms: Forms) -> Iterator[tuple[int, int]]:
    text, lowered, words = forms.text, forms.lowered, forms.words
    patterns = []
    if not _KINDS_LAST.isdisjoint(words) and _HOUSE_FIRST.search(text):
        patterns.append(_ENGLISH)
    if not _KINDS_FRENCH.isdisjoint(words):
        patterns.append(_NUMBER_FIRST)
    is_short = not _SHORT_KINDS.isdisjoint(words) and _SHORT_KIND.search(lowered) is not None
    if is_short or not _KINDS_FIRST.isdisjoint(words):
        patterns.append(_KIND_FIRST)
    for pattern_of_street in patterns:
        for match in pattern_of_street.finditer(text):
            yield match.span()
    if _has_street_in_one_word(lowered):
        for match in _ONE_WORD.finditer(text):
            if _ENDS_LIKE_A_STREET.search(match[0]):
                yield match.span()
    if not text.isascii() and _UNCASED.search(text):
        for match in _EAST_ASIAN.finditer(text):
            yield match.span()


def _has_street_in_one_word(lowered: str) -> bool:
    """Say whether a number follows a word that ends like a street; looks back from the digits, which are rare."""
    return any(
        lowered[max(0, match.start() - _LONGEST_ENDING) : match.start()].rstrip(",").endswith(_IN_ONE_WORD)
        for match in _SPACED_DIGIT.finditer(lowered)
    )
