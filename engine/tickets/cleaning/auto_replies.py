"""Tells messages that a machine sent by itself from those that a person wrote.

Out-of-office notes, bounces and 'we have received your request'. The mail's headers decide where a source has them;
the wording is the way out where it has not. A person who asks how to set up an out-of-office note is not a machine.
"""

import re
from collections.abc import Mapping
from functools import cache

from engine.tickets.cleaning.words import groups, pattern
from engine.tickets.words import alternatives

_OPENING = 600
"""Characters at the start in which a machine says what it is."""

_SUBJECT = re.compile(rf"^\W{{0,5}}(?:(?:re|aw|sv|tr|fwd?): ?)?(?:{pattern('auto_reply_subjects')})", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:how (?:do|can|to)|wie (?:kann|stelle|richte)|comment|cómo|como (?:posso|faço)|come (?:posso|faccio)"
    r"|hoe (?:kan|stel)|jak)\b[^.!\n]{0,200}\?",
    re.IGNORECASE,
)

_BULK = frozenset({"bulk", "auto_reply", "junk", "list"})
_PRESENT = frozenset(
    {"x-autoreply", "x-autorespond", "x-auto-response", "x-autoresponder", "x-failed-recipients", "x-auto-reply"}
)


def is_auto_reply(text: str, headers: Mapping[str, str] | None = None) -> bool:
    """Say whether a machine sent this message by itself.

    Args:
        text: The message's text; the subject may stand on its first line. The first 600 characters are read.
        headers: Its mail headers, names in any case, where the source has them. RFC 3834 (Auto-Submitted), Precedence,
            X-Autoreply and its kin, multipart/report, the null return path and the subject count.

    Returns:
        True only on a clear sign; the caller counts and shows what it leaves out.
    """
    if headers and _headers_say_so({name.lower(): str(value) for name, value in headers.items()}):
        return True
    opening = text[:_OPENING]
    says_so = _SUBJECT.match(opening) is not None and "?" not in opening.split("\n", 1)[0]
    return (says_so or _wording_says_so(opening)) and not _ASKS.search(opening)


def _headers_say_so(headers: Mapping[str, str]) -> bool:
    submitted = headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    return (
        submitted not in ("no", "")
        or not _PRESENT.isdisjoint(headers)
        or headers.get("precedence", "").strip().lower() in _BULK
        or headers.get("content-type", "").lower().lstrip().startswith("multipart/report")
        or headers.get("return-path", "").strip() == "<>"
        or _SUBJECT.match(headers.get("subject", "")) is not None
    )


def _wording_says_so(opening: str) -> bool:
    lowered = opening.lower()
    return any(_sign(letters).search(opening) for letters in filter(lowered.__contains__, groups("auto_replies")))


@cache
def _sign(letters: str) -> re.Pattern[str]:
    """Return the pattern that is worth trying where those letters stand."""
    return re.compile(alternatives(groups("auto_replies")[letters]), re.IGNORECASE | re.DOTALL)
