"""How long a run would take here and how much memory it needs, before anything is loaded.

Time comes from earlier runs of the same model on this machine where there are any, else from a table of measured
speeds. Memory is a formula over the model's shape, so both are called estimates wherever they are shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from engine.model.catalogue import find
from engine.model.device import DeviceReport
from engine.tickets.dataset import DataSet
from engine.training.events import History
from engine.training.modes import Shape, fastest_that_fits, needed
from engine.training.recipe import STARTER, Recipe

Verdict = Literal["fits", "tight", "does not fit", "unknown"]

CHARACTERS_A_TOKEN = 4.0
"""English text under the usual byte-pair vocabularies; other languages need more tokens."""
TEMPLATE_TOKENS = 30
"""Tokens a chat template adds to a conversation."""
TYPICAL_TOKENS = 250
"""Tokens of a conversation while no data set is chosen."""
BYTES_A_WEIGHT = 0.53
"""NF4 with double quantisation: 4.127 bits a weight (Dettmers et al., 2023, section 3), plus layers left in 16 bit."""
CPU_SPEED = 100 * 0.135
"""Tokens/s times 10^9 parameters, measured with SmolLM2 135M on two cores without AVX-512."""
GPU_SPEED = 5_000 * 7.0
"""Tokens/s times 10^9 parameters, of the order measured with a 7B on an H200; other cards are slower."""
CHECK_COST = 1 / 3
"""A held-out token costs about a third of a learnt one: forward only."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would cost."""

    steps: int
    """Optimizer steps; 0 while no data set is chosen."""
    seconds: float | None
    """Training time; None while no data set is chosen or the model is unknown."""
    memory_gib: float | None
    """Peak memory of weights, adapter, optimizer, activations and logits; None for an unknown model."""
    available_gib: float
    verdict: Verdict
    sentence: str
    """The verdict in words, with what it rests on."""


def estimate(recipe: Recipe, data: DataSet | None, device: DeviceReport, earlier: Sequence[History]) -> Estimate:
    """Estimate a run.

    Args:
        recipe: What would be run.
        data: The tickets, or None.
        device: This machine.
        earlier: Curves of runs of the same model on this machine.
    """
    memory = _memory_gib(recipe, device)
    verdict = _verdict(memory, device.total_gib)
    steps, seconds, source = 0, None, ""
    if data is not None:
        steps, tokens = _work(recipe, data)
        speed, source = _speed(recipe, device, earlier)
        seconds = tokens / speed if speed else None
    return Estimate(steps, seconds, memory, device.total_gib, verdict, _sentence(memory, verdict, device, source))


def _work(recipe: Recipe, data: DataSet) -> tuple[int, float]:
    """Return optimizer steps, and tokens with held-out checks converted to training tokens."""
    count = max(1, data.report.train)
    size = (data.folder / "train.jsonl").stat().st_size / count
    mean = min(recipe.max_length, 0.8 * size / CHARACTERS_A_TOKEN + TEMPLATE_TOKENS)
    a_step = recipe.batch_size * recipe.accumulation
    steps = max(1, math.ceil(recipe.epochs * count / a_step))
    steps = min(steps, recipe.max_steps) if recipe.max_steps else steps
    checks = 1 + (steps // recipe.eval_steps if recipe.eval_steps else 8)
    return steps, mean * (steps * a_step + CHECK_COST * checks * data.report.heldout)


def _speed(recipe: Recipe, device: DeviceReport, earlier: Sequence[History]) -> tuple[float | None, str]:
    """Tokens/s, and where the figure comes from."""
    seen = [step.tokens_per_second for history in earlier for step in history.steps[1:]]
    if seen:
        return median(seen), "from your earlier runs"
    size = _billions(recipe.model)
    if size is None:
        return None, ""
    return (GPU_SPEED if device.kind == "cuda" else CPU_SPEED) / size, "a rough guess until the first run"


def _billions(model: str) -> float | None:
    """Parameters in 10^9: from the catalogue, or from the size of a local folder's weights (2 bytes each)."""
    if entry := find(model):
        return entry.billions
    weights = list(Path(model).expanduser().glob("*.safetensors")) if "/" in model or model == STARTER else []
    return sum(file.stat().st_size for file in weights) / 2e9 or None


def _memory_gib(recipe: Recipe, device: DeviceReport) -> float | None:
    """Weights + what training takes in the recipe's memory mode, in GiB."""
    size = _billions(recipe.model)
    if size is None:
        return None
    entry = find(recipe.model)
    hidden = entry.hidden if entry else round(1000 * size**0.4)
    layers = entry.layers if entry else 32
    vocabulary = entry.vocabulary if entry else 100_000
    if device.kind == "cuda":
        weights = BYTES_A_WEIGHT * 1e9 * size + 4 * vocabulary * hidden
        shape = Shape(layers, hidden, round(2.7 * hidden), vocabulary, round(2e9 * size))
        free = 2**30 * device.total_gib - weights
        mode = recipe.memory if recipe.memory != "auto" else fastest_that_fits(recipe, shape, recipe.max_length, free)
        return (weights + needed(mode, recipe, shape, recipe.max_length)) / 2**30 + 0.6
    # fp32, with the unpacked copy of model/unpacking.py; seven projections are about 18 hidden sizes
    weights = BYTES_A_WEIGHT * 1e9 * size + 8 * vocabulary * hidden + 4e9 * size
    adapter = layers * recipe.rank * hidden * 18 * 10
    tokens = recipe.batch_size * recipe.max_length
    activations = tokens * hidden * 4 * (layers + 34 if recipe.memory == "saving" else 34 * layers)
    return (weights + adapter + activations + tokens * vocabulary * 6) / 2**30 + 0.8


def _verdict(memory: float | None, total: float) -> Verdict:
    if memory is None or total <= 0:
        return "unknown"
    return "fits" if memory < 0.8 * total else "tight" if memory < total else "does not fit"


def _sentence(memory: float | None, verdict: Verdict, device: DeviceReport, source: str) -> str:
    if memory is None:
        return "How much memory this model needs is not known before it is loaded."
    time = f" Time: {source}." if source else ""
    where = "on the GPU" if device.kind == "cuda" else "in memory"
    return f"About {memory:.1f} GB {where} of {device.total_gib:.0f} GB: {verdict}.{time}"
