from engine.tickets.preparing.splitting import choose_heldout
from engine.tickets.union_find import UnionFind


def test_the_newest_are_held_out() -> None:
    held, basis = choose_heldout([float(number) for number in range(10)], UnionFind(10), 0.2, "recent", 0)
    assert held == {8, 9}
    assert "date" in basis


def test_without_dates_the_last_are_held_out() -> None:
    held, basis = choose_heldout([None] * 10, UnionFind(10), 0.2, "recent", 0)
    assert held == {8, 9}
    assert "no dates" in basis


def test_random_depends_on_the_seed_alone() -> None:
    stamps = [None] * 100
    first = choose_heldout(stamps, UnionFind(100), 0.2, "random", 1)
    assert first == choose_heldout(stamps, UnionFind(100), 0.2, "random", 1)
    assert first != choose_heldout(stamps, UnionFind(100), 0.2, "random", 2)
    assert len(first[0]) == 20


def test_a_group_is_never_torn() -> None:
    groups = UnionFind(10)
    groups.join_equal(["a", "", "b", "", "b", "", "", "", "", "a"])
    held, _ = choose_heldout([float(number) for number in range(10)], groups, 0.2, "recent", 0)
    assert held == {0, 9}
    assert sorted(groups.groups()[0]) == [0, 9]


def test_a_group_larger_than_what_is_held_out_stays_in_training() -> None:
    groups = UnionFind(10)
    groups.join_equal(["a"] * 8 + ["", ""])
    held, _ = choose_heldout([float(-number) for number in range(10)], groups, 0.2, "recent", 0)
    assert held == {8, 9}


def test_one_group_of_all_leaves_nothing_to_hold_out() -> None:
    groups = UnionFind(4)
    groups.join_equal(["a"] * 4)
    assert choose_heldout([1.0] * 4, groups, 0.5, "recent", 0)[0] == set()


def test_something_is_held_out_and_something_learnt_even_of_two() -> None:
    assert choose_heldout([1.0, 2.0], UnionFind(2), 0.1, "recent", 0)[0] == {1}
    assert choose_heldout([1.0], UnionFind(1), 0.5, "recent", 0)[0] == set()
    assert choose_heldout([1.0, 2.0], UnionFind(2), 0.0, "recent", 0)[0] == set()
