"""Models of the hub: whether there is one of a name, and its files on this computer.

A model that is here is never asked for again: it is loaded from the disk alone. One that is not is looked up with one
question and a short patience, where transformers would try for half a minute before it says that there is no network.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from engine.errors import ModelError, StudioError
from engine.model.catalogue import title
from engine.model.errors import explain, unreachable
from engine.model.fetching import fetched
from engine.task import Report

PATIENCE = 5.0
"""Seconds to wait for the hub's answer to one question."""
TEXTS = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
"""Files that describe a model and its tokenizer; transformers' names (https://huggingface.co/docs/transformers)."""
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
"""Weights as transformers looks for them: the second only where there are none of the first."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """What the hub says of a model."""

    commit: str
    sizes: dict[str, int]
    """Name of a file at the top of the repository -> bytes."""

    @property
    def weights(self) -> tuple[str, ...]:
        """The pattern that names its weights; empty where it has none."""
        found = (pattern for pattern in WEIGHTS if any(fnmatch(name, pattern) for name in self.sizes))
        return tuple(found)[:1]

    def bytes_of(self, patterns: tuple[str, ...]) -> int:
        """Bytes of the files that patterns name."""
        return sum(size for name, size in self.sizes.items() if any(fnmatch(name, pattern) for pattern in patterns))


def is_here(model: str, *, weights: bool = True) -> bool:
    """Whether a model's files are on this computer, complete.

    Args:
        model: The hub's id.
        weights: Whether its weights count, or only what describes it.
    """
    return _folder_of(model, weights=weights) is not None


def look_up(model: str) -> HubModel:
    """Ask the hub for a model.

    Raises:
        ModelError: There is none of that name, it is gated or has no weights to train over, or there is no answer.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    hub = HfApi()
    try:
        info = hub.model_info(model, timeout=PATIENCE, files_metadata=True)
        if info.gated:
            hub.auth_check(model)
    except HfHubHTTPError as error:
        raise explain(error, model) from error
    except Exception as error:  # no network, no name server, no answer in time, or told to stay offline
        raise unreachable(model) from error
    listing = HubModel(info.sha or "main", {file.rfilename: file.size or 0 for file in info.siblings or ()})
    if not listing.weights or "config.json" not in listing.sizes:
        gguf = any(name.endswith(".gguf") for name in listing.sizes)
        raise ModelError(
            f"{model} holds {'GGUF files, which are packed already' if gguf else 'no model for transformers'}.",
            "Name the model that it was made from." if gguf else "Pick another one.",
        )
    return listing


def fetch(model: str, report: Report, *, weights: bool = True) -> Path:
    """Return the folder of a model's files; asks the hub only where they are not here.

    Args:
        model: The hub's id.
        report: Told how many bytes are here.
        weights: Whether its weights are wanted too, or only what describes it.

    Raises:
        StudioError: In words, as for :func:`look_up`, and where the disk is full.
    """
    if here := _folder_of(model, weights=weights):
        return here
    from huggingface_hub import snapshot_download

    report(f"Asking the model hub for {title(model)}", None)
    found = look_up(model)
    patterns = (*TEXTS, *(found.weights if weights else ()))
    try:
        return fetched(
            lambda bar: Path(snapshot_download(model, allow_patterns=list(patterns), tqdm_class=bar)),
            _cache_of(model) / "blobs",
            title(model),
            found.bytes_of(patterns),
            report,
        )
    except StudioError:
        raise
    except Exception as error:
        raise explain(error, model) from error


def _cache_of(model: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{model.replace('/', '--')}"


def _folder_of(model: str, *, weights: bool) -> Path | None:
    """The newest version of a model that is here complete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def found(patterns: tuple[str, ...]) -> Path | None:
        try:
            folder = Path(snapshot_download(model, allow_patterns=list(patterns), local_files_only=True))
        except (LocalEntryNotFoundError, OSError, ValueError):
            return None
        return folder if (folder / "config.json").is_file() else None

    if not weights:
        folder = found(TEXTS)
        return folder if folder and _has(folder, "tokenizer*") else None
    for pattern in WEIGHTS:  # those that are not there need not be complete
        folder = found((*TEXTS, pattern))
        if folder and _has(folder, pattern):
            return folder
    return None


def _has(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))
