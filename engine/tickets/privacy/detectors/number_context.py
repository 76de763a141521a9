"""What the words before a number say it is: an order, a telephone number, a card. Tables and two questions."""

import re

from engine.tickets.privacy.words import pattern

_WINDOW = 48
"""Characters before a number that may say what it is."""

_ORDER_WORDS = pattern("order_words")
_NUMBER_WORDS = (
    r"numbers?|no|nr|num|nummer|nbr|numéro|numero|número|numer|číslo|n[°ºo]|#|№|id|code|is|was|are|ist|lautet|est"
    r"|es|é|è|is|er|är|to|and|und|et|y|e|en"
)
_ORDER_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?:{_ORDER_WORDS})|{pattern('order_words_unspaced')})[\s:.#№°º(-]{{0,4}}(?:(?:{_NUMBER_WORDS})[\s:.#№°º(-]{{1,3}}){{0,3}}$"
    r"|[#№]\s?$",
    re.IGNORECASE,
)
_ORDER_AFTER = re.compile(rf"[ ,(]{{1,3}}(?:[^\W\d_]{{1,6}} ){{2,4}}(?:{_ORDER_WORDS})(?![^\W_])", re.IGNORECASE)
_PHONE_WORDS, _PHONE_UNSPACED = pattern("phone_words"), pattern("phone_words_unspaced")
_PHONE_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?:{_PHONE_WORDS})(?![^\W_])|{_PHONE_UNSPACED})(?:[^.!?\n\d]|\.(?! [A-Z])){{0,22}}$",
    re.IGNORECASE,
)
_CARD_BEFORE = re.compile(
    r"(?<![^\W_])(?:credit|debit|visa|mastercard|amex|maestro|card|kreditkarte\w*|kartennummer|karte|carte|tarjeta"
    r"|carta|cartão|kaart|kart[aey]?)(?![^\W_])[^.!?\n\d]{0,22}$",
    re.IGNORECASE,
)

_CODE_BEFORE = re.compile(
    r"(?:[\w\])]\[|[\w\])]\s?(?:[=!<>]=|[<>]|(?<![=!<>])=)\s?|(?<![^\W_])(?:return|int|long|float|double|u?int\d{1,2}(?:_t)?|const|let|var)\s)$"
)
"""A place in a list, a comparison, an assignment, a declaration: what follows is a value."""
_COMPUTED_AFTER = re.compile(r"\s?[*^%]\s?\d|\s?[-+*/\u2212]\s?\d{1,15}\s?=")
_COMPUTED_BEFORE = re.compile(r"\d\s?(?:[*^%]|=)\s?$")
_SUM_AFTER, _SUM_BEFORE = re.compile(r"\s[-+\u2212]\s\d"), re.compile(r"\d\s[-+\u2212]\s$")
"""A sum counts only where its numbers are written in one: two telephone numbers may stand so too."""


def is_computed(text: str, start: int, end: int, grouped: bool) -> bool:
    """Say whether a number is part of a calculation, or a value in code.

    Args:
        text: The message.
        start: Where the number begins.
        end: Where it ends.
        grouped: Whether its digits are written in groups, as a value in code never is.
    """
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + 24]
    if _COMPUTED_AFTER.match(after) or _COMPUTED_BEFORE.search(before):
        return True
    if grouped:
        return False
    return bool(_CODE_BEFORE.search(before) or _SUM_AFTER.match(after) or _SUM_BEFORE.search(before))


def is_order_number(text: str, start: int) -> bool:
    """Say whether the words right before a number call it an order, a ticket, an invoice or the like."""
    return _ORDER_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None


def is_called_order_after(text: str, end: int) -> bool:
    """Say whether the words right after a number call it an order: '5035550136, it is the serial number'."""
    return _ORDER_AFTER.match(text, end) is not None


def is_called_phone(text: str, start: int) -> bool:
    """Say whether the words before a number announce a telephone number."""
    return _PHONE_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None


def is_called_card(text: str, start: int) -> bool:
    """Say whether the words before a number announce a payment card."""
    return _CARD_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None
