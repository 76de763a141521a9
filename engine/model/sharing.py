"""Weight-sharing copies of a model: the same parameters, modules and hooks of one's own.

Training and chat each get a copy, because train/eval mode, the active adapter, the cache switch and checkpointing are
state of the modules: sharing the modules themselves gave 25 wrong replies of 26 and altered the loss curve.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


def weight_sharing_copy(model: nn.Module) -> Any:
    """Copy a module tree in milliseconds and at no memory for weights.

    Args:
        model: Any model, quantised or not.

    Returns:
        A module tree of the same class whose parameters and buffers *are* ``model``'s.
    """
    memo: dict[int, Any] = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    for module in model.modules():
        for name in ("quant_state", "unpacked"):
            shared = getattr(module, name, None)
            if shared is not None:
                memo[id(shared)] = shared
    quantizer = getattr(model, "hf_quantizer", None)
    if quantizer is not None:
        memo[id(quantizer)] = quantizer
    return copy.deepcopy(model, memo)


def hollow(model: nn.Module) -> None:
    """Let a copy go of everything it shares and has of its own; it must not be used afterwards.

    For one that others may hold longer than it is needed: the callbacks of a trainer, compiled code (whose guards hold
    every layer, and torch._dynamo.reset() does not free them all), the frames of an error.
    """
    for module in list(model.modules()):
        stream = module.__dict__.get("layer_stream")
        if stream is not None:  # whoever else still holds it, its places are free
            stream.give_back()
        module.__dict__.clear()


@contextmanager
def hollowed_on_error(model: nn.Module) -> Iterator[None]:
    """Make nothing of a copy that is only half made ready."""
    try:
        yield
    except BaseException:
        hollow(model)
        raise
