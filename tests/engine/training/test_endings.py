"""How a run ends that does not end as planned: early, with a loss that is no number, or without memory."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import ResourceError, RunError
from engine.training.errors import explain
from engine.training.runs import checkpoints
from engine.training.runs.events import Evaluated, Finished, LogNote, Stepped
from engine.training.trainer import TrainingData
from tests.engine.training.short_runs import DATA, STUBBORN, losses, recipe, train


def test_a_loss_that_is_no_number_ends_the_run_and_proposes_a_lower_rate(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training import qlora_trainer

    step = qlora_trainer.QLoRATrainer.training_step

    def broken(self, *args, **kwargs):
        loss = step(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 5 else loss

    monkeypatch.setattr(qlora_trainer.QLoRATrainer, "training_step", broken)
    with pytest.raises(RunError, match=r"no longer a number at step 6.*0.001 instead of 0.005"):
        train(recipe(tiny_model), tiny_base, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoints" / "checkpoint-4" / "trainer_state.json").exists()


def test_what_is_behind_an_error_in_words_stays_behind_it(tiny_model, tiny_base, tmp_path, monkeypatch):
    """The log of a process that ran out of memory has to say how much was asked for."""

    def refusing(*_):
        raise RunError("It cannot be.", "Do not.") from torch.OutOfMemoryError("Tried to allocate 2 GiB")

    monkeypatch.setattr("engine.training.trainer.build_examples", refusing)
    with pytest.raises(RunError, match="It cannot be") as caught:
        train(recipe(tiny_model), tiny_base, tmp_path)
    assert "2 GiB" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), ResourceError, "Memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), ResourceError, "Memory ran out"),
        (OSError(28, "No space left on device"), ResourceError, "disk that holds"),
        (RuntimeError("PytorchStreamWriter failed writing file data/3"), ResourceError, "disk that holds"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 2 vs 1"), ResourceError, "disk that"),
        (RuntimeError("CUDA error: unspecified launch failure"), ResourceError, "GPU stopped answering"),
        (KeyError("exp_avg"), RunError, "another kind of device"),
        (ValueError("surprise"), RunError, "surprise"),
    ],
)
def test_every_failure_has_a_sentence_and_a_remedy(error, kind, words, tmp_path):
    told = explain(error, tmp_path)
    assert isinstance(told, kind)
    assert words in told.message
    assert told.remedy


def test_a_run_that_learns_by_heart_ends_early_with_its_best_checkpoint(tiny_model, tiny_base, tmp_path):
    data = TrainingData(DATA.train[:3], STUBBORN)
    made = recipe(tiny_model, max_steps=60, epochs=100.0, eval_steps=2, learning_rate=3e-2, patience=2)
    outcome, events = train(made, tiny_base, tmp_path / "run", data)
    held = {event.step: event.loss for event in events if isinstance(event, Evaluated) and event.step}
    best = min(held, key=held.__getitem__)
    assert outcome.step < 60
    assert outcome.kept == best == outcome.step - 2 * 2
    [note] = [event.text for event in events if isinstance(event, LogNote) and "fallen" in event.text]
    assert f"since step {best}" in note
    assert isinstance(events[-1], Finished)
    whole, _ = train(
        dataclasses.replace(made, max_steps=outcome.step + 4, patience=0), tiny_base, tmp_path / "all", data
    )
    assert whole.step == outcome.step + 4


def test_a_broken_loss_ends_the_run_with_its_best_checkpoint_and_a_lower_rate_to_try(
    tiny_model, tiny_base, tmp_path, monkeypatch
):
    from engine.training.qlora_trainer import QLoRATrainer

    real, calls = QLoRATrainer.training_step, iter(range(100))

    def breaking(self, model, *args, **kwargs):
        loss = real(self, model, *args, **kwargs)
        if next(calls) >= 10:
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.grad.fill_(float("nan"))
        return loss

    monkeypatch.setattr(QLoRATrainer, "training_step", breaking)
    with pytest.raises(RunError, match="no longer a number") as seen:
        train(recipe(tiny_model, eval_steps=2, logging_steps=3), tiny_base, tmp_path / "run")
    assert "0.001 instead of 0.005" in seen.value.remedy
    weights = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values())
    assert not any(
        bool(tensor.isnan().any())
        for file in (tmp_path / "run" / "checkpoints").glob("*/adapter_model.safetensors")
        for tensor in load_file(file).values()
    )


@pytest.mark.parametrize("where", ["step", "check"])
def test_when_memory_runs_out_the_run_goes_on_with_smaller_batches_and_the_same_losses(
    where, tiny_model, tiny_base, tmp_path, monkeypatch
):
    made = recipe(tiny_model, batch_size=4, accumulation=1, dropout=0.0, group_by_length=False)
    whole, alone = train(made, tiny_base, tmp_path / "alone")
    from engine.training.qlora_trainer import QLoRATrainer

    name = {"step": "training_step", "check": "prediction_step"}[where]
    real = getattr(QLoRATrainer, name)

    def narrow(self, model, inputs, *args, **kwargs):
        if self.state.global_step >= 4 and len(inputs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return real(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(QLoRATrainer, name, narrow)
    outcome, events = train(made, tiny_base, tmp_path / "narrow")
    assert outcome.step == whole.step
    told = [event.text for event in events if isinstance(event, LogNote) and "Memory ran out" in event.text]
    assert len(told) == 2
    assert "from step 4 with 2 instead of 4 rows" in told[0]
    assert "1 instead of 2" in told[1]
    by_step = {event.step: event.loss for event in events if isinstance(event, Stepped)}
    assert list(by_step) == list(range(1, 9))
    assert losses(alone) == pytest.approx(list(by_step.values()), abs=2e-5)
    checks = [{event.step: event.loss for event in seen if isinstance(event, Evaluated)} for seen in (alone, events)]
    assert checks[0] == pytest.approx(checks[1], abs=2e-5)


def test_when_nothing_is_left_to_give_up_the_run_fails_with_its_last_step_saved(
    tiny_model, tiny_base, tmp_path, monkeypatch
):
    from engine.training.qlora_trainer import QLoRATrainer

    real = QLoRATrainer.training_step

    def full(self, *args, **kwargs):
        if self.state.global_step >= 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(QLoRATrainer, "training_step", full)
    with pytest.raises(ResourceError, match="Memory ran out"):
        train(recipe(tiny_model), tiny_base, tmp_path / "run")
    assert checkpoints.newest_sound(tmp_path / "run" / "checkpoints") == 3
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()
