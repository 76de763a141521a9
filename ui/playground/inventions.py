"""Marks what an answer has from nowhere, so that it is seen, read aloud and reached by keyboard."""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from engine.question_sets import AnswerTable
from engine.verdict.facts.fact import KIND_WORDS, Fact
from ui import words
from ui.parts import NOTHING, join

NOWHERE = "Not in the ticket, nor in a near one, nor in the training answers"


def marked(text: str, facts: Iterable[Fact], changed: Sequence[tuple[int, int]] = ()) -> Markup:
    """Return an answer with its inventions marked; where two overlap, the first is.

    Args:
        text: The answer.
        facts: Its inventions, in their order.
        changed: Where stretches begin and end that are marked as new, in their order.
    """
    pieces, at = [], 0
    for fact in facts:
        if fact.start < at:
            continue
        pieces.append(_new(text, at, fact.start, changed))
        pieces.append(
            Markup('<mark class="invented" tabindex="0" title="{0}" aria-label="{2}. {0}">{1}</mark>').format(
                f"{NOWHERE}: {KIND_WORDS[fact.kind]}", text[fact.start : fact.end], text[fact.start : fact.end]
            )
        )
        at = fact.end
    return join([*pieces, _new(text, at, len(text), changed)])


def _new(text: str, start: int, end: int, changed: Sequence[tuple[int, int]]) -> Markup:
    """Return a part of a text with what is new in it marked."""
    pieces, at = [], start
    for first, last in changed:
        first, last = max(first, at), min(last, end)
        if first < last:
            pieces.append(Markup('{}<mark class="new">{}</mark>').format(text[at:first], text[first:last]))
            at = last
    return join([*pieces, Markup("{}").format(text[at:end])])


def counted(facts: Iterable[Fact] | None) -> str:
    """Say how many inventions an answer has: 'nothing invented', '2 facts from nowhere'; empty where nobody looked."""
    if facts is None:
        return ""
    number = len(tuple(facts))
    return f"{words.count(number, 'fact')} from nowhere" if number else "no fact from nowhere"


def tally(table: AnswerTable) -> Markup:
    """Compare the voices of a table: how many facts each has from nowhere, and in how many answers."""
    judged = [row.inventions for row in table.rows if row.inventions is not None]
    if not judged:
        return NOTHING
    told = [f"{label} {_of(judged, voice)}" for voice, label in table.voices.items()]
    return Markup('<p class="quiet invented-tally">Facts from nowhere: {}. {}.</p>').format(", ".join(told), NOWHERE)


def _of(rows: list[Mapping[str, tuple[Fact, ...]]], voice: str) -> str:
    facts = [row.get(voice, ()) for row in rows]
    return f"{sum(map(len, facts))} in {words.count(sum(map(bool, facts)), 'answer')}"
