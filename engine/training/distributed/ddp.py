"""Data parallelism: every rank holds the whole base and takes its share of each step's rows.

What the ranks sum is the adapter's gradients and nothing else; torch does that layer by layer during the backward pass.
"""

from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from engine.training.data.sampling import RankBatches, WithBlank
from engine.training.distributed import process_group
from engine.training.distributed.fsdp import same_everywhere


def share_model(model: Any, seed: int, *, sharded: bool, compiled: bool) -> None:
    """Make a model ready for several ranks; every rank has to call it.

    Args:
        model: A PeftModel, before transformers wraps it.
        seed: The recipe's.
        sharded: Whether the base is split among the ranks (fsdp.py).
        compiled: Whether its layers are compiled.
    """
    torch.manual_seed(seed + process_group.rank())  # or all would forget the same at random
    if sharded:
        model._is_accelerate_prepared = True  # nothing of it is to be wrapped: see fsdp.py
        same_everywhere(model.parameters())
        return
    named = (*model.named_parameters(), *model.named_buffers())
    frozen = [name for name, tensor in named if not tensor.requires_grad]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, frozen)  # type: ignore[no-untyped-call]
    if compiled:  # layer by layer: torch must not cut them up for its messages
        torch._dynamo.config.optimize_ddp = False


def rank_loader(
    dataset: Any, order: Any, micro_batch: int, accumulation: int, device: torch.device, **options: Any
) -> Any:
    """Return the loader of this rank's batches, which accelerate must not share out again.

    Args:
        dataset: All rows.
        order: Their numbers, as all ranks go through them.
        micro_batch: Rows of a batch.
        accumulation: Batches of an optimizer step.
        device: Where the batches are put.
        **options: As for DataLoader.
    """
    batches = RankBatches(order, micro_batch, accumulation, process_group.rank(), process_group.world_size())
    loader: Any = DataLoader(
        WithBlank(dataset),  # type: ignore[arg-type]  # it has what a data set needs
        batch_sampler=batches,
        **options,
    )
    return prepare_data_loader(loader, device, num_processes=1, process_index=0, put_on_device=True)
