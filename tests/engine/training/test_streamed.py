"""A streamed base learns what a resident one learns, bit for bit, whatever happens to the run."""

import dataclasses

import pytest
import torch

from engine.model.streaming.layer_stream import stream_of
from engine.training.data.examples import build_examples
from engine.training.runs.events import LogNote
from engine.training.setup import choose_settings, make_trainer, release_trainer
from tests.engine.training.short_runs import DATA, losses, recipe, train

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


@pytest.fixture(scope="module")
def alone(packed_base, tmp_path_factory):
    """The losses of a run on a resident base."""
    return losses(train(calm(packed_base, memory="saving"), packed_base, tmp_path_factory.mktemp("alone"))[1])


def test_a_run_learns_the_same_and_says_how(alone, streamed_base, tmp_path, monkeypatch):
    moved, to = [], torch.nn.Module.to
    monkeypatch.setattr(
        torch.nn.Module, "to", lambda self, *a, **k: (moved.append(stream_of(self)), to(self, *a, **k))[1]
    )
    outcome, events = train(calm(streamed_base, memory="streamed"), streamed_base, tmp_path / "run")
    assert outcome.step == 4
    assert losses(events) == alone
    assert not any(moved), "what is moved to the device stays there, and fills it"
    assert any("Memory: streamed" in event.text for event in events if isinstance(event, LogNote))
