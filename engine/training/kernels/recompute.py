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

Run = Callable[..., torch.Tensor]


class Shelf:
    """Keeps tensors from the GPU in pinned memory of the computer, last in, first out.

    Buffers are made once and used again in every pass. A copy out runs beside the computation; the copy back of the
    next tensor to be asked for begins when the one before it is taken.
    """

    def __init__(self) -> None:
        self._buffers: list[torch.Tensor] = []
        self._kept: list[tuple[torch.Tensor, torch.device]] = []
        self._coming: torch.Tensor | None = None
        self._stream: torch.cuda.Stream | None = None

    def put(self, tensor: torch.Tensor) -> None:
        """Begin to copy a tensor out; its GPU memory is free again when the caller drops it."""
        stream = self._side_stream(tensor.device)
        buffer = self._buffer(len(self._kept), tensor)
        stream.wait_stream(torch.cuda.current_stream(tensor.device))
        with torch.cuda.stream(stream):
            buffer.copy_(tensor, non_blocking=True)
        tensor.record_stream(stream)
        self._kept.append((buffer, tensor.device))

    def take(self) -> torch.Tensor:
        """Return the tensor that was put last, and begin to fetch the one before it."""
        found = self._coming if self._coming is not None else self._fetch()
        torch.cuda.current_stream(found.device).wait_stream(self._side_stream(found.device))
        found.record_stream(torch.cuda.current_stream(found.device))
        self._coming = self._fetch() if self._kept else None
        return found

    def _fetch(self) -> torch.Tensor:
        buffer, device = self._kept.pop()
        with torch.cuda.stream(self._side_stream(device)):
            return buffer.to(device, non_blocking=True)

    def _side_stream(self, device: torch.device) -> torch.cuda.Stream:
        if self._stream is None:
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        return self._stream

    def _buffer(self, place: int, like: torch.Tensor) -> torch.Tensor:
        """Return a pinned buffer of the tensor's shape, cut from one that is made for each place in the pile."""
        if place == len(self._buffers):
            self._buffers.append(torch.empty(0, dtype=like.dtype, pin_memory=True))
        if self._buffers[place].numel() < like.numel():
            self._buffers[place] = torch.empty(like.numel(), dtype=like.dtype, pin_memory=True)
        return self._buffers[place][: like.numel()].view(like.shape)


class _Recomputed(torch.autograd.Function):
    """A layer whose backward runs its forward once more."""

    @staticmethod
    def forward(ctx: Any, run: Run, shelf: Shelf | None, hidden: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, keeping only its input.

        Args:
            ctx: autograd's.
            run: The layer, from hidden states to hidden states of the same shape.
            shelf: Where the input waits; None keeps it on the device.
            hidden: Shape (rows, tokens, hidden_size).
        """
        ctx.run, ctx.shelf = run, shelf
        ctx.state = _random_state(hidden.device)
        ctx.autocast = _autocast(hidden.device)
        if shelf is None:
            ctx.save_for_backward(hidden)
        else:
            shelf.put(hidden)
        return run(hidden)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        """Return the gradient to the input; the layer's weights get theirs on the way."""
        hidden = ctx.saved_tensors[0] if ctx.shelf is None else ctx.shelf.take()
        hidden = hidden.detach().requires_grad_()
        now = _random_state(hidden.device)
        _set_random_state(hidden.device, ctx.state)
        with torch.enable_grad(), ctx.autocast:
            out = ctx.run(hidden)
        _set_random_state(hidden.device, now)
        torch.autograd.backward(out, grad)
        return None, None, hidden.grad


def recomputed(run: Run, hidden: torch.Tensor, shelf: Shelf | None = None) -> torch.Tensor:
    """Return ``run(hidden)``; what its backward needs is computed again then, with the same random numbers.

    Args:
        run: From a tensor to a tensor. Weights inside it get their gradients as usual.
        hidden: Must require a gradient, or nothing inside ``run`` gets one.
        shelf: Where the input waits for the backward pass; None keeps it where it is.
    """
    out: torch.Tensor = _Recomputed.apply(run, shelf, hidden)  # type: ignore[no-untyped-call]
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
