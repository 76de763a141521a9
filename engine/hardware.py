"""What machine this is: the device in words and its memory, now.

torch is never imported here on its own account: until libraries.py has brought it in, the device is unknown.
"""

import gc
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psutil

if TYPE_CHECKING:
    import torch

GIB = 2**30

# ---- Shares of the memory that is free when something is about to take it

RUN_SHARE = 0.9
"""A run on a GPU may be expected to need this: the estimate is one, and others use the GPU too."""
ANSWERING_SHARE = 0.9
"""A base on a GPU: answers need the rest for what they have read."""
UNPACKED_SHARE = 0.4
"""Unpacked copies of a base's 4-bit layers, on a computer without a GPU; training needs the rest."""
CACHE_SHARE = 0.25
"""Keys and values of the rows that are answered together: they are copied when a row joins or leaves."""
RECORDED_CACHE_SHARE = 0.5
"""The cache of a recorded decoding step."""
ARENA_SHARE = 0.85
"""The layers of a streamed base, of the computer's memory: what takes more lies in a file."""
OUTPUT_COPY_SHARE = 0.1
"""A copy of the output layer in bfloat16, for decoding by the processor."""

CONTEXT_GIB = 0.4
"""What CUDA itself holds of a GPU for a program that uses it, roughly; asking how much is free is enough to use it."""


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """The machine in one line."""

    kind: Literal["cuda", "cpu", "unknown"]
    """'unknown' until the heavy libraries are imported."""
    name: str
    used_gib: float
    total_gib: float
    """Memory of the GPU, or of the computer without one."""
    ours_gib: float = 0.0
    """What of used_gib this program holds, so that it can use it for something else."""
    packs: bool = True
    """Whether the GPU is recent enough to attend over packed rows (see model/attention.py)."""


def device_report() -> DeviceReport:
    """Return the device and its memory, in milliseconds."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda") or not hasattr(torch.cuda, "is_available"):
        return DeviceReport("unknown", "Processor", *_memory())
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        ours = torch.cuda.memory_reserved() / GIB + CONTEXT_GIB
        packs = torch.cuda.get_device_capability() >= (8, 0)
        return DeviceReport("cuda", torch.cuda.get_device_name(), (total - free) / GIB, total / GIB, ours, packs)
    return DeviceReport("cpu", f"Processor, {psutil.cpu_count(logical=False) or psutil.cpu_count()} cores", *_memory())


def gpu_count() -> int:
    """Return how many GPUs this computer has; 0 while that is unknown, because torch is not imported yet."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda") or not hasattr(torch.cuda, "device_count"):
        return 0
    return int(torch.cuda.device_count())


def _memory() -> tuple[float, float, float]:
    memory, ours = psutil.virtual_memory(), psutil.Process().memory_info().rss
    return (memory.total - memory.available) / GIB, memory.total / GIB, ours / GIB


def release_unused() -> None:
    """Give back the GPU memory that torch holds without using it, and the computer's memory that it holds pinned.

    Pinned is what layers kept for the way back, 5 GiB with a 65B; it would stay until the program ends. cuBLAS's
    workspaces (32 MiB on an H100 or H200) go first: one of them may lie in the block that a model was loaded into, and
    would keep the whole of it.

    Raises:
        RuntimeError: The GPU does not answer any more.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch._C._cuda_clearCublasWorkspaces()
        torch.cuda.empty_cache()
        if hasattr(torch._C, "_host_emptyCache"):  # not in every torch; no other name for it
            torch._C._host_emptyCache()


def builds_kernels() -> bool:
    """Whether GPU kernels can be made here while the program runs: Triton, and a C compiler for its launchers."""
    from torch.utils._triton import has_triton

    return any(map(shutil.which, ("cc", "gcc", "clang"))) and bool(has_triton())


def free_bytes(device: "torch.device") -> int:
    """Memory of the GPU that nobody holds, and what this process holds without using it; within its own limit."""
    import torch

    allocated = torch.cuda.memory_allocated(device)
    free, total = torch.cuda.mem_get_info(device)
    allowed = round(total * torch.cuda.get_per_process_memory_fraction(device))
    return int(min(free + torch.cuda.memory_reserved(device), allowed)) - allocated
