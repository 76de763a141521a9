"""A whole model from outside -> a base model of the workspace, or a sentence why not.

A folder stays where it lies and is remembered: it may be 15 GB. A .zip is unpacked, under the rules of importing.py.
"""

import shutil
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from engine.errors import ModelError
from engine.export.files import TOKENIZER_FILES
from engine.export.importing import MAX_ENTRIES, check_entry, extract
from engine.export.making import check_room
from engine.export.parity.certificate import FILE as CERTIFICATE
from engine.export.passport import altered, read_passport
from engine.export.source import PASSPORT
from engine.model.adapter_config import CONFIG as ADAPTER_CONFIG
from engine.model.brought_in import ABOUT, CHECKPOINT
from engine.model.fingerprint import INDEX
from engine.model.whole import CONFIG, check_whole_model
from engine.scratch import scratch
from engine.task import Report
from engine.workspace import Workspace, disk_errors, write_json

TEXTS = frozenset({CONFIG, "generation_config.json", "recipe.json", INDEX, PASSPORT, CERTIFICATE, *TOKENIZER_FILES})
MAX_TEXTS = 100_000_000
"""Bytes of all of them: the largest tokenizer is 35 MB."""


def is_whole_model(source: Path) -> bool:
    """Whether a folder or .zip looks like a whole model and not like an adapter."""
    if source.is_dir():
        return (source / CONFIG).is_file() and not (source / ADAPTER_CONFIG).is_file()
    if not zipfile.is_zipfile(source):
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            names = {PurePosixPath(name).name for name in archive.namelist()[:MAX_ENTRIES]}
    except zipfile.BadZipFile:
        return False
    return CONFIG in names and ADAPTER_CONFIG not in names


def import_model(workspace: Workspace, source: Path, name: str, report: Report) -> Path:
    """Bring a whole model into the workspace.

    Args:
        workspace: Where it is remembered.
        source: Its folder, or a .zip of it.
        name: What it is called here; the file's name when empty.
        report: Told what is done; raises Cancelled.

    Returns:
        The new folder under ``workspace.models``.

    Raises:
        ModelError: It is damaged or unsafe, its parts do not belong together, or it cannot be a base here.
        ResourceError: The disk is full.
    """
    plain = source.name if source.is_dir() else source.stem
    name = " ".join((name or plain).split())[:80] or "Model"
    if source.is_dir():
        _check(source, report)
        return _remembered(workspace, name, str(source.resolve()))
    with disk_errors(workspace.models), scratch(workspace.models, "import") as temporary:
        files = temporary / "entry" / CHECKPOINT
        files.mkdir(parents=True)
        _unpack(source, files, report)
        _check(files, report)
        _write(temporary / "entry", name, CHECKPOINT)
        return workspace.place(temporary / "entry", workspace.models, name)


def _check(folder: Path, report: Report) -> None:
    if changed := altered(folder, read_passport(folder), report):
        raise ModelError(
            f"{folder.name} is not as its passport says: {', '.join(changed[:3])} was changed, or damaged on the way.",
            "Fetch it again, or ask whoever exported it.",
        )
    check_whole_model(folder, report)


def _remembered(workspace: Workspace, name: str, folder: str) -> Path:
    entry = workspace.new_folder(workspace.models, name)
    try:
        _write(entry, name, folder)
    except BaseException:
        shutil.rmtree(entry, ignore_errors=True)
        raise
    return entry


def _write(entry: Path, name: str, folder: str) -> None:
    write_json(entry / ABOUT, {"name": name, "folder": folder, "imported_at": time.time()})


def _unpack(source: Path, files: Path, report: Report) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            chosen = _chosen(archive, source.name)
            check_room(files, sum(entry.file_size for entry in chosen))
            for entry in chosen:
                extract(archive, entry, files / PurePosixPath(entry.filename).name, report)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, FileExistsError) as error:
        raise ModelError(f"{source.name} is a damaged .zip.", "Fetch or export it again.") from error


def _chosen(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Check every entry, and return those of the one folder that holds the model."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ModelError(f"{name} holds {len(entries):,} files; a model has about twenty.", "Pick its folder.")
    for entry in entries:
        check_entry(entry, name)
    homes = {PurePosixPath(entry.filename).parent for entry in entries if PurePosixPath(entry.filename).name == CONFIG}
    homes = {home for home in homes if "__MACOSX" not in home.parts}
    if len(homes) != 1:
        raise ModelError(f"{name} holds {len(homes)} models.", "Unpack it, and pick the folder of one.")
    home = homes.pop()
    here = [entry for entry in entries if not entry.is_dir() and PurePosixPath(entry.filename).parent == home]
    texts = [entry for entry in here if PurePosixPath(entry.filename).name in TEXTS]
    if sum(entry.file_size for entry in texts) > MAX_TEXTS:
        raise ModelError(
            f"{name} holds texts of more than {MAX_TEXTS / 1e6:,.0f} MB, which no model has.",
            "Fetch or export the model again.",
        )
    return texts + [entry for entry in here if PurePosixPath(entry.filename).suffix == ".safetensors"]
