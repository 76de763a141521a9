"""Personal data -> stable placeholders, the same for the same value throughout a conversation.

**No detector is complete.** Found are e-mail addresses, telephone numbers, payment cards, IBANs, IP addresses, API
keys, passwords and codes that are called so, official numbers by their form or the words before them, dates of birth
and user names that a word announces, postal addresses after such words or by street and house number, the names that
stand in the export's own people fields, and people whom a message introduces, greets or is signed by. Not found are,
among others: other people who are in no field (a common given name is suspected and listed, not masked), nicknames and
inflected names, dates of birth and user names that nothing announces, streets without a number, account numbers without
a checksum, company names, and what is shown in pictures. So a person reviews what was masked, adds terms, and looks at
the rest before training.

Owns placeholders, their numbers, the allow list and the person's own terms. What is personal data is decided in
:mod:`engine.tickets.privacy.detectors`. Time is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from engine.tickets.privacy.detectors.birth_dates import find_birth_dates
from engine.tickets.privacy.detectors.codes import find_codes
from engine.tickets.privacy.detectors.emails import find_emails
from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.ids import find_labelled_ids, find_order_numbers
from engine.tickets.privacy.detectors.introductions import find_introduced
from engine.tickets.privacy.detectors.links import find_links
from engine.tickets.privacy.detectors.names import NameIndex, name_index
from engine.tickets.privacy.detectors.national_ids import find_national_ids
from engine.tickets.privacy.detectors.network import find_addresses
from engine.tickets.privacy.detectors.numbers import find_ibans, find_numbers
from engine.tickets.privacy.detectors.passwords import find_passwords
from engine.tickets.privacy.detectors.postal import find_postal_addresses
from engine.tickets.privacy.detectors.secrets import find_keys
from engine.tickets.privacy.detectors.spans import Covered, Kind, Span, without_overlaps
from engine.tickets.privacy.detectors.suspects import find_suspects, may_hold_suspects
from engine.tickets.privacy.detectors.user_names import find_pairs, find_user_names

if TYPE_CHECKING:
    from engine.tickets.options import PrepareOptions

_CONTEXT = 40
"""Characters on each side that the review shows."""

_PLACEHOLDER = re.compile(r"\[([A-Z]{2,10})_(\d{1,5})\]")
_FEWEST_OF_AN_ID, _FEWEST_OF_A_PHONE = 6, 7
"""Digits below which a message holds no official number, and no telephone number, card or IBAN."""
_NAME_LIKE = re.compile(r"[^\W\d_]+(?:[ '\u2019-][^\W\d_]+){0,5}")


@dataclass(frozen=True)
class PrivacyOptions:
    """What is masked, and what the person decided in the review."""

    enabled: bool = True
    """Off: texts stay as they are."""
    country: str | None = None
    """ISO 3166 code such as 'DE'; whose national telephone numbers are known. None: international ones only."""
    allow: tuple[str, ...] = ()
    """Terms that stay, in any case: a word ('Outlook'), an address, or a domain ('@shop.example')."""
    numbers: bool = False
    """Whether the numbers of orders, invoices and customers go too."""
    extra: tuple[str, ...] = ()
    """Terms that go, in any case. Capitalised words become NAME, anything else becomes TERM."""

    @classmethod
    def of(cls, options: PrepareOptions) -> Self:
        """Take what a person chose about a data set."""
        return cls(options.mask, options.country, options.allow, options.mask_numbers, options.extra_terms)


@dataclass(frozen=True)
class Redaction:
    """One value that was masked, with what stood around it."""

    kind: Kind
    placeholder: str
    original: str
    before: str
    """Up to 40 characters of the original text."""
    after: str
    """Up to 40 characters of the original text."""


@dataclass(frozen=True)
class Suspect:
    """Words that look like a name and were left, with what stands around them."""

    words: str
    before: str
    after: str


class ConversationMasker:
    """Masks the messages of one conversation; the same value gets the same placeholder in all of them.

    Args:
        options: What to mask.
        people: Entries of the export's people fields for this conversation. A frozenset that many conversations share
            is indexed once.
    """

    def __init__(self, options: PrivacyOptions, people: Collection[str] = ()) -> None:
        self._options = options
        self._allowed = frozenset(term.strip().lower() for term in options.allow)
        self._domains = tuple(term for term in self._allowed if term.startswith("@"))
        self._names = name_index(frozenset(people), self._allowed) if people else None
        self._met: set[str] = set()
        self._met_names: NameIndex | None = None
        self._has_met = False
        self._forms: dict[str, Forms] = {}
        self._country = options.country.upper() if options.country else None
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[tuple[str, str], str] = {}
        self.found: list[Redaction] = []
        """What was masked so far, in the order of the texts."""
        self.suspected: list[Suspect] = []
        """What looks like a name and was left, in the order of the texts."""

    def meet(self, texts: Iterable[str]) -> None:
        """Note who is introduced, greeted or signs in any of the texts, before the first of them is masked.

        Without it, a name counts from the text on in which it is met.
        """
        if self._options.enabled:
            for text in texts:
                self._forms[text] = Forms(text)
                self._meet(self._forms[text])
            self._has_met = True

    def _meet(self, forms: Forms) -> None:
        met = set(find_introduced(forms)) - self._met
        if met:
            self._met |= met
            self._met_names = name_index(frozenset(self._met), self._allowed)

    def mask(self, text: str) -> str:
        """Return a message with personal data replaced, and remember what was.

        Args:
            text: A cleaned message, or a subject.

        Returns:
            The text with placeholders such as ``[EMAIL_1]``; ones that it already holds stay, and their numbers are
            not given out again.
        """
        if not self._options.enabled or not text:
            return text
        settled = self._reserve(text) if "[" in text else []
        forms = self._forms.pop(text, None) or Forms(text)
        spans = [span for span in self._find(forms, settled) if not self._is_allowed(span, text)]
        masked = self._with_placeholders(text, spans) if spans else text
        if may_hold_suspects(forms):
            self._suspect(masked)
        return masked

    def _with_placeholders(self, text: str, spans: list[Span]) -> str:
        parts: list[str] = []
        position = 0
        for span in without_overlaps(spans):
            parts += (text[position : span.start], self._replace(span, text))
            position = span.end
        parts.append(text[position:])
        return "".join(parts)

    def _suspect(self, masked: str) -> None:
        """Note what looks like a name in a text after masking."""
        self.suspected += [
            Suspect(masked[start:end], masked[max(0, start - _CONTEXT) : start], masked[end : end + _CONTEXT])
            for start, end in sorted(find_suspects(Forms(masked)))
            if masked[start:end].lower() not in self._allowed
        ]

    def _find(self, forms: Forms, settled: list[tuple[int, int]]) -> list[Span]:
        text, links = forms.text, find_links(forms.text)
        covered = Covered(links + settled)
        spans = self._find_words(forms, covered)
        if forms.digits:
            spans += self._find_digits(forms, links + settled, spans)
        elif text.count(":") > 1:
            spans += find_addresses(text, covered)
        if not self._has_met:
            self._meet(forms)
        for index in (self._names, self._met_names):
            if index:
                spans += index.find(forms, covered)
        if self._options.extra:
            spans += _find_terms(text, self._options.extra)
        already = Covered(settled)
        return [span for span in spans if not already.touches(span.start, span.end)] if settled else spans

    @staticmethod
    def _find_words(forms: Forms, covered: Covered) -> list[Span]:
        """Find what letters make: addresses, keys, passwords, names of accounts."""
        spans = [*find_emails(forms), *find_keys(forms.text, covered)]
        pairs = list(find_pairs(forms))
        regions = Covered(region for region, _ in pairs)
        spans += [span for _, both in pairs for span in both]
        spans += [span for span in find_passwords(forms) if not regions.holds(span.start)]
        return spans + list(find_user_names(forms, regions))

    def _find_digits(self, forms: Forms, settled: list[tuple[int, int]], spans: list[Span]) -> list[Span]:
        """Find what digits make; what is found first settles its digits for the telephone numbers."""
        covered = Covered(settled)
        exact = [*find_codes(forms), *find_birth_dates(forms), *find_postal_addresses(forms, covered)]
        exact += find_addresses(forms.plain, covered)
        exact += find_labelled_ids(forms, covered)
        if self._options.numbers:
            exact += find_order_numbers(forms, covered)
        if forms.digits >= _FEWEST_OF_AN_ID:
            exact += find_national_ids(forms.plain, self._country, covered)
        if forms.digits >= _FEWEST_OF_A_PHONE:
            exact += find_ibans(forms.plain)
            taken = [(span.start, span.end) for span in (*spans, *exact)]
            exact += find_numbers(forms.plain, self._country, Covered(settled + taken) if taken else covered)
        return exact

    def _is_allowed(self, span: Span, text: str) -> bool:
        if not self._allowed:
            return False
        original = text[span.start : span.end].lower()
        return original in self._allowed or (span.kind == "EMAIL" and original.endswith(self._domains))

    def _reserve(self, text: str) -> list[tuple[int, int]]:
        """Note the placeholders that a text already holds, so that none of their numbers is given to another value."""
        settled: list[tuple[int, int]] = []
        for match in _PLACEHOLDER.finditer(text):
            self._counts[match[1]] = max(self._counts[match[1]], int(match[2]))
            settled.append(match.span())
        return settled

    def _replace(self, span: Span, text: str) -> str:
        key = (span.kind, span.identity)
        placeholder = self._placeholders.get(key)
        if placeholder is None:
            self._counts[span.kind] += 1
            placeholder = f"[{span.kind}_{self._counts[span.kind]}]"
            self._placeholders[key] = placeholder
        before, after = text[max(0, span.start - _CONTEXT) : span.start], text[span.end : span.end + _CONTEXT]
        self.found.append(Redaction(span.kind, placeholder, text[span.start : span.end], before, after))
        return placeholder


@lru_cache(maxsize=16)
def _term_pattern(terms: tuple[str, ...]) -> re.Pattern[str] | None:
    wanted = sorted({term.strip() for term in terms if term.strip()}, key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=256)
def _kind_of_term(terms: tuple[str, ...], lowered: str) -> Kind:
    written = next((term.strip() for term in terms if term.strip().lower() == lowered), lowered)
    is_name = _NAME_LIKE.fullmatch(written) and all(word[:1].isupper() for word in written.split())
    return "NAME" if is_name else "TERM"


def _find_terms(text: str, terms: tuple[str, ...]) -> list[Span]:
    """Return the person's own terms wherever they stand as words."""
    pattern = _term_pattern(terms)
    if pattern is None:
        return []
    return [
        Span(match.start(), match.end(), _kind_of_term(terms, match[0].lower()), match[0].lower())
        for match in pattern.finditer(text)
    ]
