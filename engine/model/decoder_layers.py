"""The repeated layers of a transformers model."""

from typing import Any


def decoder_layers(model: Any) -> list[Any]:
    """Return the repeated layers of a transformers model, in order: those that it could checkpoint itself."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
