"""What a paused run gives back: GPU memory that it can do without until it goes on; all of it comes back bit for bit.

The optimizer's state waits in the computer's memory. Unpacked copies of the base lose their storage, and are unpacked
again from the 4-bit values. Memory that torch holds without using it goes back to the driver. The adapter's weights
stay: they are small, and the playground may want a snapshot.

Paged optimizer state stays where it is. It is managed memory, which the driver moves out by itself as soon as somebody
needs the room, and bitsandbytes 0.50 cannot move it out by hand: its prefetch to the processor asks CUDA about a device
-1 and ends the process when that fails (cprefetch in csrc/pythonInterface.cpp).

This module knows optimizers and layers, and neither who asked for a pause nor how long it takes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from engine.hardware import GIB, release_unused
from engine.model.device_errors import is_out_of_memory, without_frames
from engine.model.streaming.layer_stream import LayerStream
from engine.model.unpacking import unpacked_values
from engine.training.distributed import process_group
from engine.training.runs.events import Emit, LogNote


def is_worth_it(device: torch.device) -> bool:
    """Whether a pause frees anything there: on the CPU everything is in the computer's memory already."""
    return device.type == "cuda"


def wait_without_memory(
    memory: "PausedMemory", device: torch.device, wait: Callable[[], bool], emit: Emit
) -> tuple[bool, Exception | None]:
    """Wait with as little GPU memory as possible. After a stop nothing comes back: no step follows.

    Args:
        memory: What the run can do without meanwhile.
        device: Whose memory that is.
        wait: Returns at the end of the pause; True says that the run is to stop.
        emit: Told how much is given back.

    Returns:
        What ``wait`` said; and the error where somebody else has taken the room meanwhile.
    """
    given = memory.give_back(device) / GIB
    emit(LogNote(f"Paused; {given:.1f} GiB of GPU memory are given back until the run goes on."))
    if wait():
        return True, None
    try:
        memory.take_back()
    except Exception as error:
        several_end_together = process_group.is_distributed()  # see oom_recovery.NeedsLess
        if several_end_together or not is_out_of_memory(error):
            raise
        return False, without_frames(error)
    return False, None


class PausedMemory:
    """The memory of a run during one pause.

    Args:
        optimizer: Its state is moved; None before there is one.
        layers: Linear4bit modules with unpacked copies that are nobody else's, or none.
        stream: What brings in the layers of a streamed base; None where they are there.
    """

    def __init__(self, optimizer: Any, layers: Sequence[Any] = (), stream: LayerStream | None = None) -> None:
        self._optimizer = optimizer
        self._layers = layers
        self._stream = stream
        self._moved: list[tuple[dict[str, Any], str, torch.device]] = []
        self._freed: list[Any] = []

    def give_back(self, device: torch.device) -> int:
        """Give the memory of ``device`` to others; return how many bytes it was."""
        before = _reserved(device)
        freed = self._move_state_out() + self._free_copies() + (self._stream.give_back() if self._stream else 0)
        release_unused()
        return max(freed, before - _reserved(device))

    def take_back(self) -> None:
        """Take everything back.

        Raises:
            torch.OutOfMemoryError: Somebody else has taken the room. What is not back stays in the computer's memory,
                from where a checkpoint is saved all the same; no step can be taken.
        """
        try:
            self._take_all()
        except torch.OutOfMemoryError:
            release_unused()
            self._take_all()

    def _take_all(self) -> None:
        while self._freed:
            layer = self._freed[-1]
            storage = layer.unpacked.untyped_storage()
            storage.resize_(layer.unpacked.nbytes)
            layer.unpacked.copy_(unpacked_values(layer.weight, layer.weight.quant_state, layer.compute_dtype))
            self._freed.pop()
        if self._stream is not None:
            self._stream.take_back()
        back: dict[int, torch.Tensor] = {}
        while self._moved:
            values, name, device = self._moved[-1]
            waiting = values[name]
            if id(waiting) not in back:
                back[id(waiting)] = waiting.to(device)
            values[name] = back[id(waiting)]
            self._moved.pop()

    def _move_state_out(self) -> int:
        """Replace the state's tensors by copies; one that several parameters share stays shared."""
        waiting: dict[int, torch.Tensor] = {}
        kept = [] if self._optimizer is None else list(self._optimizer.state.values())
        before = [tensor for values in kept for tensor in values.values()]  # until the end, so that ids stay theirs
        for values in kept:
            for name, tensor in values.items():
                if not _can_move(tensor):
                    continue
                if id(tensor) not in waiting:
                    waiting[id(tensor)] = tensor.to("cpu", copy=True)
                self._moved.append((values, name, tensor.device))
                values[name] = waiting[id(tensor)]
        del before
        return sum(tensor.nbytes for tensor in waiting.values())

    def _free_copies(self) -> int:
        for layer in self._layers:
            layer.unpacked.untyped_storage().resize_(0)
            self._freed.append(layer)
        return sum(layer.unpacked.nbytes for layer in self._layers)


def _can_move(value: Any) -> bool:
    """Plain tensors; not those in managed memory, not shards of distributed ones, not numbers."""
    return type(value) is torch.Tensor and not getattr(value, "is_paged", False)


def _reserved(device: torch.device) -> int:
    """Bytes that torch holds, used or not."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
