"""LayerStream: the layers of one copy of a streamed base, brought to the device before they compute.

A few places on the device receive the layers from the arena, one after the other, on a stream of its own while the
layer before computes. Forward passes go up and fetch the next layers, the recomputation of a backward pass goes down
and fetches the ones before; what is in a place at the turn is used at once. As many layers as there is room for have a
place of their own and stay there (resident), evenly spaced, so that the bus is never idle for long nor late for long.

Places are made once, with the weights that look at them: a fetch is one copy and allocates nothing, and nothing is ever
copied back, because the layers are frozen. Outside of its own computation a streamed layer's weights are those in the
arena, whoever looks at them. On the processor the same code runs without streams.
"""

import functools
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch

from engine.model.decoder_layers import decoder_layers
from engine.model.streaming.arena import Arena
from engine.model.streaming.pieces import Layout, weights_in
from engine.model.unpacking import linear_4bit_layers

Way = Literal[1, -1]
"""Up in a forward pass, down in a backward pass."""


REMEMBERED = 10_000
"""Waits for a layer that are remembered until somebody asks how long they were."""


class _Place:
    """Memory on the device that holds one layer at a time.

    Args:
        layouts: Of the layers that may come here.
        device: Where it is.
    """

    def __init__(self, layouts: Sequence[Layout], device: torch.device) -> None:
        self.buffer = torch.empty(max(layout.bytes for layout in layouts), dtype=torch.uint8, device=device)
        self.weights = {layout: weights_in(self.buffer, layout) for layout in set(layouts)}
        self.layer: int | None = None
        """Which layer is here, or on its way."""
        self.arrived: Any = None
        self.left: Any = None
        if device.type == "cuda":
            self.arrived, self.left = _event(), _event()
            self.left.record(torch.cuda.current_stream(device))


class LayerStream:
    """Brings layers to the device.

    Args:
        model: A weight-sharing copy of a streamed base, this stream's from now on.
        arena: Where its decoder layers lie.
        device: Where it computes.
        ahead: Layers that are fetched before they are needed; there is a place more.
        resident: Layers that stay on the device.

    Raises:
        torch.OutOfMemoryError: There is no room for so many places.
    """

    def __init__(self, model: Any, arena: Arena, device: torch.device, ahead: int = 1, resident: int = 0) -> None:
        self._arena, self._device = arena, device
        self._modules = [linear_4bit_layers(layer) for layer in decoder_layers(model)]
        self._at_home = [[module.weight for module in modules] for modules in self._modules]
        count = len(self._modules)
        self.resident = frozenset(evenly(min(resident, count), count))
        """Numbers of the layers that stay on the device."""
        streamed = [number for number in range(count) if number not in self.resident]
        self._orders = _orders(streamed, count, min(ahead + 1, len(streamed)))
        self.fetches = 0
        """Copies of a layer to the device so far."""
        self._stalled = 0.0
        self._waits: deque[tuple[Any, Any]] = deque(maxlen=REMEMBERED)
        self._copying = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        kinds = [arena.layouts[number] for number in streamed]
        self._places: list[_Place] = []
        self._own: dict[int, _Place] = {}
        try:
            for _ in range(min(ahead + 1, len(streamed))):
                self._places.append(_Place(kinds, device))
            for number in sorted(self.resident):
                self._own[number] = _Place([arena.layouts[number]], device)
        except BaseException:
            self.give_back()  # the frames of the error hold what there is
            raise
        for place in (*self._places, *self._own.values()):
            if self._copying is not None:
                place.buffer.record_stream(self._copying)  # or it could be given away while a copy is on its way
        self._settle()

    @property
    def streamed(self) -> int:
        """How many layers do not stay on the device."""
        return len(self._modules) - len(self.resident)

    @contextmanager
    def at(self, number: int, way: Way, *, around: bool = False) -> Iterator[None]:
        """Have a layer on the device for as long as the context lasts, and the next ones on their way.

        Args:
            number: Which layer.
            way: Which layers come next.
            around: Whether the first layer comes after the last, as where passes only go forward.
        """
        wanted = self._orders[way, around][number]
        for following in wanted:
            if all(place.layer != following for place in self._places):
                self._fetch(next(place for place in self._places if place.layer not in wanted), following)
        place = self._own.get(number) or next(place for place in self._places if place.layer == number)
        self._await(place)
        if number not in self.resident:
            self._show(number, place.weights[self._arena.layouts[number]])
        try:
            yield
        finally:
            if number not in self.resident:
                self._show(number, self._at_home[number])
            if place.left is not None:
                place.left.record(torch.cuda.current_stream(self._device))

    def stalled_seconds(self) -> float:
        """Return how long computation has waited for layers since the last call, as far as the GPU has come."""
        while self._waits and self._waits[0][1].query():
            began, ended = self._waits.popleft()
            self._stalled += began.elapsed_time(ended) / 1000
        stalled, self._stalled = self._stalled, 0.0
        return stalled

    def give_back(self) -> int:
        """Give the memory of all places back for a while; return the bytes."""
        places = (*self._places, *self._own.values())
        freed = sum(place.buffer.nbytes for place in places)
        if self._copying is not None:
            self._copying.synchronize()
        for place in places:
            place.layer = None
            place.buffer.untyped_storage().resize_(0)
        return freed

    def take_back(self) -> None:
        """Take the memory again.

        Raises:
            torch.OutOfMemoryError: Somebody else has it; to be tried again, or the stream to be thrown away.
        """
        for place in (*self._places, *self._own.values()):
            storage = place.buffer.untyped_storage()
            if not storage.nbytes():
                storage.resize_(place.buffer.nbytes)
                if self._copying is not None:
                    place.left.record(torch.cuda.current_stream(self._device))
                    place.buffer.record_stream(self._copying)
        self._settle()

    def _settle(self) -> None:
        """Bring the resident layers to where they stay."""
        for number, place in self._own.items():
            self._fetch(place, number)
            self._show(number, place.weights[self._arena.layouts[number]])

    def _fetch(self, place: _Place, number: int) -> None:
        piece = self._arena.pieces[number]
        self._arena.soon(number)
        place.layer = number
        self.fetches += 1
        if self._copying is None:
            began = time.perf_counter()
            place.buffer[: piece.numel()].copy_(piece)
            self._stalled += time.perf_counter() - began
            return
        with torch.cuda.stream(self._copying):
            self._copying.wait_event(place.left)
            place.buffer[: piece.numel()].copy_(piece, non_blocking=True)
            place.arrived.record(self._copying)

    def _await(self, place: _Place) -> None:
        """Let what is computed from here on wait until the layer has arrived."""
        if self._copying is None:
            return
        computing = torch.cuda.current_stream(self._device)
        began, ended = _event(timed=True), _event(timed=True)
        began.record(computing)
        computing.wait_event(place.arrived)
        ended.record(computing)
        self._waits.append((began, ended))

    def _show(self, number: int, weights: Sequence[Any]) -> None:
        """Let a layer's modules compute with these weights; no module's own setter, which registers anew."""
        for module, weight in zip(self._modules[number], weights, strict=True):
            module._parameters["weight"] = weight


def run_streamed(model: Any, stream: LayerStream) -> None:
    """Let the decoder layers of a copy be brought to the device whenever they run, for passes that only go forward."""
    for number, layer in enumerate(decoder_layers(model)):
        layer.forward = functools.partial(_forward, stream, number, type(layer).forward, layer)


def _forward(stream: LayerStream, number: int, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with stream.at(number, 1, around=True):
        return forward(*args, **kwargs)


def stream_of(model: Any) -> LayerStream | None:
    """Return what brings the layers of a copy to the device; None where they are there."""
    stream: LayerStream | None = getattr(model, "layer_stream", None)
    return stream


def _event(*, timed: bool = False) -> Any:
    return torch.cuda.Event(enable_timing=timed)  # type: ignore[no-untyped-call]


def evenly(some: int, count: int) -> list[int]:
    """Return ``some`` of the numbers below ``count``, as evenly spaced as can be."""
    return [(2 * number + 1) * count // (2 * some) for number in range(some)]


def _orders(streamed: Sequence[int], count: int, places: int) -> dict[tuple[Way, bool], list[list[int]]]:
    """Return which streamed layers are to be on the device while a layer computes, itself first, as many as places."""
    known = set(streamed)

    def first(numbers: Iterator[int]) -> list[int]:
        return list(itertools.islice((number for number in numbers if number in known), places))

    return {
        (1, False): [first(iter(range(number, count))) for number in range(count)],
        (1, True): [first(itertools.chain(range(number, count), range(number))) for number in range(count)],
        (-1, False): [first(iter(range(number, -1, -1))) for number in range(count)],
        (-1, True): [first(iter(range(number, -1, -1))) for number in range(count)],
    }
