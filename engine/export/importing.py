"""A .zip or folder from outside -> an adapter in the workspace, or a sentence why not.

The source is a stranger's: names in it never become paths, only the few files that an adapter needs are taken, sizes
are bounded before anything is written, and weights end up as safetensors whatever they came as.
"""

import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from engine.errors import ModelError, RecipeError, StudioError
from engine.export.files import TOKENIZER_FILES, copy
from engine.export.fitting import check_fit
from engine.export.papers import check_papers
from engine.export.parity.certificate import FILE as CERTIFICATE
from engine.export.parity.certificate import MAX_BYTES as MAX_CERTIFICATE_BYTES
from engine.export.source import ABOUT, PASSPORT
from engine.export.tickets import FILE as TICKETS
from engine.export.tickets import unpack as unpack_tickets
from engine.hardware import GIB
from engine.model.adapter_config import CONFIG, read_config
from engine.model.adapter_files import BASE, MAX_WEIGHTS_BYTES, PICKLE, WEIGHTS, read_adapter, read_tensors
from engine.model.sources import is_hub_id, public_name
from engine.recipe import STARTER, Recipe
from engine.scratch import scratch
from engine.task import Report
from engine.workspace import Workspace, disk_errors, read_object, write_json

RECIPE = "recipe.json"
WANTED = frozenset({CONFIG, WEIGHTS, PICKLE, RECIPE, BASE, TICKETS, PASSPORT, CERTIFICATE, *TOKENIZER_FILES})
"""The only files that are taken; a script or a README is left behind."""

TEXTS = frozenset({CONFIG, RECIPE, BASE, PASSPORT, CERTIFICATE})
"""Files of which the length is looked at before they are read."""
MAX_ENTRIES = 1000
MAX_TOTAL_BYTES = MAX_WEIGHTS_BYTES + 64 * 2**20
"""The largest weights and a tokenizer beside them."""
MAX_RATIO = 100
"""Unpacked to packed size of one entry: a tokenizer.json comes to 10, a bomb to 1000."""
MAX_TEXT_BYTES = 1_000_000
_SMALL = 2**20

_AGAIN = "Export the adapter again."
_NAME = "Name the base model beside it (--model on the command line): the path of its folder, or its id on the hub."
_PICK = "Pick the .zip that was exported here, or the folder of a PEFT adapter."


def import_adapter(
    workspace: Workspace,
    source: Path,
    name: str = "",
    base: str = "",
    known: Iterable[str] = (),
    report: Report = lambda *_: None,
) -> Path:
    """Bring an adapter into the workspace.

    Args:
        workspace: Where it goes.
        source: An exported .zip, a PEFT adapter folder, or the folder of a run.
        name: What it is called in the playground; the file's name when empty.
        base: The base model, where the person names it: 'starter', a folder or a model hub id.
        known: Base models that were used here; an adapter that names a folder's name finds its base among them.
        report: Told what is done; raises Cancelled.

    Returns:
        The new folder under ``workspace.adapters``, with about.json beside the adapter's files.

    Raises:
        ModelError: It is no adapter, is unsafe, names no base model that can be loaded, or does not fit the one that it
            names.
        ResourceError: The disk is full.
    """
    name = " ".join((name or _name_of(source)).split())[:80] or "Imported adapter"
    with disk_errors(workspace.cache), scratch(workspace.cache, "import") as temporary:
        staged = temporary / source.name  # its name is in what is said of it
        staged.mkdir()
        if source.is_dir():
            _copy(source, staged, report)
        elif zipfile.is_zipfile(source):
            _unpack(source, staged, report)
        else:
            raise ModelError(f"{source.name} is neither a .zip nor a folder.", _PICK)
        model = _base_of(staged, base.strip(), known)
        report("Looking at its weights", None)
        _as_safetensors(staged)
        check_papers(staged)
        check_fit(staged, model, workspace.cache)
        unpack_tickets(staged)
        return _settle(workspace, staged, {"name": name, "model": model, "source": public_name(str(source))})


def _name_of(source: Path) -> str:
    """The name of a folder, dots and all, or of a .zip without its ending."""
    return source.name if source.is_dir() else source.stem


def adapter_recipe(folder: Path, model: str) -> Recipe:
    """Return the recipe that travels with an imported adapter, or the defaults where none does.

    Args:
        folder: As from :func:`import_adapter`.
        model: The base it belongs to here.
    """
    saved = folder / "recipe.json"
    return Recipe.from_dict({**read_object(saved), "model": model}) if saved.exists() else Recipe(model=model)


def _copy(source: Path, staged: Path, report: Report) -> None:
    """Take an adapter's files from a folder, or from the one folder in it that holds an adapter (as a run's does)."""
    homes = [folder for folder in (source, *_subfolders(source)) if (folder / CONFIG).is_file()]
    if not homes and (source / "config.json").is_file():
        raise ModelError(
            f"{source.name} is a whole model, not an adapter.",
            "It is a base model: bring it in as such, or write its path as the base model of a recipe.",
        )
    if not homes:
        raise ModelError(f"{source.name} holds no adapter ({CONFIG} is missing).", _PICK)
    home = homes[0]
    if home != source and len(homes) > 1:
        raise ModelError(f"{source.name} holds several adapters.", "Pick the folder of one of them.")
    files = {file.name: file for file in home.iterdir() if file.name in WANTED and file.is_file()}
    if RECIPE not in files and (source / RECIPE).is_file():
        files[RECIPE] = source / RECIPE
    _check_sizes(((file.name, file.stat().st_size) for file in files.values()), source.name)
    for file in files.values():
        copy(file, staged, report, "Copying it")


def _subfolders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())


def _unpack(source: Path, staged: Path, report: Report) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in _chosen(archive, source.name):
                extract(archive, entry, staged / PurePosixPath(entry.filename).name, report)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as error:
        raise ModelError(f"{source.name} is a damaged .zip.", "Fetch or export it again.") from error


def _chosen(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Check every entry, and return those that are taken: the wanted names in the folder that holds the adapter."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ModelError(f"{name} holds {len(entries):,} files; an adapter has about ten.", _PICK)
    for entry in entries:
        check_entry(entry, name)
    _check_sizes(((entry.filename, entry.file_size) for entry in entries), name)
    homes = {PurePosixPath(entry.filename).parent for entry in entries if _is(entry, CONFIG)}
    homes = {home for home in homes if "__MACOSX" not in home.parts}
    if len(homes) != 1:
        what = f"no adapter ({CONFIG} is missing)" if not homes else "several adapters"
        raise ModelError(f"{name} holds {what}.", _PICK)
    home = homes.pop()
    chosen = [entry for entry in entries if any(_is(entry, file) for file in WANTED)]
    chosen = [entry for entry in chosen if PurePosixPath(entry.filename).parent == home]
    if len({entry.filename for entry in chosen}) != len(chosen):
        raise ModelError(f"{name} holds a file twice.", "Export it again.")
    return chosen


def _is(entry: zipfile.ZipInfo, file: str) -> bool:
    return not entry.is_dir() and PurePosixPath(entry.filename).name == file


def check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    """Refuse what no honest .zip holds.

    Args:
        entry: A file or a folder in it.
        name: The .zip's, for the sentence.

    Raises:
        ModelError: It wants to lie elsewhere, is a link or a device, is locked, or is a bomb.
    """
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        raise ModelError(
            f"{name} is unsafe: it holds a file that wants to lie elsewhere ({entry.filename[:60]!r}).", _PICK
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ModelError(f"{name} is unsafe: {entry.filename[:60]!r} is a link or a device, not a file.", _PICK)
    if entry.flag_bits & 0x1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ModelError(
            f"{name} is locked with a password or packed in a rare way.", "Unpack it yourself and pick the folder."
        )
    if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        raise ModelError(
            f"{name} is unsafe: {entry.filename[:60]!r} unpacks to more than {MAX_RATIO} times its size.", _PICK
        )


def _check_sizes(files: Iterable[tuple[str, int]], name: str) -> None:
    total = 0
    for file, size in files:
        total += size
        name_of_it = PurePosixPath(file).name
        most = {CERTIFICATE: MAX_CERTIFICATE_BYTES}.get(name_of_it, MAX_TEXT_BYTES)
        if name_of_it in TEXTS and size > most:
            raise ModelError(f"{Path(file).name} in {name} is {size / 1e6:,.0f} MB, which no such file is.", _PICK)
    if total > MAX_TOTAL_BYTES:
        raise ModelError(f"{name} unpacks to {total / GIB:,.1f} GiB; at most 2 GiB are taken.", _PICK)


def extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, report: Report) -> None:
    """Write one entry, and never more of it than its header says.

    Args:
        archive: The .zip.
        entry: In it.
        target: The file to write.
        report: Told how far it is; raises Cancelled.
    """
    written = 0
    with archive.open(entry) as packed, target.open("xb") as file:
        while chunk := packed.read(2**20):
            written += len(chunk)
            if written > entry.file_size:
                raise ModelError(f"{target.name} is longer than it says.", "Export it again.")
            file.write(chunk)
            report(f"Unpacking {target.name}", written / max(1, entry.file_size))


def _base_of(staged: Path, wanted: str, known: Iterable[str]) -> str:
    """Find out which base the adapter belongs to: as the person says, from the recipe, else from peft's own record.

    Raises:
        ModelError: None of them names one that can be loaded here, or the recipe is damaged.
    """
    named = _checked_recipe(staged) or read_config(staged).base
    if wanted:
        if _is_loadable(wanted):
            return wanted
        raise ModelError(
            f"'{wanted[:80]}' is no model folder and no model hub id.",
            "Write 'starter', the path of a folder with config.json, or an id such as Qwen/Qwen3-4B.",
        )
    if _is_loadable(named):
        return named
    if not named:
        raise ModelError("The adapter does not say which base model it belongs to.", f"Ask whoever trained it. {_NAME}")
    for model in known:
        if public_name(model) == public_name(named) and _is_loadable(model):
            return model
    raise ModelError(
        f"The adapter belongs to the base model '{public_name(named)[:80]}', which is not known on this computer.",
        _NAME,
    )


def _checked_recipe(staged: Path) -> str:
    """Return the base that the recipe names; empty where there is none.

    Raises:
        ModelError: The recipe is damaged, so that the adapter could never be asked.
    """
    if not (staged / RECIPE).exists():
        return ""
    try:
        values = read_object(staged / RECIPE)
        if "model" not in values:
            raise ModelError(f"recipe.json in {staged.name} names no base model.", _AGAIN)
        return Recipe.from_dict(values).model
    except ModelError:
        raise
    except RecipeError as error:
        raise ModelError(f"recipe.json in {staged.name} is damaged: {error.message}", _AGAIN) from error
    except StudioError as error:
        raise ModelError(f"recipe.json in {staged.name} is damaged.", _AGAIN) from error


def _is_loadable(named: str) -> bool:
    return named == STARTER or _is_local_model(named) or is_hub_id(named)


def _is_local_model(named: str) -> bool:
    """Whether it is a model's folder; a network path is not even looked at, since looking would log in there."""
    folder = Path(named).expanduser() if named.startswith("~/") else Path(named)
    return not named.startswith(("//", "\\\\")) and folder.is_absolute() and (folder / "config.json").is_file()


def _as_safetensors(staged: Path) -> None:
    """Read the whole adapter as the playground will, and save a .bin as safetensors."""
    read_adapter(staged)
    if not (staged / WEIGHTS).exists():
        from safetensors.torch import save_file

        save_file(read_tensors(staged), staged / WEIGHTS)
    (staged / PICKLE).unlink(missing_ok=True)


def _settle(workspace: Workspace, staged: Path, about: dict[str, str]) -> Path:
    """Move the files in; the configuration last, which is what makes a folder an adapter."""
    folder = workspace.new_folder(workspace.adapters, about["name"])
    try:
        write_json(folder / ABOUT, {**about, "imported_at": time.time()})
        for file in sorted(staged.iterdir(), key=lambda file: file.name == CONFIG):
            file.replace(folder / file.name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
