"""Whether a run fits into a given memory, in which mode it would go there, and what would make it fit.

Pure arithmetic over a recipe, a model's size and the lengths of the conversations; the mode is chosen as the trainer
chooses it. It looks at no machine: how much memory there is, it is told.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.hardware import ARENA_SHARE, GIB
from engine.model.catalogue import catalogue
from engine.model.size import ModelSize, size_of
from engine.recipe import Recipe
from engine.training.data.lengths import Lengths, epoch_of
from engine.training.memory.bus import ASSUMED, ASSUMED_DISK, Bus, share_of_resident_speed
from engine.training.memory.cpu import peak_on_cpu
from engine.training.memory.gpu import Memory, base_bytes, beside_layers, layer_bytes, overhead
from engine.training.memory.modes import Epoch, Machine, Settings, choose, expected, most_ranks, places

ROOMY = 0.8
"""Up to this share of the memory a run fits; above it is tight, since this is an estimate and others use memory too."""
SHORTEST = 128
"""Tokens below which a conversation is not worth learning from; no shorter one is proposed."""
MANY = 1_000_000
"""Conversations that are assumed while no data set is chosen, so that packing is decided as for a large one."""

Verdict = Literal["fits", "tight", "does not fit", "unknown"]


@dataclass(frozen=True, slots=True)
class Place:
    """What a run would run on."""

    gpu: bool
    usable_gib: float
    """Memory that is left for it."""
    packs: bool = True
    """Whether a GPU is recent enough to attend over packed rows."""
    gpus: int = 1
    """How many there are, each with that memory."""
    answers: int = 0
    """Bytes that the playground holds there, beside the base that it shares with the run."""
    memory_gib: float = math.inf
    """What is left of the computer's memory, where the layers of a streamed base lie."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A run in a place."""

    verdict: Verdict
    settings: Settings
    memory: Memory
    """The parts of the peak, in bytes."""
    bus: Bus = ASSUMED
    """What is assumed of the speeds where its base is streamed."""

    @property
    def from_disk(self) -> bool:
        """Whether the layers of a streamed base are more than the computer's memory holds, and lie in a file."""
        return self.bus == ASSUMED_DISK

    @property
    def gib(self) -> float:
        """The peak."""
        return self.memory.total / GIB


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would make a run fit, or fit with room to spare."""

    sentence: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Field of the recipe -> its new value; empty where no single change is enough."""


def fit(recipe: Recipe, size: ModelSize, lengths: Lengths | None, place: Place) -> Fit:
    """Say what a run would need in a place, and whether that is there.

    Args:
        recipe: What would be run.
        size: The size of its model.
        lengths: The conversations; None assumes many of the greatest length allowed.
        place: What it would run on.
    """
    bus = ASSUMED_DISK if _is_short(recipe, size, place) else ASSUMED
    if recipe.memory == "streamed":
        return _fit(recipe, size, lengths, place, bus)
    whole = _fit(recipe, size, lengths, place, None)
    if recipe.memory != "auto" or whole.verdict != "does not fit" or not place.gpu or _sharded(recipe, place):
        return whole
    streamed = _fit(recipe, size, lengths, place, bus)
    return whole if streamed.verdict == "does not fit" else streamed


def _fit(recipe: Recipe, size: ModelSize, lengths: Lengths | None, place: Place, bus: Bus | None) -> Fit:
    """Say the same of a base on the device, or of one that is streamed over a bus."""
    epoch, usable = epoch_for(recipe, lengths), GIB * place.usable_gib
    if not place.gpu:
        settings = choose(recipe, _machine(recipe, place, 0, bus), size, epoch)
        length = _row(recipe, settings, epoch)
        rows = min(settings.micro_batch, epoch.packed_rows if settings.packing else epoch.conversations)
        twice = places(settings, size) if bus else 0
        memory = peak_on_cpu(settings.mode, recipe, size, rows, length, usable, twice)
        memory = replace(memory, answers=place.answers)
        return Fit(_verdict(memory.total, usable), settings, memory)
    gpus, sharded = ranks(recipe, place), _sharded(recipe, place)
    loaded = beside_layers(size) if bus else base_bytes(size, gpus, sharded=sharded)
    free = usable - place.answers - overhead(gpus) - loaded
    settings, least = (choose(recipe, _machine(recipe, place, room, bus), size, epoch) for room in (free, 0))
    memory, smallest = (
        replace(expected(one, recipe, size, _row(recipe, one, epoch), gpus, sharded=sharded), answers=place.answers)
        for one in (settings, least)
    )
    return Fit(_verdict(smallest.total, usable), settings, memory, bus or ASSUMED)


def _is_short(recipe: Recipe, size: ModelSize, place: Place) -> bool:
    """Whether the computer's memory is short for the layers of a streamed base, of which every rank has all."""
    return ranks(recipe, place) * size.layers * layer_bytes(size) > ARENA_SHARE * GIB * place.memory_gib


def share_of_speed(seen: Fit, recipe: Recipe, size: ModelSize) -> float:
    """Return how fast a run is beside one whose base is all on the GPU, 0 to 1; calculated for assumed speeds."""
    if seen.settings.mode != "streamed":
        return 1.0
    tokens = seen.settings.micro_batch * recipe.max_length
    return share_of_resident_speed(size, seen.bus, tokens, seen.settings.resident)


def ranks(recipe: Recipe, place: Place) -> int:
    """Return how many GPUs share a run: as many as are asked for and there, and share the rows of a step evenly."""
    wanted = min(recipe.gpus or place.gpus, place.gpus) if place.gpu else 1
    return most_ranks(recipe.batch_size * recipe.accumulation, wanted)


def _sharded(recipe: Recipe, place: Place) -> bool:
    return recipe.spread == "shards" and ranks(recipe, place) > 1


def epoch_for(recipe: Recipe, lengths: Lengths | None) -> Epoch:
    """Return one pass through the conversations, or through many of the greatest length allowed."""
    if lengths is not None:
        return epoch_of(lengths, recipe.max_length)
    return Epoch(MANY, MANY, MANY * recipe.max_length, recipe.max_length)


def roomier(recipe: Recipe, size: ModelSize, lengths: Lengths | None, place: Place) -> Remedy | None:
    """Return a change that learns the same and makes a tight run fit; None where there is none.

    Args:
        recipe: A run that is tight.
        size: As for :func:`fit`.
        lengths: As for :func:`fit`.
        place: As for :func:`fit`.
    """
    for changed, words in _changes(recipe, place):
        as_before = changed.max_length == recipe.max_length and changed.memory != "streamed"
        if as_before and fit(changed, size, lengths, place).verdict == "fits":
            return Remedy(f"There is more room with {words}.", changed.changed_from(recipe))
    return None


def remedy(recipe: Recipe, size: ModelSize, lengths: Lengths | None, place: Place) -> Remedy:
    """Return the one change that would make a run fit; the one that costs the least comes first.

    Args:
        recipe: A run that does not fit.
        size: As for :func:`fit`.
        lengths: As for :func:`fit`.
        place: As for :func:`fit`.
    """
    for changed, words in _changes(recipe, place):
        if fit(changed, size, lengths, place).verdict != "does not fit":
            return Remedy(f"It would fit with {words}.", changed.changed_from(recipe))
    for entry in reversed(catalogue()):
        smaller = size_of(entry.id)
        if smaller is None or smaller.linear + smaller.other >= size.linear + size.other:
            continue
        if fit(replace(recipe, model=entry.id), smaller, lengths, place).verdict != "does not fit":
            return Remedy(f"It would fit with a smaller model, such as {entry.title}.", {"model": entry.id})
    return Remedy(
        "No single change makes it fit: take a smaller model, shorter conversations and the mode ‘saving’ together."
    )


def _changes(recipe: Recipe, place: Place) -> Iterator[tuple[Recipe, str]]:
    """Yield what may be changed with the same model. All but the last learn the very same."""
    if recipe.memory not in {"saving", "streamed"}:
        yield replace(recipe, memory="saving"), "memory against speed set to ‘saving’"
    rows = recipe.batch_size * recipe.accumulation
    for batch in range(recipe.batch_size - 1, 0, -1) if not place.gpu else ():
        if rows % batch == 0 and rows // batch <= 1024:
            said = f"a batch size of {batch} and {rows // batch} batches a step, which learn the same"
            yield replace(recipe, batch_size=batch, accumulation=rows // batch), said
    if recipe.spread != "shards" and recipe.bias == "none":
        split = replace(recipe, gpus=0, spread="shards")
        if _sharded(split, place):
            yield split, f"the model split among {ranks(split, place)} GPUs, which learn the same"
    if place.gpu and recipe.memory != "auto" and recipe.spread != "shards":
        yield replace(recipe, memory="streamed"), "memory against speed set to ‘streamed’: its layers come one by one"
    length = recipe.max_length // 2
    while length >= SHORTEST:
        yield replace(recipe, max_length=length), f"shorter conversations: a max length of {length:,} tokens"
        length //= 2


def _machine(recipe: Recipe, place: Place, free: float, bus: Bus | None) -> Machine:
    packs = place.gpu and place.packs
    return Machine(
        gpu=place.gpu,
        free_bytes=round(max(0, free)),
        kernel="varlen" if packs else "sdpa",
        packs=packs or recipe.packing == "on",
        compiles=False,
        recomputes=True,
        ranks=ranks(recipe, place),
        sharded=_sharded(recipe, place),
        bus=bus,
    )


def _row(recipe: Recipe, settings: Settings, epoch: Epoch) -> int:
    """Tokens of the longest row."""
    return recipe.max_length if settings.packing else epoch.longest


def _verdict(needed: float, usable: float) -> Verdict:
    if usable <= 0:
        return "unknown"
    return "fits" if needed < ROOMY * usable else "tight" if needed < usable else "does not fit"
