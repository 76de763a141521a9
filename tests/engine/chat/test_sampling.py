import collections

import pytest
import torch

from engine.chat.records import Sampling
from engine.chat.sampling import RowSampler, pick
from engine.errors import ModelError, StudioError

PROBABILITIES = torch.tensor([0.05, 0.5, 0.15, 0.3])


def rows(count: int, sampling: Sampling) -> list[RowSampler]:
    return [RowSampler(sampling) for _ in range(count)]


def draws(sampling: Sampling, count: int = 2500) -> dict[int, float]:
    row = [RowSampler(sampling)]
    seen = collections.Counter(pick(PROBABILITIES.log().unsqueeze(0), row)[0] for _ in range(count))
    return {token: times / count for token, times in sorted(seen.items())}


def test_temperature_one_draws_as_the_model_estimates():
    assert draws(Sampling(1.0, 1.0)) == pytest.approx({0: 0.05, 1: 0.5, 2: 0.15, 3: 0.3}, abs=0.03)


def test_top_p_keeps_the_likeliest_that_reach_it():
    assert draws(Sampling(1.0, 0.75)) == pytest.approx({1: 0.625, 3: 0.375}, abs=0.03)
    assert draws(Sampling(1.0, 0.85)) == pytest.approx({1: 0.526, 2: 0.158, 3: 0.316}, abs=0.03)
    assert draws(Sampling(1.0, 0.0), 50) == {1: 1.0}


def test_low_temperature_sharpens():
    sharp = PROBABILITIES**2 / (PROBABILITIES**2).sum()
    assert draws(Sampling(0.5, 1.0)) == pytest.approx(dict(enumerate(sharp.tolist())), abs=0.03)


def test_temperature_zero_takes_the_likeliest():
    assert pick(torch.tensor([[0.0, 3.0, 1.0], [5.0, 3.0, 1.0]]), rows(2, Sampling(0.0))) == [1, 0]


def test_same_seed_draws_the_same_whoever_sits_beside():
    scores = torch.randn(40, 3, 50, generator=torch.Generator().manual_seed(1))
    sampling = Sampling(1.0, 0.95, seed=7)
    three, one, other = rows(3, sampling), rows(1, sampling), rows(1, Sampling(1.0, 0.95, seed=8))
    together = [pick(step, three) for step in scores]
    assert [pick(step[2:], one) for step in scores] == [[row[2]] for row in together]
    assert [pick(step[2:], other) for step in scores] != [[row[2]] for row in together]


def test_without_a_seed_answers_differ():
    scores = torch.zeros(1, 1000)
    answers = [
        [pick(scores, row)[0] for _ in range(8)] for row in (rows(1, Sampling(1.0, 1.0, seed=None)) for _ in "ab")
    ]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("seed", [3, None])
def test_global_random_state_is_neither_read_nor_moved(seed):
    scores = torch.randn(2, 100)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = pick(scores, rows(2, Sampling(1.0, seed=3)))
    pick(scores, rows(2, Sampling(1.0, seed=seed)))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert pick(scores, rows(2, Sampling(1.0, seed=3))) == first


def test_scores_that_are_no_numbers_are_told_in_words():
    with pytest.raises(ModelError, match="overflowed"):
        pick(torch.tensor([[1.0, float("nan")]]), rows(1, Sampling()))


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": 9},
        {"top_p": 1.2},
        {"max_new_tokens": 0},
        {"max_new_tokens": 10**6},
        {"seed": -1},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(StudioError, match="must lie between"):
        Sampling(**values)
