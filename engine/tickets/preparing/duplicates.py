"""Conversations that say nearly the same: MinHash signatures, and who shares one.

MinHash (Broder 1997): the share of equal entries in two signatures estimates the share of word triples that two texts
have in common. Signatures are cut into bands; texts with an equal band are compared. Written on numpy alone: datasketch
would bring scipy along, and its index is made of Python dictionaries.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from engine.tickets.union_find import UnionFind

if TYPE_CHECKING:
    import numpy as np
    from numpy import uint32, uint64
    from numpy.typing import NDArray

PERMUTATIONS = 64
ROWS = 4
"""Rows a band: 16 bands of 4 find 98 % of the pairs that share 70 % of their triples, 64 % of those that share half."""
SIMILAR = 0.7
"""Texts that share this much of their word triples count as nearly the same."""
_TRIPLE = 3
_MOST_WORDS = 2000
_WORD = re.compile(r"\w+")


class _Hashes(dict[str, int]):
    """Word -> hash, the same in every process; people use few words, and looking one up costs a tenth of hashing it."""

    def __missing__(self, word: str) -> int:
        found = self[word] = zlib.crc32(word.encode("utf-8", "replace"))
        return found


_HASHES = _Hashes()
_HASHES_KEPT = 200_000


def words_of(texts: Iterable[str]) -> list[str]:
    """Return the words of texts in lower case, without marks."""
    return [word for text in texts for word in _WORD.findall(text.casefold())]


def signature(words: Sequence[str]) -> bytes:
    """Return the MinHash signature of a text.

    Args:
        words: Its words, in order; the first 2,000 count.

    Returns:
        :data:`PERMUTATIONS` 32-bit numbers as bytes; empty for fewer than three words.
    """
    if len(words) < _TRIPLE:
        return b""
    import numpy as np

    if len(_HASHES) > _HASHES_KEPT:
        _HASHES.clear()
    hashes = np.fromiter(map(_HASHES.__getitem__, words[:_MOST_WORDS]), dtype=np.uint64)
    mix = np.uint64(0x9E3779B97F4A7C15)
    triples = (
        (hashes[:-2] * mix)
        ^ (hashes[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F))
        ^ (hashes[2:] * np.uint64(0x165667B19E3779F9))
    )
    triples ^= triples >> np.uint64(29)
    factors, shifts = _permutations()
    permuted = triples[:, None] * factors
    permuted += shifts
    lowest: NDArray[uint32] = (permuted.min(axis=0) >> np.uint64(32)).astype(np.uint32)
    return lowest.tobytes()


def combined(one: bytes, other: bytes) -> bytes:
    """Return the signature of two texts together, from theirs."""
    if not (one and other):
        return one or other
    import numpy as np

    lowest: NDArray[uint32] = np.minimum(np.frombuffer(one, dtype=np.uint32), np.frombuffer(other, dtype=np.uint32))
    return lowest.tobytes()


@cache
def _permutations() -> tuple[NDArray[uint64], NDArray[uint64]]:
    """Multiply-and-shift hashing (Dietzfelbinger 1997); the factors are fixed, so that signatures stay comparable."""
    import numpy as np

    random = np.random.default_rng(20_240_601)
    factors = random.integers(1, 1 << 63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    return factors, random.integers(0, 1 << 63, PERMUTATIONS, dtype=np.uint64)


def join_similar(signatures: Sequence[bytes], groups: UnionFind, similar: float = SIMILAR) -> None:
    """Join the members whose texts say nearly the same.

    Args:
        signatures: One a member; empty ones join nothing.
        groups: Is changed; must have as many members.
        similar: The share of equal entries from which on two are joined, 0 to 1.
    """
    import numpy as np

    members = np.array([index for index, one in enumerate(signatures) if one], dtype=np.int64)
    if len(members) < 2:
        return
    table = np.frombuffer(b"".join(signatures[index] for index in members), dtype=np.uint32).reshape(-1, PERMUTATIONS)
    halves = np.ascontiguousarray(table).view(np.uint64).reshape(len(table), -1, 2)
    # A band as one number sorts several times as fast; two bands that meet in it by chance are compared in vain.
    bands = halves[:, :, 0] * np.uint64(0x9E3779B97F4A7C15) ^ halves[:, :, 1]
    for band in range(PERMUTATIONS // ROWS):
        keys = bands[:, band]
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], np.diff(keys[order]) != 0, [True])))
        for bucket in np.flatnonzero(np.diff(starts) > 1):
            rows = order[starts[bucket] : starts[bucket + 1]]
            _join_bucket(rows, table, members, groups, similar)


def _join_bucket(
    rows: NDArray[np.intp], table: NDArray[uint32], members: NDArray[np.int64], groups: UnionFind, similar: float
) -> None:
    """Compare a bucket with its first member, and what is left with the first of that, a few times."""
    for _ in range(4):
        if len(rows) < 2:
            return
        alike = (table[rows[1:]] == table[rows[0]]).mean(axis=1) >= similar
        for row in rows[1:][alike]:
            groups.join(int(members[rows[0]]), int(members[row]))
        rows = rows[1:][~alike]
