"""The weights of a merged model: those that were trained over, with what the adapter adds, one after the other.

An adapter that has learnt over 4-bit weights fits these and no others. So each packed layer is unpacked into the very
values that it multiplied with, and the adapter's part is added in float32. Nothing is computed before somebody asks for
a weight, and nothing is kept afterwards: whoever writes them holds one in memory, never a model in 16 bit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError

if TYPE_CHECKING:
    import torch

    from engine.model.adapter_files import Adapter, LoraPair
    from engine.model.base import BaseModel

_OTHER_BASE = "Pick the base model that it was trained on."


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight of a model, not computed yet."""

    name: str
    """As in the model's own checkpoint: 'model.layers.0.self_attn.q_proj.weight'."""
    shape: tuple[int, ...]
    compute: "Callable[[], torch.Tensor]"
    """Returns it on the CPU: in float32 where it was packed or adapted, else in the type that it has."""


Values = Callable[[str, "torch.Tensor", Any], "torch.Tensor"]
"""Takes a weight's name, the base's tensor and the module that owns it; returns what the adapter is added to."""


def trained_values(_: str, tensor: "torch.Tensor", module: Any) -> "torch.Tensor":
    """Return the values that were multiplied with while it learnt: unpacked as float32, or as they are.

    Args:
        _: The weight's name.
        tensor: The base's, packed or not.
        module: Its owner; a packed one says in which type it computes.
    """
    from engine.model.unpacking import unpacked_values

    packed = getattr(tensor, "quant_state", None)
    if packed is None:
        return tensor.detach()
    # in the type of the arithmetic first: rounding to it is part of what was trained over
    return unpacked_values(tensor, packed, module.compute_dtype or packed.dtype).float()


def merged_weights(base: "BaseModel", adapter: "Adapter", values: Values = trained_values) -> list[Weight]:
    """Return all weights of the base with the adapter merged in, in the model's order.

    A head that shares its weight with the embeddings is left out, as in a checkpoint, unless the adapter changes it
    (:func:`unties_head`).

    Args:
        base: Must stay loaded until the last weight is computed.
        adapter: As from :meth:`engine.export.source.ExportSource.read_adapter`.
        values: What the adapter is added to.

    Raises:
        ModelError: The adapter does not fit the base, or adds what a plain checkpoint cannot hold.
    """
    check_fit(base, adapter)
    weights = [_weight(name, tensor, module, adapter, values) for name, tensor, module in _tensors(base.model)]
    if unties_head(base, adapter):
        head, shared = base.model.get_output_embeddings(), base.model.get_input_embeddings()
        name, stored_as = (f"{_name_of(layer, base.model)}.weight" for layer in (head, shared))
        weights.append(_weight(name, head.weight, head, adapter, values, stored_as))
    return weights


def unties_head(base: "BaseModel", adapter: "Adapter") -> bool:
    """Whether the base's head shares the embeddings' weight, and the merged model's cannot any more."""
    head, embeddings = base.model.get_output_embeddings(), base.model.get_input_embeddings()
    return head is not None and head.weight is embeddings.weight and _name_of(head, base.model) in adapter.layers


def check_fit(base: "BaseModel", adapter: "Adapter") -> None:
    """Compare every adapted layer with the base's, before anything is written.

    Raises:
        ModelError: A layer is not there, has another shape, or would need a bias that it has no place for.
    """
    if getattr(base.model, "_weight_conversions", None):  # of transformers: packed experts, renamed towers
        raise ModelError(
            f"{base.title} keeps its weights in another arrangement than its checkpoint, as mixtures of experts do.",
            "Take the adapter home as it is, unmerged.",
        )
    modules = dict(base.model.named_modules())
    for name, pair in adapter.layers.items():
        layer = modules.get(name)
        there = (getattr(layer, "out_features", None), getattr(layer, "in_features", None))
        if there != (pair.up.shape[0], pair.down.shape[1]):
            raise ModelError(f"The adapter does not fit {base.title}: its {name[-80:]} is another one.", _OTHER_BASE)
        if pair.bias is not None and getattr(layer, "bias", None) is None:
            raise ModelError(
                f"The adapter adds a bias to {name[-80:]}, for which the base's checkpoint has no place.",
                "Take the adapter home as it is, unmerged.",
            )
    for name in adapter.base_biases:
        if getattr(modules.get(name), "bias", None) is None:
            raise ModelError(f"The adapter does not fit {base.title}, which has no bias {name[-80:]}.", _OTHER_BASE)


def merged(weight: "torch.Tensor", pair: "LoraPair", scale: float) -> "torch.Tensor":
    """Return ``weight + scale * up @ down`` in float32.

    Args:
        weight: Shape (out_features, in_features).
        pair: The adapter's two halves.
        scale: alpha / rank, or alpha / sqrt(rank).
    """
    import torch

    down, up = (half.to(weight.device, torch.float32) for half in (pair.down, pair.up))
    return torch.addmm(weight.float(), up, down, alpha=scale)


def _tensors(model: Any) -> "Iterator[tuple[str, torch.Tensor, Any]]":
    """Yield each parameter and each buffer that a checkpoint holds, once, with the module that owns it."""
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        kept = {
            name: value for name, value in module._buffers.items() if name not in module._non_persistent_buffers_set
        }
        for name, tensor in {**module._parameters, **kept}.items():
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                yield f"{prefix}.{name}" if prefix else name, tensor, module


def _weight(
    name: str, tensor: "torch.Tensor", module: Any, adapter: "Adapter", values: Values, stored_as: str = ""
) -> Weight:
    where, _, part = name.rpartition(".")
    packed = getattr(tensor, "quant_state", None)
    shape = tuple(packed.shape if packed is not None else tensor.shape)
    if part == "bias":
        return Weight(name, shape, lambda: _bias(where, values(name, tensor, module), adapter))
    pair = adapter.layers.get(where) if part == "weight" else None

    def compute() -> "torch.Tensor":
        found = values(stored_as or name, tensor, module)
        if pair is not None:
            found = merged(found, pair, adapter.config.scale(where, pair.down.shape[0]))
        return found.cpu()

    return Weight(name, shape, compute)


def _bias(where: str, tensor: "torch.Tensor", adapter: "Adapter") -> "torch.Tensor":
    """A bias as the adapter leaves it: the trained one in its place, or its own part added."""
    trained = adapter.base_biases.get(where)
    value = tensor.cpu() if trained is None else trained.float()
    pair = adapter.layers.get(where)
    if pair is None or pair.bias is None:
        return value
    return value.float() + adapter.config.scale(where, pair.down.shape[0]) * pair.bias.float()


def _name_of(layer: Any, model: Any) -> str:
    return next((name for name, module in model.named_modules() if module is layer), "")
