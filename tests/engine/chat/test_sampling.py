import collections

import pytest
import torch

from engine.chat.records import Sampling
from engine.chat.sampling import Sampler
from engine.errors import ModelError, StudioError

PROBABILITIES = torch.tensor([0.05, 0.5, 0.15, 0.3])


def draws(sampling: Sampling, count: int = 2500) -> dict[int, float]:
    sampler = Sampler(sampling, 1)
    seen = collections.Counter(sampler.pick(PROBABILITIES.log().unsqueeze(0))[0] for _ in range(count))
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
    assert Sampler(Sampling(0.0), 2).pick(torch.tensor([[0.0, 3.0, 1.0], [5.0, 3.0, 1.0]])) == [1, 0]


def test_same_seed_draws_the_same_whoever_sits_beside():
    scores = torch.randn(40, 3, 50, generator=torch.Generator().manual_seed(1))
    sampling = Sampling(1.0, 0.95, seed=7)
    three, one, other = Sampler(sampling, 3), Sampler(sampling, 1), Sampler(Sampling(1.0, 0.95, seed=8), 1)
    together = [three.pick(step) for step in scores]
    assert [one.pick(step[2:]) for step in scores] == [[row[2]] for row in together]
    assert [other.pick(step[2:]) for step in scores] != [[row[2]] for row in together]


def test_without_a_seed_answers_differ():
    scores = torch.zeros(1, 1000)
    answers = [
        [sampler.pick(scores)[0] for _ in range(8)]
        for sampler in (Sampler(Sampling(1.0, 1.0, seed=None), 1) for _ in "ab")
    ]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("seed", [3, None])
def test_global_random_state_is_neither_read_nor_moved(seed):
    scores = torch.randn(2, 100)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = Sampler(Sampling(1.0, seed=3), 2).pick(scores)
    Sampler(Sampling(1.0, seed=seed), 2).pick(scores)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert Sampler(Sampling(1.0, seed=3), 2).pick(scores) == first


def test_scores_that_are_no_numbers_are_told_in_words():
    with pytest.raises(ModelError, match="overflowed"):
        Sampler(Sampling(), 1).pick(torch.tensor([[1.0, float("nan")]]))


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
