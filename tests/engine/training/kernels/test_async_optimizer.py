import gc
import weakref

import bitsandbytes
import pytest
import torch

from engine.training.kernels.async_optimizer import forget_overrides, make_async


@pytest.fixture
def waits(monkeypatch):
    """How often bitsandbytes waits for the GPU."""
    seen = []
    monkeypatch.setattr("bitsandbytes.optim.optimizer.sync_gpu", seen.append)
    return seen


def trained(optimizer_class, *, ahead, steps=3):
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(64, 128)), torch.nn.Parameter(torch.randn(16))]
    optimizer = optimizer_class(weights, lr=0.1, weight_decay=0.01)
    if ahead:
        make_async(optimizer)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    for _ in range(steps):
        sum(weight.pow(3).sum() for weight in weights).backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return weights, optimizer


def test_the_weights_are_those_of_bitsandbytes_itself_without_its_waits(waits):
    expected, _ = trained(bitsandbytes.optim.AdamW8bit, ahead=False)
    assert len(waits) == 6
    waits.clear()
    found, _ = trained(bitsandbytes.optim.AdamW8bit, ahead=True)
    assert not waits
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_its_state_can_be_saved_and_read_by_bitsandbytes():
    _, saved = trained(bitsandbytes.optim.AdamW8bit, ahead=True)
    _, fresh = trained(bitsandbytes.optim.AdamW8bit, ahead=False, steps=1)
    fresh.load_state_dict(saved.state_dict())
    for one, other in zip(saved.state.values(), fresh.state.values(), strict=True):
        assert torch.equal(one["state1"], other["state1"])
        assert one["step"] == other["step"]


def test_torchs_own_optimizer_is_left_alone():
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])
    make_async(optimizer)
    assert type(optimizer) is torch.optim.AdamW


def test_a_model_that_was_trained_is_not_held_by_bitsandbytes():
    manager = bitsandbytes.optim.GlobalOptimManager.get_instance()
    ours, others = (torch.nn.Sequential(torch.nn.Embedding(3, 4)) for _ in range(2))
    for model in (ours, others):
        manager.register_module_override(model[0], "weight", {"optim_bits": 32})
    forget_overrides(ours)
    gone, kept = weakref.ref(ours[0]), weakref.ref(others[0])
    del ours, others, model
    gc.collect()
    assert gone() is None
    assert kept() is not None
    forget_overrides(torch.nn.Sequential(kept()))
