"""Which of the kept conversations go where: repeats out, canned replies capped, the rest split without a leak.

Works on facts alone and reads no conversation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.tickets.duplicates import SIMILAR, join_similar
from engine.tickets.facts import Facts
from engine.tickets.options import PrepareOptions
from engine.tickets.splitting import UnionFind, choose_heldout

REPEATED = "the same ticket again"
CANNED = "same answer as many others"
CANNED_SIMILAR = 0.95
"""Answers that share this much of their word triples are copies of one canned reply."""
_LEVELS = (SIMILAR, 0.8, 0.9, 1.0)


@dataclass(slots=True)
class Selection:
    """What becomes of each kept conversation, by its number."""

    dropped: dict[int, str] = field(default_factory=dict)
    """Number -> reason."""
    heldout: set[int] = field(default_factory=set)
    basis: str = ""
    """What the split went by, in words."""
    canned: list[tuple[int, int]] = field(default_factory=list)
    """(number of one of them, how often) for answers given more than once, the most frequent first."""
    similar: int = 0
    """Conversations that say nearly the same as another one."""
    loosened: bool = False
    """Whether some that resemble each other had to be put on both sides."""


def select(facts: Sequence[Facts], options: PrepareOptions, ids_are_unique: bool) -> Selection:
    """Decide for every conversation.

    Args:
        facts: All kept conversations, in the order of the files.
        options: What the person chose.
        ids_are_unique: Whether equal ids mean the same ticket, as in a help desk's export; in a table they may not.
    """
    selection = Selection()
    _drop_repeats(facts, selection, ids_are_unique)
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
    for similar, customers in (*((level, True) for level in _LEVELS), (1.0, False)):
        groups = UnionFind(len(facts))
        groups.join_equal(entry.words_key for entry in facts)
        join_similar([entry.sketch for entry in facts], groups, similar)
        selection.similar = sum(len(group) for group in groups.groups().values() if len(group) > 1)
        if customers:
            groups.join_equal(entry.customer for entry in facts)
        held, selection.basis = choose_heldout(stamps, groups, options.heldout, options.split, options.seed)
        selection.loosened = (similar, customers) != (_LEVELS[0], True)
        enough = len(held) >= wanted * 0.8 if similar < 1.0 else bool(held)
        if enough or not wanted:
            break
    return held


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
        selection.canned.append((members[0], len(members)))
        newest = sorted(members, key=lambda index: (facts[index].stamp or 0.0, index), reverse=True)
        for index in newest[cap:]:
            selection.dropped[index] = CANNED
    selection.canned.sort(key=lambda pair: (-pair[1], pair[0]))


def reasons(selection: Selection) -> Counter[str]:
    """Count what was left out, by reason."""
    return Counter(selection.dropped.values())
