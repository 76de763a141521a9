"""Groups that grow together: the mails of a thread, the tickets of a customer, conversations that say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


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
