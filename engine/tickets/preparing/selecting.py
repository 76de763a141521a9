"""Which of the kept conversations go where: repeats out, canned replies capped, the rest split without a leak.

Works on facts alone and reads no conversation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.best import left_out
from engine.tickets.preparing.duplicates import SIMILAR, join_similar
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.splitting import UNEVEN, choose_heldout
from engine.tickets.union_find import UnionFind

REPEATED = "the same ticket again"
CANNED = "same answer as many others"
CANNED_SIMILAR = 0.8
"""Answers that share this much of their word triples are copies of one canned reply. At 0.95 half of the lightly edited
ones were missed; at 0.8 none that say different things were joined in 360 real tickets (13 copies, before 8)."""
_LEVELS = (SIMILAR, 0.8, 0.9, 1.0)


@dataclass(slots=True)
class Selection:
    """What becomes of each kept conversation, by its number."""

    dropped: dict[int, str] = field(default_factory=dict)
    """Number -> reason."""
    heldout: set[int] = field(default_factory=set)
    basis: str = ""
    """What the split went by, in words."""
    canned: list[Canned] = field(default_factory=list)
    """Answers given more than once, the most frequent first."""
    similar: int = 0
    """Conversations that say nearly the same as another one."""
    shared_answers: int = 0
    """Conversations held out whose answer, or nearly the same, is learnt as well."""
    loosened: bool = False
    """Whether some that resemble each other had to be put on both sides."""


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer that several conversations have."""

    number: int
    """The newest conversation that has it; it is kept."""
    times: int
    kept: int
    """How many of them are kept."""


def select(facts: Sequence[Facts], options: PrepareOptions, ids_are_unique: bool) -> Selection:
    """Decide for every conversation.

    Args:
        facts: All kept conversations, in the order of the files.
        options: What the person chose.
        ids_are_unique: Whether equal ids mean the same ticket, as in a help desk's export; in a table they may not.
    """
    selection = Selection()
    _drop_repeats(facts, selection, ids_are_unique)
    for number, reason in left_out(facts, options).items():
        selection.dropped.setdefault(number, reason)
    _cap_canned(facts, selection, options.canned_cap)
    left = [facts[index] for index in range(len(facts)) if index not in selection.dropped]
    numbers = [index for index in range(len(facts)) if index not in selection.dropped]
    held = _split(left, options, selection)
    selection.heldout = {numbers[number] for number in held}
    return selection


def _split(facts: Sequence[Facts], options: PrepareOptions, selection: Selection) -> set[int]:
    """Hold out whole groups, loosening what makes a group until enough can be held out.

    Tickets written from one template all resemble each other; kept together they would leave nothing to measure on. The
    same words and the same customer stay together as long as anything at all can be held out that way.
    """
    stamps = [entry.stamp for entry in facts]
    wanted = round(len(facts) * options.heldout)
    held: set[int] = set()
    for ties in _TIES:
        groups = UnionFind(len(facts))
        groups.join_equal(entry.words_key for entry in facts)
        join_similar([entry.sketch for entry in facts], groups, ties.similar)
        selection.similar = sum(len(group) for group in groups.groups().values() if len(group) > 1)
        if ties.answers:
            _join_answers(facts, groups, ties.similar)
        if ties.customers:
            groups.join_equal(entry.customer for entry in facts)
        held, selection.basis = choose_heldout(stamps, groups, options.heldout, options.split, options.seed)
        selection.loosened = (ties.similar, ties.customers) != (_LEVELS[0], True)
        enough = len(held) >= wanted * 0.8 if ties.similar < 1.0 or ties.answers else bool(held)
        # Few answers make large groups: a customer's tickets are worth such a group, an answer is not.
        too_much = ties.answers and len(held) > max(wanted * UNEVEN, wanted + 1)
        if (enough and not too_much) or not wanted:
            break
    selection.shared_answers = _shared_answers(facts, held) if held else 0
    return held


@dataclass(frozen=True, slots=True)
class _Ties:
    """What keeps conversations on one side of the split."""

    similar: float
    """Sharing this much of their word triples, of the whole or of the answers."""
    answers: bool
    """Whether equal answers do, whatever was asked."""
    customers: bool
    """Whether the same customer does."""


_TIES = (
    *(_Ties(level, answers=True, customers=True) for level in _LEVELS),
    *(_Ties(level, answers=False, customers=True) for level in _LEVELS),
    _Ties(1.0, answers=False, customers=False),
)
"""The ties that are tried, the tightest first."""


def _join_answers(facts: Sequence[Facts], groups: UnionFind, similar: float) -> None:
    groups.join_equal(entry.answers_key for entry in facts)
    join_similar([entry.answer_sketch for entry in facts], groups, similar)


def _shared_answers(facts: Sequence[Facts], held: set[int]) -> int:
    """Count what is held out and answered as something that is learnt: a macro on both sides flatters the loss."""
    groups = UnionFind(len(facts))
    _join_answers(facts, groups, SIMILAR)
    mixed = (group for group in groups.groups().values() if not held.issuperset(group))
    return sum(len(held.intersection(group)) for group in mixed)


def _drop_repeats(facts: Sequence[Facts], selection: Selection, ids_are_unique: bool) -> None:
    """Leave out a ticket that came in two files; the longer one stays, the later one of equals."""
    best: dict[object, int] = {}
    for index, entry in enumerate(facts):
        key: object = entry.ticket if ids_are_unique else (entry.ticket, entry.words_key)
        other = best.get(key)
        if other is None:
            best[key] = index
            continue
        shorter, longer = (index, other) if entry.turns < facts[other].turns else (other, index)
        selection.dropped[shorter] = REPEATED
        best[key] = longer


def _cap_canned(facts: Sequence[Facts], selection: Selection, cap: int) -> None:
    """Keep the newest ``cap`` conversations of those that all have the same answers."""
    left = [index for index in range(len(facts)) if index not in selection.dropped]
    groups = UnionFind(len(left))
    groups.join_equal(facts[index].answers_key for index in left)
    join_similar([facts[index].answer_sketch for index in left], groups, CANNED_SIMILAR)
    for group in groups.groups().values():
        if len(group) < 2:
            continue
        members = [left[number] for number in group]
        newest = sorted(members, key=lambda index: (facts[index].stamp or 0.0, index), reverse=True)
        selection.canned.append(Canned(newest[0], len(members), min(len(members), cap)))
        for index in newest[cap:]:
            selection.dropped[index] = CANNED
    selection.canned.sort(key=lambda entry: (-entry.times, entry.number))


def reasons(selection: Selection) -> Counter[str]:
    """Count what was left out, by reason."""
    return Counter(selection.dropped.values())
