"""From a model reference to something that transformers can load, and whether it is one at all.

A reference is 'starter', a local folder, or a model hub id. The hub is reached with the person's own token (HF_TOKEN or
``hf auth login``); code from the hub is never run.
"""

import re
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.model import hub, starter
from engine.recipe import STARTER
from engine.task import Report

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SEPARATORS = re.compile(r"[/\\]")


def resolve(model: str, cache: Path, report: Report, *, weights: bool = True) -> str:
    """Return the folder that from_pretrained takes; what is not on this computer yet is fetched.

    Given a hub's id, transformers would ask the hub for an adapter beside the model even when told to stay local, and
    go on trying for half a minute without a network.

    Args:
        model: As in the recipe.
        cache: The workspace's cache folder, where the starter model is kept.
        report: Told how far a fetch is.
        weights: Whether the weights are wanted too, or only the tokenizer.

    Raises:
        StudioError: It is not to be had; in words.
    """
    check_reference(model, weights=weights)
    if model == STARTER:
        return str(starter.starter_folder(cache, report))
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder)
    return str(hub.fetch(model, report, weights=weights))


def check_reference(model: str, *, weights: bool = True) -> None:
    """Make sure that a text can be a model: asks nobody, looks at the disk alone.

    Args:
        model: As in the recipe.
        weights: Whether a folder has to hold them.

    Raises:
        ModelError: It is neither the starter model, nor a folder that holds a model, nor an id of the hub.
    """
    folder = Path(model).expanduser()
    if model == STARTER or (is_hub_id(model) and not folder.is_dir()):
        return
    if not folder.is_dir() or not model.strip():
        raise ModelError(
            f"There is no model folder '{model}', and it is no model hub id either.",
            "Write 'starter', an existing folder, or an id such as Qwen/Qwen3-4B.",
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no model (config.json is missing).", "Name the folder that has it.")
    if weights and not any(path.suffix in {".safetensors", ".bin"} for path in folder.iterdir()):
        raise ModelError(f"{folder} holds no weights (*.safetensors).", "Name the folder that has them.")


def check(model: str) -> None:
    """Make sure that there is a model: as :func:`check_reference`, and the hub is asked where it is not here yet.

    Takes at most a few seconds, whatever the network does.

    Raises:
        ModelError: There is none, or the hub cannot be asked; in words.
    """
    check_reference(model)
    if model != STARTER and not Path(model).expanduser().is_dir() and not hub.is_here(model):
        hub.look_up(model)


def public_name(model: str) -> str:
    """Return a model's name for others: the hub's id, or a folder's name, since a path says who it was and where.

    A folder of the hub's own cache has the id in its path (.../models--Qwen--Qwen3-4B/snapshots/...).
    """
    if model == STARTER or _HUB_ID.fullmatch(model):
        return model
    parts = [part for part in _SEPARATORS.split(model) if part not in {"", ".", "..", "~"}]
    cached = next((part for part in parts if part.startswith("models--") and part.count("--") == 2), "")
    return cached.removeprefix("models--").replace("--", "/") or (parts[-1] if parts else "model")


def is_hub_id(model: str) -> bool:
    """Whether a text is a model hub id, such as Qwen/Qwen3-4B."""
    return bool(_HUB_ID.fullmatch(model)) and ".." not in model and "--" not in model


def loading_options() -> dict[str, Any]:
    """Options of every from_pretrained call: no code from the hub runs, and what is loaded is here already."""
    return {"trust_remote_code": False, "local_files_only": True}
