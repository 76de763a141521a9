"""Which tool replays an export, and what it is told."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from engine.errors import StudioError
from engine.export.parity.replay import Job

LLAMA_CPP = "xllamacpp"
"""llama.cpp as a Python package with prebuilt wheels (MIT); an optional extra."""


class NoToolError(StudioError):
    """The tool that an export is meant for is not on this computer."""


def job_for(
    format_: str, folder: Path, base: Callable[[], Path], packed: tuple[str, bool], base_gguf: Callable[[], Path]
) -> Job:
    """Return how an export is replayed.

    Args:
        format_: Its key, as in engine/export/registry.py.
        folder: Its files.
        base: Returns the folder of the base's own checkpoint; called only where it is needed.
        packed: How an adapter's base is packed into 4 bit: quant_type and double_quant.
        base_gguf: Returns a GGUF of the values that were trained over, for a GGUF adapter that came without.

    Raises:
        NoToolError: Its tool is not installed.
        StudioError: The base cannot be had, or the export holds no such file.
    """
    if format_ == "adapter":
        settings = {"base": str(base()), "quant_type": packed[0], "double_quant": packed[1]}
        return Job("with_transformers", {"kind": "adapter", "folder": str(folder), **settings}, "transformers and peft")
    if format_ == "merged":
        return Job("with_transformers", {"kind": "merged", "folder": str(folder)}, "transformers")
    if importlib.util.find_spec(LLAMA_CPP) is None:
        raise NoToolError(
            "It was not replayed on llama.cpp, which is not installed here.",
            f"Install it with 'pip install {LLAMA_CPP}' and try: python -m engine verify PATH.",
        )
    if format_ == "gguf-adapter":
        files = sorted(folder.glob("*-base.gguf"))
        model = files[0] if files else base_gguf()
        return Job("with_llama_cpp", {"model": str(model), "adapters": [str(_one(folder, "*-lora.gguf"))]}, _LLAMA_CPP)
    return Job("with_llama_cpp", {"model": str(_one(folder, "*.gguf")), "adapters": []}, _LLAMA_CPP)


_LLAMA_CPP = "llama.cpp"


def _one(folder: Path, pattern: str) -> Path:
    """Return the one file of that kind.

    Raises:
        StudioError: There is none, or more than one.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise StudioError(f"The export holds {len(found)} files {pattern}, where one was expected.", "Export it again.")
    return found[0]
