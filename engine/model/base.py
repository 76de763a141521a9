"""BaseModel: the one frozen 4-bit model that is loaded, and the copies that training and chat make of it."""

import logging
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from engine.hardware import ANSWERING_SHARE, free_bytes, release_unused
from engine.model.catalogue import title
from engine.model.chat_format import ChatFormat, load_chat_format
from engine.model.device_errors import is_out_of_memory
from engine.model.fingerprint import weights_mark
from engine.model.loading import compute_dtype, load_quantised, load_streamed, pick_device
from engine.model.sharing import weight_sharing_copy
from engine.model.size import size_of
from engine.model.sources import resolve
from engine.model.streaming.arena import Arena, copy_speed
from engine.model.streaming.layer_stream import LayerStream, run_streamed
from engine.recipe import BaseOptions, Recipe
from engine.task import Report

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


class Companion(Protocol):
    """What is made over a base, kept with it and given up with it."""

    def make_room(self) -> None:
        """Give back the memory that can be had again."""

    @property
    def bytes(self) -> int:
        """Memory that it holds beside the base."""


Made = TypeVar("Made", bound=Companion)


class BaseModel:
    """A base in 4 bit with its chat format. The model itself stays pristine: use :meth:`copy`.

    A base that the GPU has no room for is streamed: its decoder layers lie in an arena in the computer's memory, and
    only embeddings, norms and the output layer are on the GPU. Every copy of it brings the layers in by itself.

    Args:
        model: The quantised model, in eval mode, without gradients.
        chat: Its tokenizer and template.
        ref: As in the recipe.
        loaded_as: To tell whether it fits another recipe.
        arena: Where its decoder layers lie; None where the whole base is on the device.
    """

    def __init__(
        self, model: Any, chat: ChatFormat, ref: str, loaded_as: BaseOptions, arena: Arena | None = None
    ) -> None:
        self.model = model
        self.chat = chat
        self.ref = ref
        self.title = f"{title(ref)}, 4 bit"
        self.loaded_as = loaded_as
        self.arena = arena
        self._companions: dict[Callable[[BaseModel], Companion], Companion] = {}
        self._making = threading.RLock()  # one companion may be made over another

    @property
    def device(self) -> "torch.device":
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def is_streamed(self) -> bool:
        """Whether its layers are brought to the device while it computes."""
        return self.arena is not None

    @cached_property
    def sweep_seconds(self) -> float:
        """How long the layers of a streamed base take to come, all of them once, as measured; else 0."""
        return self.arena.bytes / copy_speed(self.arena, self.device) if self.arena is not None else 0.0

    @cached_property
    def mark(self) -> str:
        """What tells its weights from those of another model of the same shape; empty where that is not known."""
        config = self.model.config
        return weights_mark(str(config._name_or_path), getattr(config, "_commit_hash", None))

    def copy(self, ahead: int = 1, resident: int = 0) -> Any:
        """Return a weight-sharing copy to do as one likes with.

        Args:
            ahead: Layers of a streamed base that are fetched before they are needed.
            resident: Layers of a streamed base that stay on the device for as long as the copy lives.

        Raises:
            torch.OutOfMemoryError: There is no room for so many layers.
        """
        copy = weight_sharing_copy(self.model)
        if self.arena is not None:
            copy.layer_stream = LayerStream(copy, self.arena, self.device, ahead, resident)
            run_streamed(copy, copy.layer_stream)
        return copy

    def companion(self, make: "Callable[[BaseModel], Made]") -> Made:
        """Return what ``make`` made over this base, made now where it was not yet."""
        with self._making:
            if make not in self._companions:
                self._companions[make] = make(self)
            return cast(Made, self._companions[make])

    @property
    def companions_bytes(self) -> int:
        """Memory that answers hold beside the base; quick, and never waits for one that is being made."""
        return sum(companion.bytes for companion in list(self._companions.values()))

    def make_room(self) -> None:
        """Give the memory back that answers keep for the next one, before a run looks at how much is free."""
        with self._making:
            companions = list(self._companions.values())
        for companion in companions:
            companion.make_room()
        if companions:
            release_unused()

    @property
    def can_come_in(self) -> bool:
        """Whether the layers of a streamed base would all have room on the device now, with answers beside them."""
        if self.arena is None or self.arena.disk is not None:
            return False
        if self.device.type == "cpu":
            return True  # they are where they would compute
        own = {id(parameter): parameter for parameter in self.model.parameters()}
        there: int = sum(parameter.nbytes for parameter in own.values() if parameter.device == self.device)
        return bool(self.arena.bytes + there <= ANSWERING_SHARE * (free_bytes(self.device) + there))

    def come_in(self) -> None:
        """Bring the layers of a streamed base to the device to stay; only where nobody else uses it.

        It goes on being streamed where somebody else was quicker to take the room.
        """
        assert self.arena is not None
        from engine.model.streaming.moving import move_to_device

        with self._making:
            self._companions.clear()  # copies of theirs look into the arena
        try:
            release_unused()
            move_to_device(self.model, self.arena, self.device)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            log.warning("the layers stay in the computer's memory: %s", error)
            return
        self.arena = None
        self.__dict__.pop("sweep_seconds", None)

    def release(self) -> None:
        """Give the memory back; the object must not be used afterwards."""
        self._companions.clear()
        self.model = self.arena = None
        try:
            release_unused()
        except RuntimeError as error:  # a GPU that stopped answering: nothing can be given back any more
            log.warning("the GPU's memory could not be given back: %s", error)


def load_base(recipe: Recipe, cache: Path, report: Report, *, streamed: bool = False) -> BaseModel:
    """Load the recipe's base model in 4 bit onto the GPU, or into memory without one.

    Args:
        recipe: Its model, and how that is packed.
        cache: Where fetched models are kept.
        report: Told what goes on.
        streamed: Whether its layers are to be brought in one by one; so are those of a model that the GPU has no room
            for.

    Raises:
        ModelError: It is not to be had or not loadable.
        ResourceError: Memory or disk ran out.
    """
    chat = load_chat_format(recipe.model, cache, report)
    report(f"Loading {title(recipe.model)} in 4 bit", None)
    device = pick_device()
    dtype = compute_dtype(recipe.compute_type, device)
    if streamed or _is_too_large(recipe, cache, device, report):
        model, arena = load_streamed(recipe, cache, device, dtype, report)
        return BaseModel(model, chat, recipe.model, recipe.base_options, arena)
    model = load_quantised(recipe, cache, device, dtype, report)
    return BaseModel(model, chat, recipe.model, recipe.base_options)


def _is_too_large(recipe: Recipe, cache: Path, device: "torch.device", report: Report) -> bool:
    """Whether the GPU has no room for the base, not even for its answers."""
    size = size_of(resolve(recipe.model, cache, report)) if device.type == "cuda" else None
    return size is not None and size.packed_bytes > ANSWERING_SHARE * free_bytes(device)
