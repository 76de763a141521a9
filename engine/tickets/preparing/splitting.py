"""Which conversations are held out: by date or at random, and never half of a group.

A group is what must not be torn apart: all tickets of one customer, and conversations that say the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from engine.tickets.union_find import UnionFind

UNEVEN = 1.2
"""A group that would make the held-out part larger than this times what was asked for stays in training.

One conversation too many is always fine.
"""


def choose_heldout(
    stamps: Sequence[float | None], groups: UnionFind, share: float, split: str, seed: int
) -> tuple[set[int], str]:
    """Choose the members to hold out.

    Args:
        stamps: One date a conversation, in seconds; None where none can be read.
        groups: What must stay on one side.
        share: 0 to 0.5.
        split: ``recent`` or ``random``.
        seed: For ``random``.

    Returns:
        The numbers held out, and the basis of the split in words. At least one conversation is held out where the share
        is above 0 and two groups exist; at least one always stays in training.
    """
    count = len(stamps)
    if not share or count < 2:
        return set(), "nothing is held out"
    wanted = max(1, round(count * share))
    order = list(range(count))
    if split == "random":
        basis = f"random, seed {seed}"
        random.Random(seed).shuffle(order)
    elif sum(stamp is not None for stamp in stamps) >= count * 0.9:
        basis = "the most recent tickets, by date"
        order.sort(key=lambda member: (stamps[member] or 0.0, member), reverse=True)
    else:
        basis = "the last tickets of the files, which carry no dates"
        order.reverse()
    members = groups.groups()
    chosen: set[int] = set()
    smallest: list[int] = []
    for member in order:
        group = members[groups.find(member)]
        if member in chosen:
            continue
        if len(chosen) + len(group) <= max(wanted * UNEVEN, wanted + 1) and len(chosen) + len(group) < count:
            chosen.update(group)
        elif len(group) < count and (not smallest or len(group) < len(smallest)):
            smallest = group
        if len(chosen) >= wanted:
            break
    return chosen or set(smallest), basis
