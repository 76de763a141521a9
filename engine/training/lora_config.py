"""The adapter of a run: a recipe in peft's words, and a new adapter over a copy of the base.

Which of its target modules a model has, :mod:`engine.training.target_modules` looks at before.
"""

from typing import TYPE_CHECKING, Any

from engine.recipe import Recipe

if TYPE_CHECKING:
    from peft import LoraConfig


def lora_config(recipe: Recipe) -> "LoraConfig":
    """Return peft's configuration of the adapter."""
    from peft import LoraConfig

    names = list(recipe.targets)
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear" if names == ["all-linear"] else names,
        bias=recipe.bias,
        task_type="CAUSAL_LM",
    )


def with_new_adapter(copy: Any, recipe: Recipe) -> Any:
    """Put a new adapter over a model; its first values follow from the recipe's seed alone.

    Args:
        copy: A weight-sharing copy of the base; changed in place.
        recipe: Its seed and all fields of the adapter count.

    Returns:
        A PeftModel.
    """
    from peft import get_peft_model
    from transformers import set_seed

    if recipe.bias != "none":
        _own_biases(copy)
    set_seed(recipe.seed)
    model = get_peft_model(copy, lora_config(recipe))
    for parameter in model.parameters():
        if parameter.requires_grad:  # peft puts them where the layer's weights are; a streamed layer only visits
            parameter.data = parameter.data.to(copy.device)
    return model


def _own_biases(model: Any) -> None:
    """Give a copy biases of its own: peft would train the shared ones of the base in place."""
    from torch import nn

    for module in model.modules():
        if isinstance(getattr(module, "bias", None), nn.Parameter):
            module.bias = nn.Parameter(module.bias.detach().clone(), requires_grad=False)
