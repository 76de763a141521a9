"""Rows in the fixed places of a recording: the same bookkeeping as on a card, its steps computed layer by layer."""

import pytest
import torch

from engine.chat import continuous_batch
from engine.chat.batch import DecodingBatch
from engine.chat.continuous_batch import ContinuousBatch, Request
from engine.chat.cuda_graphs import captured_step, recordings
from engine.chat.cuda_graphs.captured_step import CapturedStep, row_bucket
from engine.chat.cuda_graphs.recorded_batch import RecordedBatch
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from tests.engine.chat.lora import make_lora
from tests.engine.chat.test_batch import prompts, spoken

GREEDY = Sampling(max_new_tokens=14)


class LayerByLayer(CapturedStep):
    """Computes what a card would replay; fails at the step ``fails``, as a driver may."""

    fails = -1
    steps = 0

    def _computed(self) -> torch.Tensor:
        self.steps += 1
        if self.steps == self.fails:
            raise RuntimeError("no compiler")
        return self._forward(recorded=False)


@pytest.fixture
def recorded(bank, monkeypatch):
    """Makes recordings for a bank that has none; gives those that were made."""
    made: list[LayerByLayer] = []
    monkeypatch.setattr(continuous_batch, "TOGETHER", 1)

    def have(fails: int = -1) -> list[LayerByLayer]:
        groups = [[bank.adapted_layer(name)] for name in bank.packed_layers()]

        def make(rows: int, length: int, largest: int) -> LayerByLayer:
            step = LayerByLayer(bank.model, groups, bank.assignment, rows, length, 16)
            step.fails = fails
            made.append(step)
            return step

        monkeypatch.setattr(bank.recordings, "_made", make)
        monkeypatch.setattr(
            bank.recordings, "_groups", [{name: bank.adapted_layer(name)} for name in bank.packed_layers()]
        )
        monkeypatch.setattr(recordings, "LENGTH_STEP", 16)
        return made

    return have


@pytest.fixture
def questions(bank, friendly, formal) -> list[Row]:
    names = [None, bank.load(friendly), bank.load(formal)]
    return [Row(prompt, names[number % 3]) for number, prompt in enumerate(prompts(9))]


def ending_at_different_times(bank, questions) -> tuple[list[tuple[int, ...]], set[int]]:
    """What each says alone, with tokens that end some of them early, and these tokens."""
    free = [spoken(bank, [row], GREEDY)[0] for row in questions]
    stop = {free[0][3], free[4][6], free[7][1]}
    return [spoken(bank, [row], GREEDY, stop)[0] for row in questions], stop


def test_the_bank_of_these_tests_has_layers_that_can_be_recorded(bank):
    assert len(bank.packed_layers()) == 14


@pytest.mark.parametrize("most", [1, 2, 4, 9])
def test_rows_come_and_go_in_a_recording_and_say_what_they_say_alone(bank, questions, recorded, most):
    wanted, stop = ending_at_different_times(bank, questions)
    made = recorded()
    assert spoken(bank, questions, GREEDY, stop, most) == wanted
    assert spoken(bank, questions[::-1], GREEDY, stop, most) == wanted[::-1], "the same recording, empty again"
    assert [(step.rows, step.length) for step in made] == [(row_bucket(most), 48)]
    assert made[0].steps > 0


def test_rows_move_when_the_columns_of_a_recording_run_out(bank, questions, recorded, monkeypatch):
    moved: list[int] = []
    move = captured_step.CapturedStep._move
    monkeypatch.setattr(captured_step.CapturedStep, "_move", lambda self, by: moved.append(by) or move(self, by))
    wanted, stop = ending_at_different_times(bank, questions)
    made = recorded()
    assert spoken(bank, questions, GREEDY, stop, most=2) == wanted
    assert made[0].length == 48, "the longest prompt and its answer, and two more"
    assert min(moved) < 0, "to the left, where columns are free"
    assert max(moved) > 0, "to the right, for a longer prompt"


def test_a_recording_that_fails_in_the_middle_costs_no_token(bank, questions, recorded):
    wanted = [spoken(bank, [row], GREEDY)[0] for row in questions]
    made = recorded(fails=6)
    assert spoken(bank, questions, GREEDY, most=4) == wanted
    assert (len(made), made[0].steps) == (1, 6)
    assert bank.recordings._groups == []


def test_a_row_that_does_not_fit_a_recording_waits_for_another(bank, questions, recorded):
    made = recorded()
    batch = RecordedBatch(bank, 0, bank.recordings.acquire([None, None], 32))
    assert batch.room(questions[0], 32, 1)
    assert not batch.room(questions[0], 33, 0), "too long"
    assert not batch.room(questions[0], 32, 2), "no third place"
    bank.recordings.release(made[0])


def test_what_a_recording_has_read_can_be_kept(bank, questions, recorded):
    recorded()
    row = questions[4]
    batch = RecordedBatch(bank, 0, bank.recordings.acquire([None, row.adapter], 64))
    batch.prefill([questions[0], row])
    batch.step([7, 8])
    batch.remove([0, 1], keep=[1])
    longer = Row((*row.prompt, 8, 9, 10), row.adapter)
    assert bank.prefixes.find(bank.reader(row.adapter), longer.prompt)[1] == len(row.prompt) + 1
    scores = DecodingBatch(bank, 0, 1).prefill([longer])
    bank.prefixes.forget()
    assert torch.allclose(scores, DecodingBatch(bank, 0, 1).prefill([longer]), atol=1e-4)


def test_an_answer_that_is_given_up_leaves_an_empty_recording(bank, questions, recorded):
    (wanted,) = spoken(bank, questions[:1], GREEDY)
    made = recorded()
    stream = decode(bank, questions[:2], GREEDY, frozenset(), 0)
    next(stream), next(stream)
    stream.close()
    assert bank.recordings._free == made
    assert spoken(bank, [questions[0]] * 2, GREEDY) == [wanted] * 2
    assert len(made) == 1


def test_who_comes_later_gets_a_place_in_a_larger_recording_at_once(bank, questions, recorded):
    wanted = [spoken(bank, [row], GREEDY)[0] for row in questions[:4]]
    made = recorded()
    requests = [Request(row, GREEDY, frozenset()) for row in questions[:4]]
    batch = ContinuousBatch(bank, 0)
    batch.add(requests[:1])
    for _ in range(5):
        batch.advance()
    batch.add(requests[1:])
    batch.advance()
    assert [len(request.state.tokens) for request in requests] == [6, 1, 1, 1]
    while batch.advance():
        pass
    assert [request.state.tokens for request in requests] == wanted
    assert [step.rows for step in made] == [1, 4]
    assert bank.recordings._free == made, "both wait for the next"


def test_who_cannot_be_recorded_waits_and_slows_nobody_down(tiny_base, bank, questions, recorded, tmp_path):
    biased = make_lora(tiny_base, tmp_path / "biased", seed=9, lora_bias=True, std=0.3)
    odd = Row(questions[3].prompt, bank.load(biased))
    wanted = [spoken(bank, [row], GREEDY)[0] for row in (questions[0], odd)]
    made = recorded()
    requests = [Request(row, GREEDY, frozenset()) for row in (questions[0], odd)]
    batch = ContinuousBatch(bank, 0)
    batch.add(requests[:1])
    batch.advance()
    batch.add(requests[1:])
    while batch.advance():
        assert requests[0].state.done or not requests[1].state.tokens
    assert [request.state.tokens for request in requests] == wanted
    assert len(made) == 1
