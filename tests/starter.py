"""The starter model, fetched and converted once for all programs that the tests start: half a minute of a core each."""

import os
import shutil
from pathlib import Path

from filelock import FileLock

from engine.model.starter import starter_folder


def made_once(place: Path) -> Path:
    """Return its folder, made by the first of the processes that share a place; the others wait for it."""
    with FileLock(place / "starter.lock"):
        return starter_folder(place / "starter")


def lay_into(workspace: Path, starter: Path) -> None:
    """Let a workspace have it in its cache, as one has in which it has been used before; takes no room."""
    cache = workspace / "cache"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(starter, cache / starter.name, copy_function=os.link)
