"""The tests that need an NVIDIA card: ``pytest -m gpu``, by hand, whenever training or answering changes.

The same tiny model as everywhere, on the card. What is computed in bfloat16 is not bit for bit what a second run
computes: products are summed in another order. The tolerances here are what was measured on one card, with room.
"""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what torch wants of who asks for kernels that repeat

import pytest
import torch

LOSS = 0.005
"""Nats by which the losses of two runs of one recipe may differ. Measured on two H200s (torch 2.11, 2026-11-26): 0.0000
for the same rows at a time on one card, resumed, paused and in every memory mode; 0.0006 where memory ran out and the
rows became fewer; 0.0018 where two cards share the run."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these files alone where the card is not asked for: they import what is only there beside one (Triton)."""
    return None if config.option.markexpr == "gpu" else True


@pytest.fixture(scope="session", autouse=True)
def card() -> torch.device:
    """The first graphics card."""
    if not torch.cuda.is_available():
        pytest.fail(
            "No NVIDIA card answers. These tests need one; leave '-m gpu' out to run all others.", pytrace=False
        )
    return torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def whole_card():
    """Leave the next test the whole memory, whatever this one has capped."""
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.fixture
def repeatable() -> Iterator[None]:
    """Kernels that add up in the same order each time: attention's backward pass does not, unless it is told to."""
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    yield
    torch.use_deterministic_algorithms(False)
