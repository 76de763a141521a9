"""From a model reference to something transformers can load, and what its failures mean.

A reference is 'starter', a local folder, or a model hub id. The hub is reached with the person's own token (HF_TOKEN or
``hf auth login``); code from the hub is never run.
"""

import re
from pathlib import Path
from typing import Any

from engine.errors import ModelError, ResourceError, StudioError
from engine.model import starter
from engine.model.catalogue import find
from engine.model.starter import Report
from engine.recipe import STARTER

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SEPARATORS = re.compile(r"[/\\]")


def resolve(model: str, cache: Path, report: Report) -> str:
    """Return a folder or a hub id that from_pretrained takes.

    Raises:
        ModelError: A local folder is missing or holds no model.
    """
    if model == STARTER:
        return str(starter.starter_folder(cache, report))
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise ModelError(f"{folder} holds no model (config.json is missing).", "Name the folder that has it.")
        return str(folder)
    if folder.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise ModelError(
            f"There is no model folder '{model}', and it is no model hub id either.",
            "Write 'starter', an existing folder, or an id such as Qwen/Qwen3-4B.",
        )
    report(f"Fetching {model} from the model hub if it is not here yet", None)
    return model


def title(model: str) -> str:
    """Return the name of a model as a person reads it."""
    entry = find(model)
    return entry.title if entry else Path(model).name if Path(model).is_absolute() else model


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
    """Options of every from_pretrained call: no code from the hub runs."""
    return {"trust_remote_code": False}


def explain(error: BaseException, model: str) -> StudioError:
    """Translate what from_pretrained raised into a sentence and a remedy."""
    if isinstance(error, StudioError):
        return error
    import torch
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    chain = _chain(error)
    text = " ".join(str(link) for link in chain)
    if any(isinstance(link, torch.OutOfMemoryError) for link in chain) or "out of memory" in text.lower():
        return ResourceError(
            f"There is not enough memory to load {title(model)}.", "Close other programs, or pick a smaller model."
        )
    if any(isinstance(link, GatedRepoError) for link in chain) or "gated repo" in text:
        return ModelError(
            f"{model} is gated: its owner asks you to accept a licence first.",
            "Accept it on the model's page, then type 'hf auth login' once in a terminal.",
        )
    if any(isinstance(link, RepositoryNotFoundError) for link in chain) or "not a valid model identifier" in text:
        return ModelError(
            f"The model hub has no '{model}'.", "Check the spelling; private models need 'hf auth login'."
        )
    if any(isinstance(link, LocalEntryNotFoundError | HfHubHTTPError) for link in chain) or "connect" in text.lower():
        return ModelError(
            f"{model} is not on this computer, and the model hub cannot be reached.",
            "Check the connection, or pick the starter model or a local folder.",
        )
    if "trust_remote_code" in text:
        return ModelError(
            f"{model} wants to run its own code, which this program never does.", "Pick a model without custom code."
        )
    if isinstance(error, OSError) and error.errno:
        from engine.workspace import explain_disk_error

        return explain_disk_error(error, Path(model))
    what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return ModelError(f"{title(model)} could not be loaded: {what}.", "Pick another model, or fetch it again.")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
