"""What 'saving', 'balanced' and 'spacious' mean: memory against speed, decided in one place.

A mode changes how a step is computed, never what it computes: the conversations of an optimizer step, their order and
the mathematics stay the recipe's. The trainer reads :class:`Settings` and nothing else about memory.

What an optimizer step holds: ``batch_size x accumulation`` rows, whatever micro-batch a mode takes. A row is one
conversation, or, packed, as many as fit into max_length tokens.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from engine.training.recipe import Recipe

if TYPE_CHECKING:
    from engine.model.attention import Kernel

Mode = Literal["saving", "balanced", "spacious"]

PACKED_STEPS = 60
"""Packing is chosen only where a run still takes this many optimizer steps: with fewer, larger ones it learns less."""
COMPILING_PAYS = 1_000_000
"""Tokens of a run from which compiling pays: it takes 20 s to a minute, and then saves a fifth of the time or more
(12,600 and 15,700 tokens/s with a 7B on an H200)."""
FREE_SHARE = 0.85
"""Share of the free GPU memory that a mode may be expected to need: the estimate is one, and others use the GPU too."""


@dataclass(frozen=True, slots=True)
class _Levers:
    recompute: bool
    """Keep only each layer's input for the backward pass and compute the rest again: half as much work again."""
    offload: bool
    """Keep that input in the computer's memory."""
    unpack: bool
    """Keep the base's 4-bit values unpacked in 16 bit: 2 bytes a parameter for a tenth of the time."""
    tokens: int
    """Tokens of a micro-batch at most; a GPU wants several thousand to be busy."""


MODES: dict[Mode, _Levers] = {
    "saving": _Levers(recompute=True, offload=True, unpack=False, tokens=2048),
    "balanced": _Levers(recompute=True, offload=True, unpack=False, tokens=4096),
    "spacious": _Levers(recompute=False, offload=False, unpack=True, tokens=8192),
}
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much memory a step needs."""

    layers: int
    hidden: int
    """Width of the residual stream."""
    inner: int
    """Width of the feed-forward part; the sum over active experts."""
    vocabulary: int
    unpacked_bytes: int
    """What unpacked copies of the 4-bit weights take."""


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
    """Passes of one optimizer step; ``micro_batch x accumulation`` is the recipe's ``batch_size x accumulation``."""
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


def choose(recipe: Recipe, machine: Machine, shape: Shape, epoch: Epoch) -> Settings:
    """Turn a recipe's memory mode into settings.

    Args:
        recipe: Its memory, packing, batch_size, accumulation, max_length, epochs and max_steps count.
        machine: What it runs on.
        shape: The model's.
        epoch: The conversations.
    """
    packing = machine.packs and _wants_packing(recipe, machine, epoch)
    if not machine.gpu:
        return _on_the_processor(recipe, packing)
    length = recipe.max_length if packing else epoch.longest
    mode = fastest_that_fits(recipe, shape, length, machine.free_bytes) if recipe.memory == "auto" else recipe.memory
    levers = MODES[mode]
    micro_batch, accumulation = split(recipe.batch_size * recipe.accumulation, levers.tokens // length)
    compiled = packing and machine.kernel == "varlen" and machine.compiles and _tokens(recipe, epoch) >= COMPILING_PAYS
    return Settings(
        mode=mode,
        packing=packing,
        flat=packing or machine.kernel == "varlen",
        kernel=machine.kernel,
        micro_batch=micro_batch,
        accumulation=accumulation,
        recompute=levers.recompute,
        offload=levers.offload and machine.recomputes,
        unpack=levers.unpack,
        compiled=compiled,
        batch_tokens=micro_batch * length if compiled else 0,
    )


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
        levers = MODES["saving"]
        return replace(settings, mode="saving", recompute=True, offload=levers.offload and settings.kernel == "varlen")
    return None


def fastest_that_fits(recipe: Recipe, shape: Shape, length: int, free_bytes: float) -> Mode:
    """Return the fastest mode that is expected to fit into free GPU memory; the most saving one where none is."""
    order: tuple[Mode, ...] = ("spacious", "balanced", "saving")
    return next((mode for mode in order if needed(mode, recipe, shape, length) <= FREE_SHARE * free_bytes), "saving")


def needed(mode: Mode, recipe: Recipe, shape: Shape, length: int) -> int:
    """Estimate the bytes that training takes on a GPU besides the 4-bit model itself.

    Args:
        mode: The mode.
        recipe: Its rank, batch_size and accumulation count.
        shape: The model's.
        length: Tokens of a row.

    Per token a layer that is not compiled keeps 12 values of the residual's width and 5 of the feed-forward's, in 16
    bit (measured with a 7B; compiled it is half of that); one that is recomputed needs 2.5 times as much at its turn.
    """
    levers = MODES[mode]
    tokens = length * split(recipe.batch_size * recipe.accumulation, levers.tokens // length)[0]
    a_layer = 2 * (12 * shape.hidden + 5 * shape.inner)
    kept = a_layer * (2.5 if levers.recompute else shape.layers)
    adapter = 7 * recipe.rank * shape.layers * (shape.hidden + shape.inner) * 10
    logits = min(tokens, 4096) * min(shape.vocabulary, 32_768) * 6
    return round(tokens * kept) + adapter + logits + (shape.unpacked_bytes if levers.unpack else 0)


def split(rows: int, at_most: int) -> tuple[int, int]:
    """Return micro-batch and accumulation whose product is ``rows``, the micro-batch at most ``at_most`` rows."""
    size = max(n for n in range(1, max(1, min(rows, at_most)) + 1) if rows % n == 0)
    return size, rows // size


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


def _on_the_processor(recipe: Recipe, packing: bool) -> Settings:
    mode: Mode = "spacious" if recipe.memory == "auto" else recipe.memory
    return Settings(
        mode=mode,
        packing=packing,
        flat=packing,
        kernel="sdpa",
        micro_batch=recipe.batch_size,
        accumulation=recipe.accumulation,
        recompute=ON_THE_PROCESSOR[mode],
        offload=False,
        unpack=False,
        compiled=False,
        batch_tokens=0,
    )
