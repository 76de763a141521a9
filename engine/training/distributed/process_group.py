"""The processes that train one run together: which one this is, and what they tell each other.

In a process that trains alone there is one rank, 0, and every function answers for it without talking to anybody. The
rest of the training code asks here and need not know how many there are. What is told goes over the processor (gloo),
so that nobody waits for a GPU because of it.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

CHANNELS = "8"
"""Of NCCL, each of which takes memory: without a limit 0.82 GiB of each of two H200s instead of 0.49. What is sent
during a step waits behind computing anyway; a limit that is set in the environment (NCCL_MAX_CTAS) is kept."""
PATIENCE = timedelta(minutes=30)
"""How long a rank waits for the others, which may still load, compile or write, before it gives up."""


def _joined() -> bool:
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Return the number of this process, from 0."""
    import torch.distributed as dist

    return dist.get_rank() if _joined() else 0


def world_size() -> int:
    """Return how many processes train together."""
    import torch.distributed as dist

    return dist.get_world_size() if _joined() else 1


def is_rank_zero() -> bool:
    """Whether this process is the one that writes files and emits events."""
    return rank() == 0


def is_distributed() -> bool:
    """Whether several processes share the run."""
    return world_size() > 1


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
        dist.all_reduce(torch.zeros(1, dtype=torch.float32, device="cuda"))


def leave() -> None:
    """Part from the others, when all are done."""
    import torch.distributed as dist

    if _joined():
        dist.barrier()
        dist.destroy_process_group()


def barrier() -> None:
    """Wait until every process is here."""
    all_gather([0.0])


def broadcast(number: int) -> int:
    """Return the number of rank 0; the others' does not matter."""
    if not is_distributed():
        return number
    import torch
    import torch.distributed as dist

    told = torch.tensor([number], dtype=torch.int64)
    dist.broadcast(told, src=0)
    return int(told)


def all_gather(numbers: Sequence[float]) -> list[list[float]]:
    """Return every rank's numbers, by rank; each gives as many."""
    if not is_distributed():
        return [list(numbers)]
    import torch
    import torch.distributed as dist

    own = torch.tensor(list(numbers), dtype=torch.float64)
    found = [torch.empty_like(own) for _ in range(world_size())]
    dist.all_gather(found, own)
    return [row.tolist() for row in found]


def all_reduce(numbers: Sequence[float], reduce: Callable[[Iterable[float]], float] = sum) -> list[float]:
    """Return each number summed over all ranks, or reduced in another way; the same to the last bit on each rank.

    Args:
        numbers: This rank's; each rank gives as many.
        reduce: From the ranks' values to one, such as ``min``.
    """
    return [reduce(column) for column in zip(*all_gather(numbers), strict=True)]
