"""What 'streamed', 'saving', 'balanced' and 'spacious' mean: memory against speed, decided in one place.

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
from engine.training.memory.bus import Bus, seconds_a_token
from engine.training.memory.gpu import Memory, StepShape, base_bytes, beside_layers, layer_bytes, peak

if TYPE_CHECKING:
    from engine.model.attention import Kernel

Mode = Literal["streamed", "saving", "balanced", "spacious"]

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
STREAMED_TOKENS = (8192, 4096, 2048, 1024, 0)
"""Tokens of a micro-batch that are tried where layers are streamed: more of them hide the copies, and take the room of
layers that could stay."""
AHEAD = 2
"""Layers that are fetched before they are needed: a place for one would do if all took the same time."""
ON_THE_PROCESSOR: dict[Mode, bool] = {"streamed": True, "saving": True, "balanced": False, "spacious": False}
"""Without a GPU a mode decides whether layers are recomputed, and whether they pass through places of their own."""


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
    bus: Bus | None = None
    """How fast its layers come; None where the whole base is on the device."""


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
    resident: int = 0
    """Layers of a streamed base that stay on the device."""
    ahead: int = 0
    """Layers of a streamed base that are fetched before they are needed."""


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
        return _on_the_processor(recipe, packing, machine, size)
    length = recipe.max_length if packing else epoch.longest
    if machine.bus is not None:
        return _streamed(recipe, machine, machine.bus, size, packing, length)
    compiles = packing and machine.kernel == "varlen" and machine.compiles and not machine.sharded
    compiled = compiles and _tokens(recipe, epoch) >= COMPILING_PAYS
    made = [_settings(recipe, machine, mode, options, packing, compiled, length) for mode, options in _ways(recipe)]
    room = RUN_SHARE * machine.free_bytes
    return next((one for one in made if beyond_base(one, recipe, machine, size, length) <= room), made[-1])


def _ways(recipe: Recipe) -> Iterator[tuple[Mode, ModeOptions]]:
    """Yield what the recipe allows, the fastest first."""
    wanted = "saving" if recipe.memory == "streamed" else recipe.memory  # where the base is on the GPU all the same
    for mode, ways in MODES.items():
        if wanted in {"auto", mode}:
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
        places=places(settings, size) if settings.mode == "streamed" else None,
    )
    return peak(size, recipe.rank, shape, gpus, sharded=sharded)


def beyond_base(settings: Settings, recipe: Recipe, machine: Machine, size: ModelSize, length: int) -> int:
    """Estimate the bytes that training takes of a GPU on which the base is loaded already."""
    memory = expected(settings, recipe, size, length, machine.ranks, sharded=machine.sharded)
    loaded = beside_layers(size) if machine.bus else base_bytes(size, machine.ranks, sharded=machine.sharded)
    return memory.allocated + memory.optimizer - loaded


def smaller(settings: Settings) -> Settings | None:
    """Return settings that need less memory for the very same steps; None where nothing is left to give up.

    First layers of a streamed base leave the device, for they take the most; the micro-batch is halved, down to one
    row; then the base is packed again, and layers are recomputed. At last a streamed base gets along with one place.
    """
    if settings.resident:
        return replace(settings, resident=settings.resident - max(1, settings.resident // 8))
    if settings.micro_batch > 1:
        size, times = split(settings.micro_batch * settings.accumulation, settings.micro_batch // 2)
        tokens = settings.batch_tokens * size // settings.micro_batch
        return replace(settings, micro_batch=size, accumulation=times, batch_tokens=tokens)
    if settings.unpack:
        return replace(settings, unpack=False)
    if settings.ahead:
        return replace(settings, ahead=settings.ahead - 1)
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


def _streamed(recipe: Recipe, machine: Machine, bus: Bus, size: ModelSize, packing: bool, length: int) -> Settings:
    """Take the micro-batch whose tokens are expected the soonest, with as many layers on the GPU as there is room."""
    room = RUN_SHARE * machine.free_bytes
    candidates: list[tuple[float, Settings]] = []
    for tokens in STREAMED_TOKENS:
        options = ModeOptions(recompute=True, unpack=False, tokens=tokens)
        least = replace(
            _settings(recipe, machine, "streamed", options, packing, compiled=False, length=length), ahead=1
        )
        spare = int(room - beyond_base(least, recipe, machine, size, length)) // layer_bytes(size)
        if spare < 0:
            continue
        made = replace(least, ahead=1 + min(spare, AHEAD - 1), resident=min(size.layers, max(0, spare - (AHEAD - 1))))
        candidates.append((seconds_a_token(size, bus, made.micro_batch * length, made.resident), made))
    return min(candidates, key=lambda one: one[0])[1] if candidates else least


def places(settings: Settings, size: ModelSize) -> int:
    """Return how many layers of a streamed base the device has memory for."""
    return settings.resident + min(settings.ahead + 1, size.layers - settings.resident)


def _on_the_processor(recipe: Recipe, packing: bool, machine: Machine, size: ModelSize) -> Settings:
    mode: Mode = "spacious" if recipe.memory == "auto" else recipe.memory
    if machine.bus is not None:
        mode = "streamed"
    micro_batch, accumulation = split(rows_of_a_rank(recipe, machine.ranks), recipe.batch_size)
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
        ahead=min(AHEAD, size.layers - 1) if mode == "streamed" else 0,
    )
