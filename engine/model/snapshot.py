"""Snapshot: the weights of an adapter that is being trained, as they were between two of its steps."""

from dataclasses import dataclass
from typing import Any

from engine.model.adapter_config import AdapterConfig
from engine.model.adapter_files import Adapter, sorted_out


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A copy that training no longer touches."""

    run: str
    """The run's id."""
    step: int
    """After how many steps."""
    adapter: Adapter


def snapshot_of(model: Any, run: str, step: int) -> Snapshot:
    """Copy the adapter of a model in training; to be called between its steps, in the thread that trains it.

    Args:
        model: peft's, with one LoRA adapter.
        run: The run's id.
        step: How many steps it has taken.
    """
    from peft import get_peft_model_state_dict

    lora = next(iter(model.peft_config.values()))
    tensors = {name: tensor.detach().clone() for name, tensor in get_peft_model_state_dict(model).items()}
    layers, biases = sorted_out(tensors, run)
    config = AdapterConfig(lora.r, lora.lora_alpha, bool(lora.use_rslora), dict(lora.alpha_pattern or {}), "")
    return Snapshot(run, step, Adapter(config, layers, {name: bias.cpu() for name, bias in biases.items()}))
