"""Fetch an adapter from the model hub: only the files that one has, of one commit, and with the hash that was named.

What arrives is a stranger's, and goes through the same import as any folder (importing.py).
"""

import hashlib
from pathlib import Path
from typing import Any

from engine.errors import ModelError, StudioError
from engine.export.importing import MAX_TOTAL_BYTES, WANTED
from engine.export.tickets import FILE as TICKETS
from engine.model.adapter_config import CONFIG
from engine.model.adapter_files import PICKLE, WEIGHTS
from engine.model.errors import explain, unreachable
from engine.model.fetching import fetched
from engine.model.hub import PATIENCE
from engine.model.sources import is_hub_id
from engine.task import Report

_FILES = WANTED - {TICKETS, PICKLE}


def fetch_adapter(
    repository: str, folder: Path, report: Report, *, revision: str = "", sha256: str = ""
) -> tuple[str, str]:
    """Fetch an adapter's files into a folder.

    Args:
        repository: Its id on the hub.
        folder: Where to; empty.
        report: Told how many bytes are here; raises Cancelled.
        revision: A branch, a tag or a commit; the newest when empty.
        sha256: What the weights' hash has to be; not compared when empty.

    Returns:
        The commit, and the weights' sha256.

    Raises:
        Cancelled: ``report`` said so.
        ModelError: There is no adapter of that name, it is too large, or its weights are others; in words.
    """
    if not is_hub_id(repository):
        raise ModelError(f"'{repository[:80]}' is no id of the model hub.", "Write it as owner/name.")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError

    hub = HfApi()
    report(f"Asking the model hub for {repository}", None)
    try:
        told = hub.model_info(repository, revision=revision or None, timeout=PATIENCE, files_metadata=True)
    except RevisionNotFoundError as error:
        raise ModelError(
            f"{repository} has no revision '{revision[:60]}'.", "Leave it empty for the newest one."
        ) from error
    except HfHubHTTPError as error:
        raise explain(error, repository) from error
    except Exception as error:  # no network, no name server, no answer in time, or told to stay offline
        raise unreachable(repository) from error
    sizes = {file.rfilename: file.size or 0 for file in told.siblings or () if file.rfilename in _FILES}
    _check(repository, sizes)
    commit = told.sha or revision or "main"

    def fetch(bar: type[Any]) -> None:
        for name in sorted(sizes, key=sizes.__getitem__):
            hub.hf_hub_download(repository, name, revision=commit, local_dir=folder, tqdm_class=bar)

    try:
        fetched(fetch, folder, repository, sum(sizes.values()), report)
    except StudioError:
        raise
    except Exception as error:
        raise explain(error, repository) from error
    with (folder / WEIGHTS).open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if sha256 and found != sha256.strip().lower():
        raise ModelError(
            f"The weights of {repository} are not those that were named (sha256 {found[:12]}…).",
            "Ask whoever gave you the hash which revision it is of.",
        )
    return commit, found


def _check(repository: str, sizes: dict[str, int]) -> None:
    if CONFIG not in sizes or WEIGHTS not in sizes:
        missing = CONFIG if CONFIG not in sizes else WEIGHTS
        raise ModelError(f"{repository} holds no adapter ({missing} is missing).", "Name the adapter, not its base.")
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        size = sum(sizes.values()) / 1e9
        raise ModelError(f"{repository} is larger than any adapter: {size:.1f} GB.", "Pick another one.")
