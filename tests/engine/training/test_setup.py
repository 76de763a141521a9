"""What a trainer took is given back, whoever else still holds its model; torch.compile runs here without a GPU."""

import dataclasses
import gc
import logging
import weakref

import pytest
import torch

from engine.model.base import load_base
from engine.training.memory import modes
from engine.training.qlora_trainer import QLoRATrainer
from tests.engine.training.short_runs import recipe, train


@pytest.fixture
def compiling(monkeypatch):
    """Let layers be compiled on the processor too, as far as its last step: guards and graphs are there."""
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)  # pytest would keep what it tells of
    ours, compiled = modes._on_the_processor, torch.compile
    monkeypatch.setattr(modes, "_on_the_processor", lambda *args: dataclasses.replace(ours(*args), compiled=True))
    monkeypatch.setattr(torch, "compile", lambda code, **options: compiled(code, **{**options, "backend": "aot_eager"}))


def test_after_a_run_with_compiled_layers_the_base_can_be_freed(compiling, tiny_model, tmp_path, monkeypatch):
    made = recipe(
        tiny_model,
        batch_size=2,
        accumulation=1,
        max_steps=1,
        dropout=0.0,
        memory="saving",
        packing="on",
        max_length=128,
    )
    base = load_base(made, tmp_path, lambda *_: None)
    weights = [weakref.ref(weight) for weight in base.model.parameters()]
    real = QLoRATrainer.compute_loss

    def narrow(self, *args, **options):
        loss = real(self, *args, **options)
        if self.settings.micro_batch > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return loss

    monkeypatch.setattr(QLoRATrainer, "compute_loss", narrow)
    outcome, events = train(made, base, tmp_path / "run")
    assert outcome.step == 1
    assert any("1 instead of 2" in getattr(event, "text", "") for event in events), "compiled twice"
    base.release()
    gc.collect()
    assert not [weight for weight in weights if weight() is not None]
