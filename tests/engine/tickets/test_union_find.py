from engine.tickets.union_find import UnionFind


def test_groups_that_share_a_member_are_one() -> None:
    groups = UnionFind(5)
    groups.join(3, 4)
    groups.join(1, 3)
    assert groups.groups() == {0: [0], 1: [1, 3, 4], 2: [2]}
    assert groups.find(4) == groups.find(1) != groups.find(2)


def test_equal_keys_join_and_empty_ones_do_not() -> None:
    groups = UnionFind(6)
    groups.join_equal(["a", "", None, b"", "a", ""])
    assert [len(members) for members in groups.groups().values()] == [2, 1, 1, 1, 1]
