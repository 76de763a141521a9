"""A base that is too large for one GPU, split among the ranks (FSDP2, torch's fully_shard).

Each rank keeps its part of every decoder layer's 4-bit weights; before a layer computes, the parts are put together
and after it given up again. The frozen base needs no more than that. The adapter is small and whole on every rank, so
that optimizer, checkpoints and the adapter's file are those of any other run; its gradients are averaged once a step.

Two things differ from a whole base: it is never unpacked to 16 bit, nor are its layers compiled; and it is used up by
the one run. Four packed bytes are looked at as one float32 while they are split (bnb_4bit_quant_storage's way, with
another type): up to torch 2.11 only floating-point numbers can be split, and float32 is the type that torch copies as
it is. Numbers of bfloat16, the usual advice, pass through float32 on their way, and bytes that happen to spell a NaN
come back as others: losses were 0.02 to 0.07 off (two H200s, torch 2.11).
"""

from pathlib import Path
from typing import Any

import torch

from engine.model.base import BaseModel
from engine.model.chat_format import load_chat_format
from engine.model.decoder_layers import decoder_layers
from engine.model.loading import compute_dtype, load_quantised, pick_device
from engine.model.unpacking import linear_4bit_layers
from engine.recipe import Recipe
from engine.task import Report
from engine.training.distributed import process_group

PACKED_SHARE = 0.4
"""Memory of a 4-bit base as a share of its 16-bit files, with what loading needs on the way; embeddings stay whole."""


class ShardedBase(BaseModel):
    """A base of which this process holds a part; there are no copies of it."""

    def copy(self, ahead: int = 1, resident: int = 0) -> Any:
        """Return the one model there is: the weights change their place while it runs."""
        return self.model


def load_sharded(recipe: Recipe, cache: Path, report: Report) -> ShardedBase:
    """Load the recipe's base and keep this rank's part; every rank has to call it.

    Raises:
        ModelError: It is not to be had or not loadable.
        ResourceError: Memory or disk ran out.
    """
    chat = load_chat_format(recipe.model, cache, report)
    device = pick_device()
    dtype = compute_dtype(recipe.compute_type, device)
    begins = device if _fits_whole(recipe, device) else torch.device("cpu")
    model = load_quantised(recipe, cache, begins, dtype, report, unpacks=False)
    shard(model, device)
    return ShardedBase(model, chat, recipe.model, recipe.base_options)


def _fits_whole(recipe: Recipe, device: torch.device) -> bool:
    """Whether the GPU can hold the whole 4-bit base for the moment of loading: packing is much faster there."""
    files = list(Path(recipe.model).expanduser().glob("*.safetensors"))
    if device.type == "cpu" or not files:
        return False
    return PACKED_SHARE * sum(file.stat().st_size for file in files) < torch.cuda.mem_get_info(device)[0]


def shard(model: Any, device: torch.device) -> None:
    """Split the decoder layers of a frozen 4-bit model among the ranks, and bring the rest of it to the device.

    Args:
        model: A transformers model, on the device or on the CPU; changed in place.
        device: Where this rank computes.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor

    mesh = init_device_mesh(device.type, (process_group.world_size(),))
    packed = linear_4bit_layers(model)
    small = set(model.parameters()) - {layer.weight for layer in packed}  # of other types, and not worth the way
    kinds = [(layer.weight.quant_type, layer.weight.compress_statistics) for layer in packed]
    for layer in packed:
        layer.quant_state = layer.weight.quant_state  # bitsandbytes looks here when a weight has been brought together
        layer.weight.data = layer.weight.data.flatten().view(torch.float32)[:, None]
    for decoder_layer in decoder_layers(model):  # nothing here may hold the whole weights: there is no room for two
        fully_shard(decoder_layer, mesh=mesh, reshard_after_forward=True, ignored_params=small)
    whole = [parameter for parameter in model.parameters() if not isinstance(parameter, DTensor)]
    for tensor in (*whole, *model.buffers()):
        tensor.data = tensor.data.to(device)
    fully_shard(model.base_model, mesh=mesh, ignored_params=set(whole))  # it orders the layers, and fetches ahead
    for layer, (kind, twice) in zip(packed, kinds, strict=True):
        layer.quant_state.to(device)
        layer.weight.quant_type, layer.weight.compress_statistics = kind, twice  # peft asks the weight


def same_everywhere(parameters: Any) -> None:
    """Give every rank the trained weights of the first."""
    import torch.distributed as dist

    for parameter in parameters:
        if parameter.requires_grad:
            dist.broadcast(parameter.data, src=0)


def average_gradients(parameters: Any) -> None:
    """Replace gradients by their mean over all ranks, in one message."""
    import torch.distributed as dist

    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= process_group.world_size()
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(mean.view_as(gradient))
