import random

from engine.tickets.preparing.duplicates import PERMUTATIONS, combined, join_similar, signature, words_of
from engine.tickets.preparing.splitting import UnionFind
from tests.engine.tickets.importing.hostile import MOST_GROWTH, seconds

WORDS = words_of(
    ["the quick brown fox jumps over a lazy dog while seven grey cats watch it from the garden wall at noon"]
)


def estimate(one: bytes, other: bytes) -> float:
    return sum(one[at : at + 4] == other[at : at + 4] for at in range(0, len(one), 4)) / PERMUTATIONS


def triples(words: list[str]) -> set[tuple[str, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))


def test_the_estimate_is_the_share_of_common_triples() -> None:
    dice = random.Random(5)
    errors = []
    for _ in range(60):
        words = [f"w{dice.randrange(500)}" for _ in range(120)]
        changed = [word if dice.random() > 0.08 else f"x{dice.randrange(500)}" for word in words]
        share = len(triples(words) & triples(changed)) / len(triples(words) | triples(changed))
        errors.append(estimate(signature(words), signature(changed)) - share)
    assert abs(sum(errors) / len(errors)) < 0.02
    assert max(map(abs, errors)) < 0.25


def test_signatures_are_the_same_in_every_process() -> None:
    assert signature(WORDS)[:8].hex() == "d79fde1176a20104"


def test_a_text_without_a_triple_has_no_signature() -> None:
    assert signature(["thank", "you"]) == b""


def test_signatures_of_parts_give_that_of_the_whole() -> None:
    parts = combined(signature(WORDS[:12]), signature(WORDS[10:]))
    assert parts == signature(WORDS)
    assert combined(b"", parts) == combined(parts, b"") == parts


def test_near_copies_are_joined_and_others_are_not() -> None:
    near = [*WORDS[:-1], "midnight"]
    other = words_of(
        ["my parcel has not come yet and the tracking page shows nothing at all since last friday morning"]
    )
    groups = UnionFind(5)
    join_similar([signature(WORDS), signature(other), signature(near), b"", b""], groups)
    assert sorted(map(sorted, groups.groups().values())) == [[0, 2], [1], [3], [4]]


def test_four_times_as_many_take_about_four_times_as_long() -> None:
    dice = random.Random(1)
    templates = [signature([f"w{dice.randrange(3000)}" for _ in range(60)]) for _ in range(100)]
    singles = [dice.randbytes(PERMUTATIONS * 4) for _ in range(20_000)]

    def join(share: int) -> None:
        groups = UnionFind(40_000 // share)
        join_similar(singles[: 20_000 // share] + templates * (200 // share), groups)
        assert len(groups.groups()) == 20_000 // share + 100

    assert seconds(join, 1) < MOST_GROWTH * min(seconds(join, 4) for _ in range(3))
