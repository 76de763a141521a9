import itertools

import numpy as np
import pytest

from engine.training.data.examples import IGNORED
from engine.training.data.sampling import EpochOrder, RankBatches, WithBlank

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
    lengths = [10 + (n * 37) % 400 for n in range(800)]
    order = list(EpochOrder(lengths, 2, 3, by_length=True))
    batches = [[lengths[i] for i in order[n : n + 2]] for n in range(0, 800, 2)]
    assert max(batches[0]) == max(lengths)
    assert all(max(batch) - min(batch) <= 40 for batch in batches)
    assert len(list(EpochOrder(LENGTHS, 2, 3, by_length=True))[20:]) == 1


def test_a_small_set_makes_other_batches_in_every_epoch():
    lengths = [10 + (n * 37) % 400 for n in range(80)]
    order = EpochOrder(lengths, 4, 1, by_length=True)
    epochs = []
    for epoch in range(6):
        order.set_epoch(epoch)
        rows = list(order)
        epochs.append({frozenset(rows[n : n + 4]) for n in range(0, 80, 4)})
    again = [len(one & other) for one, other in itertools.pairwise(epochs)]
    assert max(again) <= 2
    whole = EpochOrder(lengths, 4, 1, by_length=False)
    padding = [sum(max(lengths[i] for i in batch) * 4 for batch in batches) for batches in epochs]
    rows = list(whole)
    shuffled = sum(max(lengths[i] for i in rows[n : n + 4]) * 4 for n in range(0, 80, 4))
    assert max(padding) < 0.9 * shuffled


@pytest.mark.parametrize("by_length", [True, False])
@pytest.mark.parametrize(
    ("micro_batch", "accumulation", "ranks"), [(1, 1, 4), (2, 1, 2), (1, 2, 2), (1, 4, 1), (2, 3, 3)]
)
@pytest.mark.parametrize("count", [21, 20, 18, 3, 1])
def test_every_step_of_several_ranks_holds_the_rows_that_it_holds_on_one(
    by_length, micro_batch, accumulation, ranks, count
):
    order = EpochOrder(LENGTHS[:count], 2, 1, by_length=by_length)
    a_step = micro_batch * accumulation * ranks
    rows = list(order)
    shares = [list(RankBatches(order, micro_batch, accumulation, rank, ranks)) for rank in range(ranks)]
    assert {len(share) for share in shares} == {len(RankBatches(order, micro_batch, accumulation, 0, ranks))}
    assert all(1 <= len(batch) <= micro_batch for share in shares for batch in share)
    for step in range(-(-count // a_step)):
        batches = [batch for share in shares for batch in share[step * accumulation : (step + 1) * accumulation]]
        taken = sorted(row for batch in batches for row in batch if row != count)
        assert taken == sorted(rows[step * a_step : (step + 1) * a_step])


def test_a_rank_that_gets_no_row_takes_one_that_teaches_nothing():
    rows = [{"input_ids": np.arange(5), "labels": np.arange(5), "seq_lengths": [2, 3]}]
    blank = WithBlank(rows)
    assert len(blank) == 1
    assert blank[0] == rows[0]
    assert list(blank[1]["input_ids"]) == [0, 1]
    assert list(blank[1]["labels"]) == [IGNORED, IGNORED]
    assert list(blank[1]["seq_lengths"]) == [2]
