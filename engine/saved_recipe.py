"""A saved recipe's file -> its name and the recipe."""

from pathlib import Path

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.workspace import read_object


def saved_recipe(file: Path) -> tuple[str, Recipe]:
    """Read a saved recipe.

    Args:
        file: ``recipes/<slug>.json``, as :meth:`engine.services.recipes.RecipeService.save` writes it.

    Returns:
        The name it was given, and the recipe.

    Raises:
        StudioError: It is damaged, or of another version.
    """
    saved = read_object(file)
    name, values = saved.get("name"), saved.get("recipe")
    if not isinstance(name, str) or not isinstance(values, dict):
        raise StudioError(f"{file.name} is no saved recipe.")
    return name, Recipe.from_dict(values)
