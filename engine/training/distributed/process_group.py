"""The processes that train one run together: which one this is, and what they tell each other.

In a process that trains alone there is one rank, 0, and every function answers for it without talking to anybody. The
rest of the training code asks here and need not know how many there are. What is told goes over the processor (gloo),
so that nobody waits for a GPU because of it.
"""

import os
from collections.abc import Sequence
from datetime import timedelta

CHANNELS = "8"
"""Of NCCL, each of which takes memory: without a limit 0.82 GiB of each of two H200s instead of 0.49. What is sent
during a step waits behind computing anyway; a limit that is set in the environment (NCCL_MAX_CTAS) is kept."""
PATIENCE = timedelta(minutes=30)
"""How long a rank waits for the others, which may still load, compile or write, before it gives up."""


def _joined() -> bool:
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized()


def index() -> int:
    """Which process this is, from 0."""
    import torch.distributed as dist

    return dist.get_rank() if _joined() else 0


def count() -> int:
    """How many processes train together."""
    import torch.distributed as dist

    return dist.get_world_size() if _joined() else 1


def first() -> bool:
    """Whether this process is the one that writes files and tells events."""
    return index() == 0


def several() -> bool:
    """Whether the run is shared."""
    return count() > 1


def join() -> None:
    """Meet the other processes, as the launcher's environment describes them (RANK, WORLD_SIZE, MASTER_ADDR ...).

    What talking over GPUs takes of their memory is taken now, before anybody looks at how much is left.
    """
    import torch
    import torch.distributed as dist

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        os.environ.setdefault("NCCL_MAX_CTAS", CHANNELS)
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=PATIENCE)
    if on_gpu:
        dist.all_reduce(torch.zeros(1, device="cuda"))


def leave() -> None:
    """Part from the others, when all are done."""
    import torch.distributed as dist

    if _joined():
        dist.barrier()
        dist.destroy_process_group()


def wait() -> None:
    """Wait until every process is here."""
    gathered([0.0])


def told_by_first(number: int) -> int:
    """Return the number of rank 0; the others' does not matter."""
    if not several():
        return number
    import torch
    import torch.distributed as dist

    told = torch.tensor([number], dtype=torch.int64)
    dist.broadcast(told, src=0)
    return int(told)


def gathered(numbers: Sequence[float]) -> list[list[float]]:
    """Return every rank's numbers, by rank; each gives as many."""
    if not several():
        return [list(numbers)]
    import torch
    import torch.distributed as dist

    own = torch.tensor(list(numbers), dtype=torch.float64)
    found = [torch.empty_like(own) for _ in range(count())]
    dist.all_gather(found, own)
    return [row.tolist() for row in found]


def summed(numbers: Sequence[float]) -> list[float]:
    """Return the sums over all ranks, the same to the last bit on each."""
    return [sum(column) for column in zip(*gathered(numbers), strict=True)]


def least(numbers: Sequence[float]) -> list[float]:
    """Return the smallest of each over all ranks."""
    return [min(column) for column in zip(*gathered(numbers), strict=True)]
