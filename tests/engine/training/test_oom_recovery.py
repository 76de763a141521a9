"""Memory runs out at every moment of a run, and the run goes on; on a tiny model, with a step that says it is full."""

import dataclasses

import pytest
import torch

from engine.errors import ResourceError
from engine.model.device_errors import has_lost_gpu, is_out_of_memory, without_frames
from engine.training import setup
from engine.training.memory import modes
from engine.training.oom_recovery import give_way
from engine.training.qlora_trainer import QLoRATrainer
from engine.training.runs import checkpoints
from engine.training.runs.events import Evaluated, LogNote, Started, Stepped
from tests.engine.training.short_runs import losses, recipe, stop_after, train


def full():
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")


def calm(tiny_model, **changes):
    """A recipe whose losses do not depend on how a step is split into batches."""
    return recipe(
        tiny_model, **{"batch_size": 4, "accumulation": 1, "dropout": 0.0, "group_by_length": False, **changes}
    )


@pytest.fixture(scope="module")
def alone(tiny_model, tiny_base, tmp_path_factory):
    """The events of a run that always had memory enough."""
    return train(calm(tiny_model), tiny_base, tmp_path_factory.mktemp("alone"))[1]


def raising(real, times, when=lambda *_: True):
    """A function that is full the first ``times`` it is called where ``when`` says so."""
    left = iter(range(times))

    def narrow(*args, **kwargs):
        if when(*args) and next(left, None) is not None:
            raise full()
        return real(*args, **kwargs)

    return narrow


def told(events):
    return [event.text for event in events if isinstance(event, LogNote) and "Memory ran out" in event.text]


def by_step(events, kind):
    return {event.step: event.loss for event in events if isinstance(event, kind)}


def unpacking(monkeypatch):
    """Let the copy have an unpacked base of its own, as a spacious run on a GPU does."""
    ours = modes._on_the_processor
    monkeypatch.setattr(modes, "_on_the_processor", lambda *args: dataclasses.replace(ours(*args), unpack=True))


@pytest.mark.parametrize("where", ["unpack", "fuse_lora_layers"])
def test_what_does_not_fit_before_the_first_step_is_tried_smaller(
    where, alone, tiny_model, tiny_base, tmp_path, monkeypatch
):
    unpacking(monkeypatch)
    monkeypatch.setattr(setup, where, raising(getattr(setup, where), 3))
    outcome, events = train(calm(tiny_model), tiny_base, tmp_path / "narrow")
    assert outcome.step == 8
    assert [text.split(" with ")[1].split(".")[0] for text in told(events)] == [
        "2 instead of 4 rows at a time",
        "1 instead of 2 rows at a time",
        "the base packed again",
    ]
    assert losses(events) == pytest.approx(losses(alone), abs=2e-5)


def test_a_resumed_run_that_does_not_fit_goes_on_from_its_checkpoint(
    alone, tiny_model, tiny_base, tmp_path, monkeypatch
):
    made = calm(tiny_model)
    outcome, first = train(made, tiny_base, tmp_path / "cut", should_stop=stop_after(6))
    monkeypatch.setattr(setup, "fuse_lora_layers", raising(setup.fuse_lora_layers, 1))
    monkeypatch.setattr(
        QLoRATrainer, "_load_from_checkpoint", raising(QLoRATrainer._load_from_checkpoint, 1)
    )  # where transformers does not know yet at which step the run is
    _, second = train(made, tiny_base, tmp_path / "cut", resume_step=outcome.step)
    assert len(told(second)) == 2
    assert all(f"from step {outcome.step} " in text for text in told(second))
    assert [event.first_step for event in second if isinstance(event, Started)] == [outcome.step] * 2
    assert losses(first) + losses(second) == pytest.approx(losses(alone), abs=2e-5)


def test_when_not_even_the_smallest_trainer_fits_the_checkpoint_and_its_adapter_stay(
    tiny_model, tiny_base, tmp_path, monkeypatch
):
    made = calm(tiny_model)
    outcome, _ = train(made, tiny_base, tmp_path / "run", should_stop=stop_after(6))
    monkeypatch.setattr(setup, "fuse_lora_layers", raising(setup.fuse_lora_layers, 100))
    with pytest.raises(ResourceError, match="Memory ran out"):
        train(made, tiny_base, tmp_path / "run", resume_step=outcome.step)
    assert checkpoints.newest_sound(tmp_path / "run" / "checkpoints") == outcome.step
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()


@pytest.fixture(scope="module")
def seven(tiny_model, tiny_base, tmp_path_factory):
    """The same with 7 steps, and its outcome."""
    return train(calm(tiny_model, max_steps=7), tiny_base, tmp_path_factory.mktemp("seven"))


@pytest.mark.parametrize("step", [0, 4, 7])
def test_a_check_that_does_not_fit_is_made_up_for(step, seven, tiny_model, tiny_base, tmp_path, monkeypatch):
    """The check of the base, one in the middle, and the one after a last step that is no multiple of eval_steps."""
    made = calm(tiny_model, max_steps=7)
    whole, alone = seven
    real = QLoRATrainer.prediction_step
    monkeypatch.setattr(
        QLoRATrainer, "prediction_step", raising(real, 1, lambda self, *_: self.state.global_step == step)
    )
    outcome, events = train(made, tiny_base, tmp_path / "narrow")
    assert len(told(events)) == 1
    assert f"from step {step} " in told(events)[0]
    for kind in (Stepped, Evaluated):
        assert by_step(events, kind) == pytest.approx(by_step(alone, kind), abs=2e-5)
    assert losses(events) == list(by_step(events, Stepped).values()), "a step was taken twice"
    assert (outcome.step, outcome.kept) == (whole.step, whole.kept)


def test_a_best_check_that_was_made_up_for_is_the_one_that_is_kept(tiny_model, tiny_base, tmp_path, monkeypatch):
    made = calm(tiny_model, max_steps=10, eval_steps=2, learning_rate=0.05, schedule="constant", keep_checkpoints=1)
    whole, _ = train(made, tiny_base, tmp_path / "alone")
    assert whole.kept < 10
    real = QLoRATrainer.prediction_step
    monkeypatch.setattr(
        QLoRATrainer, "prediction_step", raising(real, 1, lambda self, *_: self.state.global_step == whole.kept)
    )
    outcome, events = train(made, tiny_base, tmp_path / "narrow")
    assert len(told(events)) == 1
    assert outcome.kept == min(
        (step for step in by_step(events, Evaluated) if step), key=by_step(events, Evaluated).__getitem__
    )


def test_memory_that_runs_out_while_weights_change_costs_the_steps_since_the_checkpoint(
    alone, tiny_model, tiny_base, tmp_path, monkeypatch
):
    made = calm(tiny_model)
    real, calls = torch.optim.AdamW.step, iter(range(1, 100))

    def torn(self, *args, **kwargs):
        done = real(self, *args, **kwargs)
        if next(calls) == 6:
            raise full()
        return done

    monkeypatch.setattr(torch.optim.AdamW, "step", torn)
    outcome, events = train(made, tiny_base, tmp_path / "torn")
    assert "from step 4 " in told(events)[0]
    assert outcome.step == 8
    assert by_step(events, Stepped) == pytest.approx(by_step(alone, Stepped), abs=2e-5)


@pytest.mark.parametrize(
    ("text", "memory", "lost"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB.", True, False),
        ("CUDA error: out of memory", True, False),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True, False),
        ("[enforce fail] DefaultCPUAllocator: can't allocate memory", True, False),
        ("CUDA error: an illegal memory access was encountered", False, True),
        ("CUDA driver error: device not ready", False, True),
        ("shape mismatch", False, False),
    ],
)
def test_memory_that_ran_out_is_told_from_a_gpu_that_is_lost(text, memory, lost):
    assert is_out_of_memory(RuntimeError(text)) is memory
    assert has_lost_gpu(RuntimeError(text)) is lost


def test_nothing_left_to_give_up_is_the_error_itself():
    least = modes.Settings("saving", False, False, "sdpa", 1, 8, True, False, False, False, 0)
    error, events = full(), []
    with pytest.raises(torch.OutOfMemoryError) as seen:
        give_way(least, 3, error, events.append)
    assert seen.value is error
    assert not events


def test_an_error_lets_go_of_what_filled_the_memory():
    """Its own frames, and those of the errors behind it."""
    import gc
    import weakref

    def fill():
        kept = torch.zeros(10)
        seen.append(weakref.ref(kept))
        try:
            raise ValueError("first")
        except ValueError:
            again = torch.zeros(10)
            seen.append(weakref.ref(again))
            raise full()  # noqa: B904  with the first behind it

    seen = []
    try:
        fill()
    except torch.OutOfMemoryError as error:
        kept_error = without_frames(error)
    gc.collect()
    assert isinstance(kept_error, torch.OutOfMemoryError)
    assert [reference() for reference in seen] == [None, None]
