"""How a module of this program is run in an interpreter of its own."""

import os
import sys
from pathlib import Path


def command(module: str, *words: str) -> list[str]:
    """Return the command line that runs a module, by its full name."""
    return [sys.executable, "-m", module, *words]


def environment() -> dict[str, str]:
    """Return the environment in which such a command finds this program, wherever it was started from."""
    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
