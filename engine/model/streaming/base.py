"""StreamedBase: a base whose decoder layers lie in the computer's memory, for models that the GPU has no room for."""

from typing import Any

import torch

from engine.model.base import BaseModel
from engine.model.chat_format import ChatFormat
from engine.model.decoder_layers import decoder_layers
from engine.model.sharing import weight_sharing_copy
from engine.model.streaming.arena import Arena
from engine.model.streaming.layer_stream import LayerStream, run_streamed
from engine.model.streaming.pieces import layout_of, weights_in, write
from engine.model.unpacking import linear_4bit_layers
from engine.recipe import BaseOptions


class StreamedBase(BaseModel):
    """A base in 4 bit of which only embeddings, norms and the output layer are on the device.

    Args:
        model: The quantised model, in eval mode, its decoder layers' weights in the arena.
        chat: Its tokenizer and template.
        ref: As in the recipe.
        loaded_as: To tell whether it fits another recipe.
        arena: Where the decoder layers lie.
    """

    def __init__(self, model: Any, chat: ChatFormat, ref: str, loaded_as: BaseOptions, arena: Arena) -> None:
        super().__init__(model, chat, ref, loaded_as)
        self.arena = arena

    @property
    def is_streamed(self) -> bool:
        """Whether its layers are brought to the device while it computes."""
        return True

    def copy(self, ahead: int = 1, resident: int = 0) -> Any:
        """Return a weight-sharing copy that brings its layers to the device by itself.

        Args:
            ahead: Layers that are fetched before they are needed.
            resident: Layers that stay on the device for as long as the copy lives.

        Raises:
            torch.OutOfMemoryError: There is no room for so many.
        """
        copy = weight_sharing_copy(self.model)
        copy.layer_stream = LayerStream(copy, self.arena, self.device, ahead, resident)
        run_streamed(copy, copy.layer_stream)
        return copy

    def release(self) -> None:
        """Give the memory back; the object must not be used afterwards."""
        super().release()
        del self.arena


def move_to_arena(model: Any, device: torch.device) -> Arena:
    """Move the decoder layers of a loaded model into an arena, one after the other.

    Args:
        model: A quantised transformers model; changed in place.
        device: Where it will compute.
    """
    layers = [linear_4bit_layers(layer) for layer in decoder_layers(model)]
    layouts = [layout_of(modules, modules[0].weight.quant_state.dtype) for modules in layers]
    arena = Arena(layouts, pinned=device.type == "cuda")
    for number, modules in enumerate(layers):
        for module, where in zip(modules, layouts[number].weights, strict=True):
            write(module.weight, where, arena.pieces[number])
        put_in_place(modules, arena, number)
    return arena


def put_in_place(modules: list[Any], arena: Arena, number: int) -> None:
    """Let the 4-bit modules of a decoder layer have their weights in the arena, where they have been written."""
    for module, weight in zip(modules, weights_in(arena.pieces[number], arena.layouts[number]), strict=True):
        module.weight = weight
        module.quant_state = weight.quant_state
    arena.pin(number)
