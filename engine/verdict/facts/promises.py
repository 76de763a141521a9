"""What an answer promises a customer: a refund, a call, something for free; the phrases are words/promises.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.tickets.privacy.detectors.forms import lowered
from engine.tickets.words import alternatives
from engine.verdict.facts.fact import Fact
from engine.verdict.facts.words import entries, groups

_CLAUSE = re.compile(r"[.!?;:\n]|,(?!\d)| (?:but|however|aber|sondern|mais|pero|ma|maar|mas) ")


@cache
def _phrases() -> re.Pattern[str]:
    parts = [f"(?P<{name}>{alternatives(phrases)})" for name, phrases in groups("promises").items()]
    return re.compile(rf"\b(?:{'|'.join(parts)})(?!\w)".replace(" ", r"\s+"))


@cache
def _negations() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(entries('negations'))})(?!\w)")


def promises(text: str) -> Iterator[Fact]:
    """Yield promises; one that its own clause denies ('we cannot refund you') is none."""
    plain = lowered(text).replace("’", "'")
    for match in _phrases().finditer(plain):
        before = _CLAUSE.split(plain[max(0, match.start() - 120) : match.start()])[-1]
        if not _negations().search(before):
            known = frozenset((f"promise:{match.lastgroup}",))
            yield Fact("promise", *match.span(), known, known)
