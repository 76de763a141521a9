"""Imported adapters as voices: those that went through the import, and those that somebody copied in by hand.

    adapters/<id>/about.json           {"name", "model", "imported_at"}; may be missing
                  adapter_config.json  peft's own record, which names the base as well
                  recipe.json          the recipe it was trained with, where one came with it

Reads names only; weights are looked at when somebody asks.
"""

import time
from pathlib import Path

from engine.chat.records import Voice
from engine.errors import ModelError, StudioError
from engine.model.adapter_config import CONFIG, read_config
from engine.model.adapter_files import weights_file
from engine.model.starter import FOLDER as STARTER_FOLDER
from engine.workspace import read_object, write_json

ABOUT = "about.json"
STARTER = "starter"
"""How recipes name the starter model, wherever its folder lies."""


def imported_voice(folder: Path) -> Voice:
    """Return the voice of an imported adapter.

    Without a sound about.json, its name is the folder's, and its base the one that its recipe or peft's record names.

    Raises:
        ModelError: It is no adapter of a base model that is named.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder.name} is no folder of an adapter.", "Import it on the tab Export.")
    if not (folder / CONFIG).is_file():
        raise ModelError(f"{folder.name} holds no adapter ({CONFIG} is missing).", "Import it on the tab Export.")
    weights_file(folder)
    name, model = _about(folder)
    config = read_config(folder)
    model = model or _recipe_model(folder) or _plain(config.base)
    if not model:
        raise ModelError(f"{folder.name} does not say which base model it belongs to.", "Ask whoever trained it.")
    return Voice(f"adapter:{folder.name}", name or folder.name, model, folder, lookup=_learnt_with_lookup(folder))


def rename_imported(folder: Path, name: str) -> None:
    """Give an imported adapter another name.

    Raises:
        ModelError: As in :func:`imported_voice`.
    """
    try:
        about = read_object(folder / ABOUT)
    except StudioError:
        about = {"imported_at": time.time()}
    write_json(folder / ABOUT, {**about, "name": name, "model": imported_voice(folder).model})


def _about(folder: Path) -> tuple[str, str]:
    """The name and the base of about.json; empty where it does not say so."""
    try:
        about = read_object(folder / ABOUT)
    except StudioError:
        return "", ""
    return tuple(value if isinstance(value := about.get(key), str) else "" for key in ("name", "model"))  # type: ignore[return-value]  # two


def _recipe_model(folder: Path) -> str:
    try:
        model = read_object(folder / "recipe.json").get("model")
    except StudioError:
        return ""
    return model if isinstance(model, str) else ""


def _learnt_with_lookup(folder: Path) -> bool:
    try:
        return read_object(folder / "recipe.json").get("lookup") is True
    except StudioError:
        return False


def _plain(base: str) -> str:
    """The base as recipes name it: an adapter of the starter model names the folder that it lay in."""
    return STARTER if Path(base).name == STARTER_FOLDER else base
