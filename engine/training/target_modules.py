"""Whether a recipe's target modules are layers of the model that can carry an adapter: looked at before training."""

import re
from difflib import get_close_matches
from typing import Any

from engine.errors import RecipeError
from engine.recipe import Recipe

ALL_LINEAR = "all-linear"
_EXPERTS = re.compile(r"(^|\.)experts(\.|$)")


def check_target_modules(model: Any, recipe: Recipe) -> None:
    """Refuse names that the model has not, or that are no layers an adapter can sit on and be asked at.

    peft trains what it finds of several names and says nothing of the others.

    Args:
        model: The base.
        recipe: Its target_modules count.

    Raises:
        RecipeError: Names the layer at fault, and the nearest that there is.
    """
    if recipe.targets == (ALL_LINEAR,):
        return
    from torch import nn

    modules = dict(model.named_modules())
    tables = {id(table) for table in (model.get_input_embeddings(), model.get_output_embeddings()) if table is not None}
    fitting = {
        name: module for name, module in modules.items() if isinstance(module, nn.Linear) and id(module) not in tables
    }
    names = sorted({name.rpartition(".")[2] for name in fitting})
    for target in recipe.targets:
        meant = [name for name in modules if name == target or name.endswith(f".{target}")]
        if not meant:
            raise _unknown(target, names)
        unfit = next((name for name in meant if name not in fitting or _EXPERTS.search(name)), None)
        if unfit:
            raise RecipeError(
                "target_modules",
                f"{unfit} of this model cannot carry an adapter that answers beside the base.",
                f"Write all-linear, or some of {', '.join(names)}.",
            )


def _unknown(target: str, known: list[str]) -> RecipeError:
    nearest = get_close_matches(target, [ALL_LINEAR, *known], n=1, cutoff=0.5)
    hint = f"Did you mean {nearest[0]}? " if nearest else ""
    return RecipeError(
        "target_modules",
        f"The base model has no layer of the name {target}, which the recipe gives as a target module.",
        f"{hint}There are {', '.join(known)}; all-linear takes all.",
    )
