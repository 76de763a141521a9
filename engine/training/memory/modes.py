"""What 'saving', 'balanced' and 'spacious' mean: memory against speed, decided in one place.

A mode changes how a step is computed, never what it computes: the conversations of an optimizer step, their order and
the mathematics stay the recipe's. The trainer reads :class:`Settings` and nothing else about memory.

What an optimizer step holds: ``batch_size x accumulation`` rows, whatever micro-batch a mode takes. A row is one
conversation, or, packed, as many as fit into max_length tokens.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from engine.errors import RecipeError
from engine.hardware import RUN_SHARE
from engine.model.size import ModelSize
from engine.recipe import Recipe
from engine.training.memory.gpu import Memory, StepShape, base_bytes, peak

if TYPE_CHECKING:
    from engine.model.attention import Kernel

Mode = Literal["saving", "balanced", "spacious"]

PACKED_STEPS = 60
"""Packing is chosen only where a run still takes this many optimizer steps: with fewer, larger ones it learns less."""
COMPILING_PAYS = 1_000_000
"""Tokens of a run from which compiling pays: it takes 20 s to a minute, and then saves a fifth of the time or more
(12,600 and 15,700 tokens/s with a 7B on an H200)."""


@dataclass(frozen=True, slots=True)
class ModeOptions:
    """How a pass is computed."""

    recompute: bool
    """Keep only each layer's input, in the computer's memory, and compute the rest again: half as much work again."""
    unpack: bool
    """Keep the base's 4-bit values unpacked in 16 bit: 2 bytes a parameter for a tenth of the time."""
    tokens: int
    """Tokens of a micro-batch at most; a GPU wants several thousand to be busy."""


MODES: dict[Mode, tuple[ModeOptions, ...]] = {
    "spacious": (
        ModeOptions(recompute=False, unpack=True, tokens=16_384),
        ModeOptions(recompute=False, unpack=True, tokens=8192),
        ModeOptions(recompute=False, unpack=False, tokens=8192),
        ModeOptions(recompute=False, unpack=False, tokens=4096),
        ModeOptions(recompute=False, unpack=False, tokens=2048),
    ),
    "balanced": (
        ModeOptions(recompute=True, unpack=False, tokens=8192),
        ModeOptions(recompute=True, unpack=False, tokens=4096),
    ),
    "saving": (
        ModeOptions(recompute=True, unpack=False, tokens=4096),
        ModeOptions(recompute=True, unpack=False, tokens=2048),
        ModeOptions(recompute=True, unpack=False, tokens=1024),
    ),
}
"""The fastest first; a mode takes the first of its own that fits, else its last."""
ON_THE_PROCESSOR: dict[Mode, bool] = {"saving": True, "balanced": False, "spacious": False}
"""Without a GPU a mode decides one thing: whether layers are recomputed."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to choose from, as found with the model loaded."""

    gpu: bool
    free_bytes: int
    """Free memory of the GPU, now."""
    kernel: "Kernel"
    """The best attention for packed rows."""
    packs: bool
    """Whether the model keeps packed conversations apart."""
    compiles: bool
    """Whether torch.compile can work."""
    recomputes: bool
    """Whether the model's layers can be recomputed by us, else by transformers."""
    ranks: int = 1
    """Processes with a GPU each that share the rows of a step."""
    sharded: bool = False
    """Whether the base is split among them: then it is neither unpacked nor are its layers compiled."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the steps of a run are computed."""

    mode: Mode
    packing: bool
    """Whether a row holds as many conversations as fit."""
    flat: bool
    """Whether a micro-batch is one row without padding, its conversations kept apart by the attention."""
    kernel: "Kernel"
    micro_batch: int
    """Rows of one forward and backward pass."""
    accumulation: int
    """Passes of one optimizer step; ``micro_batch x accumulation``, over all ranks, is the recipe's rows a step."""
    recompute: bool
    offload: bool
    unpack: bool
    compiled: bool
    batch_tokens: int
    """Tokens that every batch is filled up to; 0 where batches may differ."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass through the conversations."""

    conversations: int
    packed_rows: int
    """Rows if packed."""
    tokens: int
    longest: int
    """Tokens of the longest conversation."""


def choose(recipe: Recipe, machine: Machine, size: ModelSize, epoch: Epoch) -> Settings:
    """Turn a recipe's memory mode into settings.

    Args:
        recipe: Its memory, packing, rank, dropout, batch_size, accumulation, max_length, epochs and max_steps count.
        machine: What it runs on.
        size: The model's.
        epoch: The conversations.
    """
    packing = machine.packs and _wants_packing(recipe, machine, epoch)
    if not machine.gpu:
        return _on_the_processor(recipe, packing, machine.ranks)
    length = recipe.max_length if packing else epoch.longest
    compiles = packing and machine.kernel == "varlen" and machine.compiles and not machine.sharded
    compiled = compiles and _tokens(recipe, epoch) >= COMPILING_PAYS
    made = [_settings(recipe, machine, mode, options, packing, compiled, length) for mode, options in _ways(recipe)]
    room = RUN_SHARE * machine.free_bytes
    return next((one for one in made if beyond_base(one, recipe, machine, size, length) <= room), made[-1])


def _ways(recipe: Recipe) -> Iterator[tuple[Mode, ModeOptions]]:
    """Yield what the recipe allows, the fastest first."""
    for mode, ways in MODES.items():
        if recipe.memory in {"auto", mode}:
            yield from ((mode, options) for options in ways)


def _settings(
    recipe: Recipe, machine: Machine, mode: Mode, options: ModeOptions, packing: bool, compiled: bool, length: int
) -> Settings:
    micro_batch, accumulation = split(rows_of_a_rank(recipe, machine.ranks), options.tokens // length)
    return Settings(
        mode=mode,
        packing=packing,
        flat=packing or machine.kernel == "varlen",
        kernel=machine.kernel,
        micro_batch=micro_batch,
        accumulation=accumulation,
        recompute=options.recompute,
        offload=options.recompute and machine.recomputes,
        unpack=options.unpack and not machine.sharded,
        compiled=compiled,
        batch_tokens=micro_batch * length if compiled else 0,
    )


def expected(
    settings: Settings, recipe: Recipe, size: ModelSize, length: int, gpus: int = 1, *, sharded: bool = False
) -> Memory:
    """Estimate what a run takes of a GPU's memory, the base included.

    Args:
        settings: How its steps are computed.
        recipe: Its rank and dropout count.
        size: The model's.
        length: Tokens of the longest row.
        gpus: How many share it.
        sharded: Whether the base is split among them.
    """
    shape = StepShape(
        tokens=settings.micro_batch * length,
        recompute=settings.recompute,
        offload=settings.offload,
        unpack=settings.unpack,
        compiled=settings.compiled,
        dropout=recipe.dropout > 0,
    )
    return peak(size, recipe.rank, shape, gpus, sharded=sharded)


def beyond_base(settings: Settings, recipe: Recipe, machine: Machine, size: ModelSize, length: int) -> int:
    """Estimate the bytes that training takes of a GPU on which the base is loaded already."""
    memory = expected(settings, recipe, size, length, machine.ranks, sharded=machine.sharded)
    return memory.allocated + memory.optimizer - base_bytes(size, machine.ranks, sharded=machine.sharded)


def smaller(settings: Settings) -> Settings | None:
    """Return settings that need less memory for the very same steps; None where nothing is left to give up.

    First the micro-batch is halved, down to one row; then the base is packed again, and layers are recomputed.
    """
    if settings.micro_batch > 1:
        size, times = split(settings.micro_batch * settings.accumulation, settings.micro_batch // 2)
        tokens = settings.batch_tokens * size // settings.micro_batch
        return replace(settings, micro_batch=size, accumulation=times, batch_tokens=tokens)
    if settings.unpack:
        return replace(settings, unpack=False)
    if not settings.recompute:
        return replace(settings, mode="saving", recompute=True, offload=settings.kernel == "varlen")
    return None


def split(rows: int, at_most: int) -> tuple[int, int]:
    """Return micro-batch and accumulation whose product is ``rows``, the micro-batch at most ``at_most`` rows."""
    size = max(n for n in range(1, max(1, min(rows, at_most)) + 1) if rows % n == 0)
    return size, rows // size


def rows_of_a_rank(recipe: Recipe, ranks: int) -> int:
    """Return each rank's rows of an optimizer step.

    Raises:
        RecipeError: The rows of a step cannot be shared out evenly.
    """
    rows = recipe.batch_size * recipe.accumulation
    if rows % ranks:
        raise RecipeError(
            "gpus",
            f"A step holds {rows} rows (batch size x accumulation), which {ranks} GPUs cannot share evenly.",
            f"Use {most_ranks(rows, ranks)}, or make the product a multiple of {ranks}.",
        )
    return rows // ranks


def most_ranks(rows: int, at_most: int) -> int:
    """Return how many ranks, ``at_most`` at most, can share the rows of a step evenly."""
    return max(n for n in range(1, max(1, at_most) + 1) if rows % n == 0)


def steps(recipe: Recipe, rows: int) -> int:
    """Return the optimizer steps of a run.

    Args:
        recipe: Its epochs, batch_size, accumulation and max_steps count.
        rows: Rows of one epoch.
    """
    a_pass = max(1, math.ceil(rows / (recipe.batch_size * recipe.accumulation)))
    count = max(1, math.ceil(recipe.epochs * a_pass))
    return min(count, recipe.max_steps) if recipe.max_steps else count


def _wants_packing(recipe: Recipe, machine: Machine, epoch: Epoch) -> bool:
    if recipe.packing != "auto":
        return recipe.packing == "on"
    return machine.gpu and machine.kernel == "varlen" and steps(recipe, epoch.packed_rows) >= PACKED_STEPS


def _tokens(recipe: Recipe, epoch: Epoch) -> float:
    """Tokens of a packed run."""
    rows = steps(recipe, epoch.packed_rows) * recipe.batch_size * recipe.accumulation
    return rows / max(1, epoch.packed_rows) * epoch.tokens


def _on_the_processor(recipe: Recipe, packing: bool, ranks: int) -> Settings:
    mode: Mode = "spacious" if recipe.memory == "auto" else recipe.memory
    micro_batch, accumulation = split(rows_of_a_rank(recipe, ranks), recipe.batch_size)
    return Settings(
        mode=mode,
        packing=packing,
        flat=packing,
        kernel="sdpa",
        micro_batch=micro_batch,
        accumulation=accumulation,
        recompute=ON_THE_PROCESSOR[mode],
        offload=False,
        unpack=False,
        compiled=False,
        batch_tokens=0,
    )
