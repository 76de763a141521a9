"""How long a run would take here and how much memory it needs, before anything is loaded.

Time comes from earlier runs of the same model on this machine where there are any, else from a table of measured
speeds. Steps follow from the lengths of the conversations, memory from a formula over the model's size, so all are
called estimates wherever they are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from engine.hardware import GIB, DeviceReport
from engine.model.size import ModelSize, size_of
from engine.recipe import Recipe
from engine.tickets.dataset.dataset import DataSet
from engine.training.data.lengths import Lengths, guessed_for, longer_than, whole_at
from engine.training.early_stopping import check_every
from engine.training.forgetting.mixing import general_count
from engine.training.memory.bus import pace
from engine.training.memory.cpu import PROGRAM
from engine.training.memory.fit import (
    Fit,
    Place,
    Remedy,
    Verdict,
    epoch_for,
    fit,
    ranks,
    remedy,
    roomier,
    share_of_speed,
)
from engine.training.memory.gpu import Memory, layer_bytes
from engine.training.memory.modes import Mode, steps
from engine.training.runs.history import History

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
    """Memory that other programs leave."""
    verdict: Verdict
    sentence: str
    """The verdict in words, with what it rests on."""
    parts: Memory | None = None
    """What the peak is made of; None for an unknown model."""
    mode: Mode | None = None
    """The memory mode that it would run in."""
    remedy: Remedy | None = None
    """Where it does not fit or is tight, the one change that would help."""
    longer: int = 0
    """Conversations that are longer than the recipe allows, and lose turns."""
    whole_at: int = 0
    """The max length at which none of them would; 0 while no data set is chosen."""
    counted: bool = False
    """Whether a tokenizer has counted the lengths; guessed otherwise."""


def estimate(
    recipe: Recipe,
    data: DataSet | None,
    device: DeviceReport,
    earlier: Sequence[History],
    counted: Lengths | None = None,
    gpus: int = 1,
    answers: int = 0,
) -> Estimate:
    """Estimate a run.

    Args:
        recipe: What would be run.
        data: The tickets, or None.
        device: This machine.
        earlier: Curves of runs of the same model on this machine.
        counted: The lengths of the conversations where a tokenizer has counted them; guessed where None.
        gpus: How many GPUs this machine has.
        answers: Bytes that the playground holds beside the base, and goes on holding while the run trains.
    """
    size, place = size_of(recipe.model), _place(device, gpus, answers)
    lengths = counted or (guessed_for(data, recipe) if data is not None else None)
    seen = fit(recipe, size, lengths, place) if size else None
    count, seconds, source = 0, None, ""
    if data is not None:
        packing = seen.settings.packing if seen else recipe.packing == "on"
        count, tokens = _work(recipe, lengths, data.report.heldout, packing=packing)
        share = share_of_speed(seen, recipe, size) if seen and size else 1.0
        speed, source = _speed(size, place, share * ranks(recipe, place), earlier)
        seconds = tokens / speed if speed else None
    return Estimate(
        steps=count,
        seconds=seconds,
        memory_gib=seen.gib if seen else None,
        available_gib=place.usable_gib,
        verdict=seen.verdict if seen else "unknown",
        sentence=_sentence(seen, size, recipe, place, source),
        parts=seen.memory if seen else None,
        mode=seen.settings.mode if seen else None,
        remedy=_remedy(seen.verdict, recipe, size, lengths, place) if size and seen else None,
        longer=longer_than(lengths, recipe.max_length) if lengths else 0,
        whole_at=whole_at(lengths) if lengths else 0,
        counted=counted is not None,
    )


def has_to_stream(recipe: Recipe, device: DeviceReport) -> bool:
    """Whether a run's base has to be brought to the GPU layer by layer: the recipe says so, or nothing faster fits.

    Args:
        recipe: What is to be run.
        device: This machine.
    """
    size = size_of(recipe.model)
    if size is None or recipe.memory == "streamed":
        return recipe.memory == "streamed"
    return fit(recipe, size, None, _place(device, 1, 0)).settings.mode == "streamed"


def _place(device: DeviceReport, gpus: int, answers: int) -> Place:
    available = device.total_gib - max(0.0, device.used_gib - device.ours_gib)
    return Place(device.kind == "cuda", available, device.packs, max(1, gpus), answers, _computers_memory())


def _computers_memory() -> float:
    """Return what a run may take of the computer's memory, in GiB: what is free, and what a base gives way with."""
    ours = psutil.Process().memory_info()
    held = max(0, ours.rss - getattr(ours, "shared", 0) - PROGRAM)
    return float((psutil.virtual_memory().available + held) / GIB)


def _remedy(verdict: Verdict, recipe: Recipe, size: ModelSize, lengths: Lengths | None, place: Place) -> Remedy | None:
    if verdict == "does not fit":
        return remedy(recipe, size, lengths, place)
    return roomier(recipe, size, lengths, place) if verdict == "tight" else None


def _work(recipe: Recipe, lengths: Lengths | None, heldout: int, *, packing: bool) -> tuple[int, float]:
    """Return optimizer steps, and tokens with held-out checks converted to training tokens."""
    epoch = epoch_for(recipe, lengths)
    rows = max(1, epoch.packed_rows if packing else epoch.conversations)
    count = steps(recipe, rows + general_count(recipe, epoch.conversations))
    learnt = count * recipe.batch_size * recipe.accumulation * epoch.tokens / rows
    checks = 1 + count // check_every(recipe, count)
    return count, learnt + CHECK_COST * checks * heldout * epoch.tokens / max(1, epoch.conversations)


def _speed(size: ModelSize | None, place: Place, gpus: float, earlier: Sequence[History]) -> tuple[float | None, str]:
    """Tokens/s, and where the figure comes from."""
    seen = [history.speed for history in earlier if history.speed]
    if seen:
        return median(seen), "from your earlier runs"
    if size is None:
        return None, ""
    billions = (size.linear + size.other) / 1e9
    return (gpus * GPU_SPEED if place.gpu else CPU_SPEED) / billions, "a rough guess until the first run"


def _sentence(seen: Fit | None, size: ModelSize | None, recipe: Recipe, place: Place, source: str) -> str:
    time = f" Time: {source}." if source else ""
    if seen is None:
        return f"How much memory this model needs is not known before it is loaded.{time}"
    where = "on the GPU" if place.gpu else "in memory"
    needs = f"about {seen.memory.total / GIB:.1f} GB {where}, of {place.usable_gib:.1f} GB that are left"
    words = {
        "fits": f"It fits: {needs}.",
        "tight": f"It is tight: {needs}. Close other programs before you start.",
        "does not fit": f"It does not fit: {needs}.",
        "unknown": f"It needs {needs}.",
    }
    return f"{words[seen.verdict]}{_pace(seen, size, recipe) if place.gpu else ''}{time}"


def _pace(seen: Fit, size: ModelSize | None, recipe: Recipe) -> str:
    """Say how fast a streamed run is, and why."""
    if size is None or seen.settings.mode != "streamed" or seen.verdict == "does not fit":
        return ""
    tokens = seen.settings.micro_batch * recipe.max_length
    told = pace(size, seen.bus, tokens, seen.settings.resident, on_disk=seen.from_disk)
    if not seen.from_disk:
        return f" {told} (calculated for a PCIe 4 slot, measured when the run begins)."
    needed = f"{size.layers * layer_bytes(size) / GIB:.0f} GB"
    return (
        f" {told} (calculated for an NVMe disk, measured when the run begins): the {needed} that they take are more "
        "than is free of the computer's memory."
    )
