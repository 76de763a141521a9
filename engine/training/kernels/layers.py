"""How a model's decoder layers run in training: as they are, compiled, recomputed in the backward pass.

It changes a training copy's layers in place and knows neither trainer nor recipe.
"""

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from engine.hardware import builds_kernels
from engine.model.decoder_layers import decoder_layers
from engine.model.streaming.layer_stream import LayerStream
from engine.training.kernels.offload import OffloadBuffer
from engine.training.kernels.recompute import Around, recomputed


def can_recompute(model: Any) -> bool:
    """Whether every decoder layer maps one tensor to one, so that :func:`set_up` can recompute it."""
    layers = decoder_layers(model)
    answers = {type(layer).forward.__annotations__.get("return") for layer in layers}
    return bool(layers) and answers <= {torch.Tensor, "torch.Tensor"}


def can_compile(model: Any) -> bool:
    """Whether torch.compile can work here: a GPU, Triton, a C compiler for its launchers, layers that are alike."""
    if next(model.parameters()).device.type != "cuda" or not builds_kernels():
        return False
    return len({type(layer) for layer in decoder_layers(model)}) == 1


def set_up(model: Any, *, recompute: bool, offload: bool, compiled: bool, stream: LayerStream | None = None) -> None:
    """Let the decoder layers of a training copy run in a certain way; evaluation always runs them as they are.

    Args:
        model: A PeftModel or the model within.
        recompute: Keep only each layer's input for the backward pass.
        offload: Keep that input in the computer's memory, not on the GPU.
        compiled: Compile the layer's code, one graph for all layers; batches then have to be of one size.
        stream: Brings the layers to the device, where they are not there; they have to be recomputed then.
    """
    if compiled:
        torch._dynamo.reset()  # eight graphs of earlier runs, and it would go on uncompiled without a word
    offload_buffer = OffloadBuffer() if offload else None
    compiled_forward: dict[type, Any] = {}
    for number, layer in enumerate(decoder_layers(model)):
        layer.__dict__.pop("forward", None)
        if not (recompute or compiled):
            continue
        kind = type(layer)
        if compiled and kind not in compiled_forward:
            compiled_forward[kind] = torch.compile(kind.forward, dynamic=False)
        layer.forward = functools.partial(
            _forward,
            layer,
            compiled_forward.get(kind, kind.forward),
            recompute=recompute,
            offload_buffer=offload_buffer,
            around=functools.partial(stream.at, number) if stream else _as_it_is,
        )


def _forward(
    layer: Any,
    training_forward: Any,
    hidden_states: torch.Tensor,
    *args: Any,
    recompute: bool,
    offload_buffer: OffloadBuffer | None,
    around: Around,
    **kwargs: Any,
) -> torch.Tensor:
    """Stand in for a layer's forward."""
    if not (layer.training and torch.is_grad_enabled()):
        with around(1, around=True):
            out: torch.Tensor = type(layer).forward(layer, hidden_states, *args, **kwargs)
        return out
    if not recompute:
        return training_forward(layer, hidden_states, *args, **kwargs)  # type: ignore[no-any-return]
    return recomputed(
        lambda hidden: training_forward(layer, hidden, *args, **kwargs), hidden_states, offload_buffer, around
    )


def _as_it_is(way: int, *, around: bool = False) -> AbstractContextManager[None]:
    """What is done around a layer that is where it computes."""
    return nullcontext()
