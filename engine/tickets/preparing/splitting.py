"""Which conversations are held out: by date or at random, and never half of a group.

A group is what must not be torn apart: all tickets of one customer, and conversations that say the same.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

UNEVEN = 1.2
"""A group that would make the held-out part larger than this times what was asked for stays in training.

One conversation too many is always fine.
"""


class UnionFind:
    """Numbers 0 to n-1 in groups that only ever grow together."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, member: int) -> int:
        """Return the number that stands for the member's group."""
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        one, other = self.find(one), self.find(other)
        if one != other:
            self._parent[max(one, other)] = min(one, other)

    def join_equal(self, keys: Iterable[object]) -> None:
        """Join all members whose keys are equal; empty keys (``""``, ``b""``, None) join nothing."""
        first: dict[object, int] = {}
        for member, key in enumerate(keys):
            if key:
                self.join(first.setdefault(key, member), member)

    def groups(self) -> dict[int, list[int]]:
        """Return the members of each group, in their order."""
        found: dict[int, list[int]] = defaultdict(list)
        for member in range(len(self._parent)):
            found[self.find(member)].append(member)
        return found


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
