from engine.training.ordering import EpochOrder

LENGTHS = [5, 90, 7, 80, 6, 70, 8, 60, 9, 50, 4, 11, 83, 12, 74, 13, 66, 14, 58, 15, 52]


def test_every_example_is_seen_once_in_an_epoch_and_the_order_depends_on_seed_and_epoch_alone():
    for by_length in (True, False):
        order = EpochOrder(LENGTHS, 2, 1, by_length=by_length)
        first = list(order)
        assert sorted(first) == list(range(21))
        order.set_epoch(1)
        assert list(order) != first
        order.set_epoch(0)
        assert list(order) == first
        assert list(EpochOrder(LENGTHS, 2, 2, by_length=by_length)) != first


def test_batches_hold_similar_lengths_and_the_longest_comes_first():
    order = list(EpochOrder(LENGTHS, 2, 3, by_length=True))
    batches = [[LENGTHS[i] for i in order[n : n + 2]] for n in range(0, 21, 2)]
    assert batches[0] == [90, 83]
    assert all(max(batch) - min(batch) <= 40 for batch in batches)
    assert len(batches[-1]) == 1
