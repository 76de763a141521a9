"""What is known of this machine, and what is given back to it."""

import torch

from engine.hardware import release_unused


def test_workspaces_go_before_the_blocks_that_they_lie_in(monkeypatch):
    done = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: done.append("workspaces"), raising=False)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: done.append("blocks"))
    release_unused()
    assert done == ["workspaces", "blocks"]


def test_without_a_gpu_nothing_is_given_back():
    release_unused()
