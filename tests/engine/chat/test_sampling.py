import collections

import pytest
import torch

from engine.chat.records import Sampling
from engine.chat.sampling import RowSampler, pick
from engine.errors import StudioError

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


def test_scores_that_are_no_numbers_give_no_token_to_their_own_row():
    scores = torch.tensor([[1.0, float("nan")], [1.0, 2.0]])
    assert pick(scores, rows(2, Sampling())) == [None, 1]
    assert pick(scores, rows(2, Sampling(1.0, 0.0))) == [None, 1]


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
        {"top_k": -1},
        {"min_p": 1.5},
        {"repetition_penalty": 0.5},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(StudioError, match="must lie between"):
        Sampling(**values)


def transformers_allows(sampling: Sampling, scores: torch.Tensor, said: list[int]) -> torch.Tensor:
    """The probabilities that generate() draws from, by its own processors in its own order; shape (vocabulary,)."""
    from transformers import (
        MinPLogitsWarper,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    ids, scores = torch.tensor([said]), scores.clone()[None]
    processors = [
        RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty) if sampling.repetition_penalty != 1 else None,
        TemperatureLogitsWarper(sampling.temperature),
        TopKLogitsWarper(sampling.top_k) if sampling.top_k else None,
        TopPLogitsWarper(sampling.top_p) if sampling.top_p < 1 else None,
        MinPLogitsWarper(sampling.min_p) if sampling.min_p else None,
    ]
    for processor in processors:
        scores = processor(ids, scores) if processor else scores
    return scores.softmax(-1)[0]


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(0.7, 1.0),
        Sampling(1.3, 0.8),
        Sampling(1.0, 1.0, top_k=5),
        Sampling(1.0, 1.0, min_p=0.1),
        Sampling(1.0, 1.0, repetition_penalty=1.4),
        Sampling(0.8, 0.9, top_k=12, min_p=0.05, repetition_penalty=1.2),
        Sampling(2.0, 0.6, top_k=30, min_p=0.3),
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_settings_allow_and_weigh_what_transformers_does(sampling, seed):
    chance = torch.Generator().manual_seed(seed)
    scores = torch.randn(40, generator=chance) * 2.5
    said = torch.randint(0, 40, (9,), generator=chance).tolist()
    wanted = transformers_allows(sampling, scores, said)
    steps = 4000
    row = [RowSampler(sampling, said)]
    row[0].note = lambda _: None  # the same choice again and again
    even = iter((torch.arange(steps, dtype=torch.float64) + 0.5) / steps)
    row[0].chance = lambda: next(even)[None]
    seen = collections.Counter(pick(scores[None], row)[0] for _ in range(steps))
    drawn = torch.tensor([seen[token] / steps for token in range(40)])
    assert torch.allclose(drawn, wanted, atol=2 / steps)


def test_greedy_answers_repeat_less_with_a_penalty_as_with_transformers():
    from transformers import RepetitionPenaltyLogitsProcessor

    scores = torch.tensor([[4.0, 3.9, -1.0, -0.5]])
    row = RowSampler(Sampling(repetition_penalty=1.5), [0, 3])
    wanted = RepetitionPenaltyLogitsProcessor(1.5)(torch.tensor([[0, 3]]), scores.clone()).argmax().item()
    assert [pick(scores, [row])[0], pick(scores, [row])[0]] == [wanted, 0] == [1, 0]


def test_rows_with_settings_of_their_own_draw_as_alone():
    scores = torch.randn(5, 200, generator=torch.Generator().manual_seed(3))
    settings = [
        Sampling(),
        Sampling(1.0, 0.9, seed=4),
        Sampling(1.5, 1.0, seed=4, top_k=7),
        Sampling(repetition_penalty=1.3),
        Sampling(1.0, 0.9, seed=9),
    ]
    together, apart = ([RowSampler(each, [1, 2, 3]) for each in settings] for _ in "ab")
    for _ in range(6):
        alone = [pick(scores[n : n + 1], [row])[0] for n, row in enumerate(apart)]
        assert pick(scores, together) == alone


@pytest.mark.parametrize("words", [("",), ("x" * 101,), tuple(map(str, range(17)))])
def test_stop_words_that_mean_nothing_are_refused(words):
    with pytest.raises(StudioError, match="stop words"):
        Sampling(stop_words=words)
