"""A streamed base learns what a resident one learns, bit for bit, whatever happens to the run."""

import dataclasses
import re

import pytest
import torch

from engine.model.base import load_base
from engine.model.streaming import loading
from engine.model.streaming.layer_stream import LayerStream, stream_of
from engine.training import qlora_trainer
from engine.training.data.examples import build_examples
from engine.training.pausing import PausedMemory
from engine.training.qlora_trainer import QLoRATrainer
from engine.training.runs.events import Evaluated, LogNote, Started, Stepped
from engine.training.setup import choose_settings, make_trainer, release_trainer
from engine.training.trainer import TrainingData
from tests.engine.training.short_runs import DATA, STUBBORN, losses, recipe, stop_after, train
from tests.engine.training.test_pausing import Hold, held

LAYERS = 5


def calm(base, **changes):
    return recipe(base.ref, **{"max_steps": 4, "eval_steps": 2, "accumulation": 1, **changes})


def settings_for(base, made):
    return choose_settings(made, build_examples(DATA.train, base.chat, made), base, lambda _: None)


def gradients(base, made, settings, folder):
    """Every gradient of one pass over the first rows, and the loss; with dropout."""
    examples = [build_examples(part, base.chat, made, may_be_empty=True) for part in (DATA.train, DATA.heldout)]
    trainer = make_trainer(made, *examples, base, folder, lambda _: None, lambda: False, settings)
    rows = [trainer.train_dataset[number] for number in range(2)]
    batch = trainer._prepare_inputs(trainer.data_collator(rows))
    torch.manual_seed(1)
    loss = trainer.compute_loss(trainer.model.train(), batch)
    loss.backward()
    named = trainer.model.named_parameters()
    found = {name: parameter.grad.clone() for name, parameter in named if parameter.requires_grad}
    fetches = stream_of(trainer.model).fetches if stream_of(trainer.model) else 0
    release_trainer(trainer)
    return loss.item(), found, fetches


@pytest.mark.parametrize(
    ("packing", "ways"), [("on", ((0, 0), (2, 0), (1, 2))), ("off", ((1, LAYERS),))], ids=["packed", "in rows"]
)
def test_gradients_are_those_of_a_resident_base_bit_for_bit(packing, ways, packed_base, streamed_base, tmp_path):
    made = calm(packed_base, memory="saving", packing=packing, max_length=128)
    loss, wanted, _ = gradients(packed_base, made, settings_for(packed_base, made), tmp_path)
    streaming = settings_for(streamed_base, made)
    assert streaming.mode == "streamed"
    assert streaming.recompute
    for ahead, stay in ways:
        settings = dataclasses.replace(streaming, ahead=ahead, resident=stay)
        again, found, fetches = gradients(streamed_base, made, settings, tmp_path)
        assert again == loss
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], gradient) for name, gradient in wanted.items()), (ahead, stay)
        comes = LAYERS - stay
        places = min(ahead + 1, comes)
        assert fetches == stay + comes + max(0, comes - places), "up once, and down what is not there from the way up"


def test_layers_that_lie_in_a_file_are_told_with_the_speed_of_the_disk(packed_base, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "ARENA_SHARE", 0.0)
    made, told = calm(packed_base, memory="streamed"), []
    base = load_base(made, tmp_path, lambda *_: None, streamed=True)
    choose_settings(made, build_examples(DATA.train, base.chat, made), base, told.append)
    (note,) = [note.text for note in told if "disk" in note.text]
    assert re.fullmatch(
        r"The computer's memory is short of this model, so its layers are read from disk at [\d.]+ GB/s\.", note
    )


@pytest.fixture(scope="module")
def alone(packed_base, tmp_path_factory):
    """The losses of a run on a resident base."""
    return losses(train(calm(packed_base, memory="saving"), packed_base, tmp_path_factory.mktemp("alone"))[1])


@pytest.fixture
def streams(monkeypatch):
    """Every stream that is made, held on to as an error's frames might."""
    made, begin = [], LayerStream.__init__

    def remembered(self, *args, **options):
        made.append(self)
        begin(self, *args, **options)

    monkeypatch.setattr(LayerStream, "__init__", remembered)
    return made


def memory_of(stream):
    return sum(place.buffer.untyped_storage().nbytes() for place in (*stream._places, *stream._own.values()))


def test_memory_that_runs_out_sends_layers_home_and_holds_none_of_what_failed(
    alone, streams, streamed_base, tmp_path, monkeypatch
):
    made = calm(streamed_base, memory="streamed")
    settings = dataclasses.replace(settings_for(streamed_base, made), resident=3, ahead=1)
    streams.clear()
    real, before = QLoRATrainer.compute_loss, []

    def narrow(self, *args, **options):
        loss = real(self, *args, **options)
        if self.settings.resident > 1 and self.state.global_step == 2:
            before.append([memory_of(stream) for stream in streams])
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return loss

    monkeypatch.setattr(QLoRATrainer, "compute_loss", narrow)
    outcome, events = train(made, streamed_base, tmp_path / "run", begin_with=settings)
    told = [event.text for event in events if isinstance(event, LogNote) and "Memory ran out" in event.text]
    assert [text.split(" with ")[1].split(".")[0] for text in told] == [
        "2 instead of 3 layers that stay on the device",
        "1 instead of 2 layers that stay on the device",
    ]
    assert outcome.step == 4
    assert losses(events) == pytest.approx(alone, abs=2e-5)
    assert all(memory[-1] and not any(memory[:-1]) for memory in before), "the one before is gone when the next is made"
    assert [memory_of(stream) for stream in streams] == [0] * 3


def test_a_place_that_cannot_be_had_leaves_none_behind(streams, streamed_base, monkeypatch):
    real, left = torch.empty, iter(range(3))

    def narrow(*args, **options):
        if next(left, None) is None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return real(*args, **options)

    monkeypatch.setattr(torch, "empty", narrow)
    with pytest.raises(torch.OutOfMemoryError):
        streamed_base.copy(1, 3)
    assert len(streams[0]._places) + len(streams[0]._own) == 3
    assert memory_of(streams[0]) == 0


def test_a_stopped_run_goes_on_as_if_it_had_not_been(alone, streamed_base, tmp_path):
    made = calm(streamed_base, memory="streamed")
    outcome, first = train(made, streamed_base, tmp_path / "run", should_stop=stop_after(3))
    assert 0 < outcome.step < 4
    _, second = train(made, streamed_base, tmp_path / "run", resume_step=outcome.step)
    assert losses(first) + losses(second) == pytest.approx(alone, abs=2e-5)


def test_a_run_that_learns_by_heart_ends_early_and_keeps_its_best(streamed_base, tmp_path):
    made = calm(streamed_base, memory="streamed", max_steps=12, patience=1, eval_steps=1, learning_rate=0.05)
    outcome, events = train(made, streamed_base, tmp_path / "run", TrainingData(STUBBORN[:1] * 2, STUBBORN[1:]))
    checks = {event.step: event.loss for event in events if isinstance(event, Evaluated)}
    assert outcome.step < 12
    assert any("so the run ends here" in event.text for event in events if isinstance(event, LogNote))
    assert outcome.kept == min((step for step in checks if step), key=checks.get)
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize("at", [3, 5], ids=["between steps", "in a check"])
def test_a_run_that_was_paused_learns_as_if_it_had_not_been(at, alone, streams, streamed_base, tmp_path, monkeypatch):
    monkeypatch.setattr(qlora_trainer, "is_worth_it", lambda device: True)
    hold, during = Hold(at), []
    goes_on = hold.should_stop
    hold.should_stop = lambda: during.append(memory_of(streams[-1])) or goes_on()
    _, events = train(calm(streamed_base, memory="streamed"), streamed_base, tmp_path / "run", **held(hold))
    assert losses(events) == alone
    assert during.count(0) == 1, "its places are given back for the pause alone"
    assert any("given back until the run goes on" in event.text for event in events if isinstance(event, LogNote))


def test_a_pause_gives_the_places_back(packed_base, streamed_base):
    ids, copy = torch.arange(24)[None], streamed_base.copy(1, 2)
    paused = PausedMemory(None, (), stream_of(copy))
    assert paused.give_back(streamed_base.device) > 0
    assert memory_of(stream_of(copy)) == 0
    paused.take_back()
    with torch.no_grad():
        assert torch.equal(copy(ids).logits, packed_base.model(ids).logits)


def test_a_run_learns_the_same_and_says_how(alone, streamed_base, tmp_path, monkeypatch):
    moved, to = [], torch.nn.Module.to
    monkeypatch.setattr(
        torch.nn.Module, "to", lambda self, *a, **k: (moved.append(stream_of(self)), to(self, *a, **k))[1]
    )
    outcome, events = train(calm(streamed_base, memory="streamed"), streamed_base, tmp_path / "run")
    assert outcome.step == 4
    assert losses(events) == alone
    assert not any(moved), "what is moved to the device stays there, and fills it"
    notes = [event.text for event in events if isinstance(event, LogNote)]
    assert any("Memory: streamed" in note for note in notes)
    begun = next(event for event in events if isinstance(event, Started))
    assert (begun.resident, begun.streamed) == (0, LAYERS)
    stalls = [event.stalled for event in events if isinstance(event, Stepped)]
    assert min(stalls) > 0, "on the processor a layer is waited for while it is copied"
    assert sum(stalls) < next(event.seconds for event in reversed(events) if isinstance(event, Stepped))
    assert sum("% of the time for layers from the computer's memory" in note for note in notes) == 1
