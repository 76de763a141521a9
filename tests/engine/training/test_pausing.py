"""A held run gives its GPU memory back. The same code runs here: on the CPU the state moves to another place there."""

import gc
import weakref

import pytest
import torch

from engine.base_holder import BaseHolder
from engine.model.unpacking import linear_4bit_layers, unpack
from engine.training import pausing, qlora_trainer
from engine.training.pausing import PausedMemory
from engine.training.runs import checkpoints
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import LogNote, Stepped
from engine.training.runs.queue import TrainingQueue
from tests.engine.training.runs.test_queue_process import DEADLINE, until
from tests.engine.training.short_runs import losses, recipe, train
from tests.engine.training.test_oom_recovery import calm, full, told, unpacking
from tests.tiny import write_data


class Hold:
    """Holds a run at one step boundary, and then lets it go on or stops it."""

    def __init__(self, at, stop=False):
        self.at, self.stop, self.calls = at, stop, 0

    def is_paused(self):
        self.calls += 1
        return self.calls == self.at

    def should_stop(self):
        return self.stop and self.calls == self.at


@pytest.fixture
def watched(monkeypatch):
    """Let a pause give memory back on the CPU; tells what had gone when it began."""
    monkeypatch.setattr(qlora_trainer, "is_worth_it", lambda device: True)
    seen = []

    class Watched(PausedMemory):
        def give_back(self, device):
            tensors = [
                weakref.ref(tensor)
                for values in self._optimizer.state.values()
                for tensor in values.values()
                if isinstance(tensor, torch.Tensor)
            ]
            given = super().give_back(device)
            gc.collect()
            copies = [layer.unpacked.untyped_storage().nbytes() for layer in self._layers]
            seen.append((given, [reference() is None for reference in tensors], copies))
            return given

    monkeypatch.setattr(qlora_trainer, "PausedMemory", Watched)
    return seen


@pytest.fixture(scope="module")
def alone(tiny_model, tiny_base, tmp_path_factory):
    """The losses of a run that was not held."""
    return losses(train(recipe(tiny_model), tiny_base, tmp_path_factory.mktemp("alone"))[1])


@pytest.fixture(scope="module")
def calm_alone(tiny_model, tiny_base, tmp_path_factory):
    """The same of a recipe whose losses do not depend on the size of the batches."""
    return losses(train(calm(tiny_model), tiny_base, tmp_path_factory.mktemp("calm"))[1])


def held(hold):
    return {"should_stop": hold.should_stop, "is_paused": hold.is_paused}


@pytest.mark.parametrize("at", [5, 8], ids=["between steps", "in a check"])
def test_losses_after_a_pause_are_those_of_a_run_that_was_not_held(
    at, alone, watched, tiny_model, tiny_base, tmp_path, monkeypatch
):
    unpacking(monkeypatch)
    _, events = train(recipe(tiny_model), tiny_base, tmp_path / "held", **held(Hold(at)))
    assert losses(events) == alone
    [(given, gone, copies)] = watched
    assert given > 0
    assert len(gone) > 10
    assert all(gone)
    assert len(copies) == len(linear_4bit_layers(tiny_base.model))
    assert not any(copies)
    assert any(isinstance(event, LogNote) and "given back" in event.text for event in events)


def test_a_pause_leaves_the_shared_base_alone(watched, tiny_model, tiny_base, tmp_path):
    ids = torch.arange(20)[None]
    before = tiny_base.model(ids).logits
    seen = []
    hold = Hold(4)
    stop = hold.should_stop
    hold.should_stop = lambda: seen.append(tiny_base.model(ids).logits) or stop()
    train(recipe(tiny_model), tiny_base, tmp_path / "run", **held(hold))
    assert len(watched) == 1
    assert all(torch.equal(logits, before) for logits in seen)


@pytest.mark.parametrize("at", [5, 7])
def test_a_stop_during_a_pause_saves_a_checkpoint_that_goes_on_exactly(
    at, alone, watched, tiny_model, tiny_base, tmp_path, monkeypatch
):
    """Between two steps, and in the middle of a check, where no step may follow either."""
    unpacking(monkeypatch)
    outcome, first = train(recipe(tiny_model), tiny_base, tmp_path / "cut", **held(Hold(at, stop=True)))
    assert len(watched) == 1
    assert outcome.stopped
    assert checkpoints.newest_sound(tmp_path / "cut" / "checkpoints") == outcome.step > 0
    _, second = train(recipe(tiny_model), tiny_base, tmp_path / "cut", resume_step=outcome.step)
    assert losses(first) + losses(second) == alone


def test_a_stop_during_a_pause_before_the_first_step_takes_none(watched, tiny_model, tiny_base, tmp_path):
    made = recipe(tiny_model, accumulation=1)
    outcome, events = train(made, tiny_base, tmp_path / "run", **held(Hold(1, stop=True)))
    assert outcome.stopped
    assert (outcome.step, losses(events)) == (0, [])
    assert not checkpoints.steps(tmp_path / "run" / "checkpoints")


@pytest.mark.parametrize("at", [5, 7], ids=["between steps", "in a check"])
def test_memory_taken_during_a_pause_makes_the_run_smaller_and_loses_no_step(
    at, calm_alone, watched, tiny_model, tiny_base, tmp_path, monkeypatch
):
    made = calm(tiny_model)
    tries = []

    def taken(self):
        tries.append(len(self._moved))
        raise full()

    monkeypatch.setattr(pausing.PausedMemory, "_take_all", taken)
    outcome, events = train(made, tiny_base, tmp_path / "held", **held(Hold(at)))
    assert len(tries) == 2, "it is tried again once what torch holds is released"
    assert tries[0] > 0
    assert len(told(events)) == 1
    assert "2 instead of 4 rows" in told(events)[0]
    assert outcome.step == 8
    assert [event.step for event in events if isinstance(event, Stepped)] == list(range(1, 9))
    assert losses(events) == pytest.approx(calm_alone, abs=2e-5)


@pytest.mark.parametrize("stopped", [False, True], ids=["goes on", "stopped"])
def test_pause_in_the_window_gives_memory_back_until_the_run_goes_on_or_is_stopped(
    stopped, watched, tiny_model, tiny_base, tmp_path
):
    data = write_data(tmp_path / "data")
    run = RunDirectory.create_at(tmp_path / "run", recipe(tiny_model, max_steps=300, eval_steps=300), data, "run")
    queue = TrainingQueue(BaseHolder(tmp_path))
    queue.add(run)
    until(lambda: run.history.read().steps, "a step")
    assert not watched, "no memory is given back before"
    queue.pause(run.id)
    until(lambda: queue.current().state == "paused", "the pause")
    until(lambda: watched, "the memory")
    assert "given back" in run.history.read().notes[-1][1].text
    assert queue.current().state == "paused", "whatever is noted meanwhile"
    step = run.history.read().steps[-1].step
    if not stopped:
        queue.unpause(run.id)
        until(lambda: run.history.read().steps[-1].step > step + 1, "more steps")
    queue.stop(run.id)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"
    assert checkpoints.newest_sound(run.checkpoints) == run.history.read().steps[-1].step


def trained(rest):
    """Two steps of an 8-bit AdamW with a rest between them."""
    import bitsandbytes

    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(64, 80)), torch.nn.Parameter(torch.randn(64, 80))]
    optimizer = bitsandbytes.optim.AdamW8bit(weights, lr=0.1)
    for _ in range(2):
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        optimizer.step()
        rest(optimizer)
    return weights


def test_eight_bit_state_comes_back_bit_for_bit_and_what_was_shared_stays_shared():
    def rest(optimizer):
        first, second = optimizer.state.values()
        assert first["qmap1"] is second["qmap1"]
        held = PausedMemory(optimizer)
        assert held.give_back(torch.device("cpu")) > 2 * 2 * 64 * 80
        held.take_back()
        assert first["qmap1"] is second["qmap1"]

    for rested, alone in zip(trained(rest), trained(lambda optimizer: None), strict=True):
        assert torch.equal(rested, alone)


def test_managed_memory_and_numbers_stay_where_they_are():
    paged, plain = torch.ones(4), torch.ones(4)
    paged.is_paged = True
    state = {"step": 3, "state1": paged, "absmax1": plain}
    optimizer = type("Optimizer", (), {"state": {"weight": state}})()
    held = PausedMemory(optimizer)
    assert held.give_back(torch.device("cpu")) == plain.nbytes
    assert state["state1"] is paged
    assert state["step"] == 3
    assert state["absmax1"] is not plain
    held.take_back()
    assert torch.equal(state["absmax1"], plain)


def test_unpacked_values_come_back_bit_for_bit(tiny_base):
    layers = linear_4bit_layers(tiny_base.copy())
    unpack(layers)
    before = [layer.unpacked.clone() for layer in layers]
    held = PausedMemory(None, layers)
    assert held.give_back(torch.device("cpu")) == sum(values.nbytes for values in before)
    held.take_back()
    assert all(torch.equal(layer.unpacked, values) for layer, values in zip(layers, before, strict=True))


def test_a_pause_gives_nothing_back_where_there_is_no_gpu():
    assert not pausing.is_worth_it(torch.device("cpu"))
    assert pausing.is_worth_it(torch.device("cuda"))
