"""Recompute a decoder layer in the backward pass instead of keeping what it needs, with its input held outside the GPU.

What torch.utils.checkpoint does, with two differences: the layer's input, the one thing that is kept, waits in the
computer's own memory (on a 7B 0.25 GiB of GPU memory for a thousand tokens), copied while the GPU computes on; and no
hooks around every saved tensor, which cost the processor more time than the GPU needs for the layer. This module knows
layers that map one tensor to another, and neither models nor recipes.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from engine.training.kernels.offload import OffloadBuffer

Run = Callable[..., torch.Tensor]
Around = Callable[..., AbstractContextManager[None]]
"""Given 1 on the way forward and -1 on the way back, what is to be done around a layer."""


class _Recomputed(torch.autograd.Function):
    """A layer whose backward runs its forward once more."""

    @staticmethod
    def forward(
        ctx: Any, run: Run, offload_buffer: OffloadBuffer | None, around: Around, hidden: torch.Tensor
    ) -> torch.Tensor:
        """Return the layer's output, keeping only its input.

        Args:
            ctx: autograd's.
            run: The layer, from hidden states to hidden states of the same shape.
            offload_buffer: Where the input waits; None keeps it on the device.
            around: What is done around the layer.
            hidden: Shape (rows, tokens, hidden_size).
        """
        ctx.run, ctx.offload_buffer, ctx.around = run, offload_buffer, around
        ctx.state = _random_state(hidden.device)
        ctx.autocast = _autocast(hidden.device)
        if offload_buffer is None:
            ctx.save_for_backward(hidden)
        else:
            offload_buffer.put(hidden)
        with around(1):
            return run(hidden)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        """Return the gradient to the input; the layer's weights get theirs on the way."""
        hidden = ctx.saved_tensors[0] if ctx.offload_buffer is None else ctx.offload_buffer.take()
        hidden = hidden.detach().requires_grad_()
        now = _random_state(hidden.device)
        _set_random_state(hidden.device, ctx.state)
        with ctx.around(-1):
            with torch.enable_grad(), ctx.autocast:
                out = ctx.run(hidden)
            _set_random_state(hidden.device, now)
            torch.autograd.backward(out, grad)
        return None, None, None, hidden.grad


def recomputed(
    run: Run,
    hidden: torch.Tensor,
    offload_buffer: OffloadBuffer | None = None,
    around: Around = lambda way: nullcontext(),
) -> torch.Tensor:
    """Return ``run(hidden)``; what its backward needs is computed again then, with the same random numbers.

    Args:
        run: From a tensor to a tensor. Weights inside it get their gradients as usual.
        hidden: Must require a gradient, or nothing inside ``run`` gets one.
        offload_buffer: Where the input waits for the backward pass; None keeps it where it is.
        around: What is done around the layer each time that it computes; on the way back until all gradients are there.
    """
    out: torch.Tensor = _Recomputed.apply(run, offload_buffer, around, hidden)  # type: ignore[no-untyped-call]
    return out


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


def _autocast(device: torch.device) -> AbstractContextManager[Any]:
    """What the forward ran under: autograd's backward threads know nothing of it."""
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, torch.get_autocast_dtype(device.type))
