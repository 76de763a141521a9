"""Move the layers of a model that is loaded already into an arena, and back to the device."""

from collections.abc import Sequence
from typing import Any

import torch

from engine.model.decoder_layers import decoder_layers
from engine.model.streaming.arena import Arena
from engine.model.streaming.pieces import layout_of, weights_in, write
from engine.model.unpacking import linear_4bit_layers, unpack_on_cpu


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
        _show(modules, weights_in(arena.pieces[number], layouts[number]))
        arena.pin(number)
    return arena


def move_to_device(model: Any, arena: Arena, device: torch.device) -> None:
    """Move the decoder layers of a streamed model to the device, all of them or none; the arena is of no use then.

    Args:
        model: Its layers lie in the arena; changed in place.
        arena: Read only.
        device: Where it computes.

    Raises:
        torch.OutOfMemoryError: There is no room for all of them.
    """
    layers = [linear_4bit_layers(layer) for layer in decoder_layers(model)]
    try:
        for modules, piece, layout in zip(layers, arena.pieces, arena.layouts, strict=True):
            _show(modules, weights_in(piece.to(device), layout))
    except torch.OutOfMemoryError:
        for modules, piece, layout in zip(layers, arena.pieces, arena.layouts, strict=True):
            _show(modules, weights_in(piece, layout))
        raise
    unpack_on_cpu(linear_4bit_layers(model))


def _show(modules: Sequence[Any], weights: Sequence[Any]) -> None:
    """Let modules have these weights."""
    for module, weight in zip(modules, weights, strict=True):
        module.weight = weight
        module.quant_state = weight.quant_state
