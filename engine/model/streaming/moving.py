"""Move the layers of a model that is loaded already into an arena."""

from typing import Any

import torch

from engine.model.decoder_layers import decoder_layers
from engine.model.streaming.arena import Arena
from engine.model.streaming.pieces import layout_of, weights_in, write
from engine.model.unpacking import linear_4bit_layers


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
        for module, weight in zip(modules, weights_in(arena.pieces[number], layouts[number]), strict=True):
            module.weight = weight
            module.quant_state = weight.quant_state
        arena.pin(number)
    return arena
