"""Where things live on disk, and how they are written so that a crash leaves no half file.

    <root>/datasets/<id>/     prepared tickets
    <root>/runs/<id>/         one folder a training run
    <root>/adapters/<id>/     adapters that were imported
    <root>/models/<id>/       whole models that were brought in, to train over
    <root>/recipes/<id>.json  recipes a person has saved
    <root>/questions/<id>.json  sets of questions a person has saved
    <root>/cache/             the starter model; may be deleted at any time
    <root>/trash/<id>/        what was deleted, until the next start a week later

Nobody else on the computer may read any of it: it is made for its owner alone, whatever the umask, and an older
workspace is closed when it is opened. The workspace knows paths and names; it does not know what the files mean.
"""

import json
import os
import re
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from engine.errors import ResourceError, StudioError
from engine.scratch import outside, sweep

TRASH_DAYS = 7
"""Days for which a deletion can be undone."""

_CLUTTER = frozenset({"Thumbs.db", "desktop.ini"})
"""What Windows puts into folders that somebody has looked at."""
_UNSAFE = re.compile(r"[^a-z0-9]+")
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion that can be undone: what it was called, where it was, where it waits."""

    label: str
    original: Path
    trashed: Path


class Workspace:
    """The folders of one installation.

    Args:
        root: The folder that holds everything; made when it is missing.
        cache: Where fetched models are kept, when not in it.

    Raises:
        ResourceError: The folder cannot be made or written.
    """

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self.root = root.expanduser().resolve()
        self.datasets = self.root / "datasets"
        self.runs = self.root / "runs"
        self.adapters = self.root / "adapters"
        self.models = self.root / "models"
        self.recipes = self.root / "recipes"
        self.questions = self.root / "questions"
        self.cache = cache or self.root / "cache"
        self.passing = self.cache / "window"  # what goes to and from browsers
        self.trash = self.root / "trash"
        with disk_errors(self.root):
            _close_to_others(self.root)
            for folder in (
                self.datasets,
                self.runs,
                self.adapters,
                self.models,
                self.recipes,
                self.questions,
                self.cache,
                self.trash,
            ):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.root / f".write-{os.getpid()}"
            probe.touch()
            probe.unlink()

    def new_folder(self, parent: Path, name: str) -> Path:
        """Make ``<utc>-<slug>`` under ``parent``; a number is added when two are made in one second."""
        with disk_errors(parent):
            for folder in _free_names(parent, name):
                try:
                    folder.mkdir(mode=0o700, parents=True)
                except FileExistsError:
                    continue
                return folder
        raise _no_name(parent)

    def entries(self, parent: Path) -> list[Path]:
        """Return what is in one of the folders, the newest first; nothing where somebody has deleted it by hand.

        Hidden names are work in progress, or what a file manager leaves behind.
        """
        if not parent.is_dir():
            return []
        listed = (path for path in parent.iterdir() if not path.name.startswith(".") and path.name not in _CLUTTER)
        return sorted(listed, reverse=True)

    def mark(self, parent: Path, *names: str) -> int:
        """Return a number that is another one when an entry of a folder has come or gone, or was written anew.

        Args:
            parent: One of the folders.
            names: Files in each entry that count; the entries themselves where none is named.
        """
        states: list[object] = []
        for entry in self.entries(parent):
            for path in [entry / name for name in names] or [entry]:
                try:
                    stat = path.stat()
                    states.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
                except OSError:
                    states.append(path)
        return hash(tuple(states))

    def child(self, parent: Path, identifier: str) -> Path:
        """Return the folder ``identifier`` directly under ``parent``; an id from outside never becomes another path.

        Raises:
            StudioError: There is no such entry, or the id is not the plain name of one.
        """
        folder = parent / identifier
        if Path(identifier).name != identifier or identifier in {"", ".", ".."} or not folder.exists():
            raise StudioError(f"'{identifier[:80]}' is not here any more.", "Pick another one from the list.")
        return folder

    def place(self, made: Path, parent: Path, name: str) -> Path:
        """Move a folder that was made in a scratch folder to ``<utc>-<slug>`` under ``parent``."""
        with disk_errors(parent):
            for folder in _free_names(parent, name):
                made.rename(folder)
                return folder
        raise _no_name(parent)

    def discard(self, path: Path, label: str) -> Deleted:
        """Move a file or folder to the trash; :meth:`restore` brings it back."""
        target = self.trash / f"{time.time_ns()}-{path.name}"
        with disk_errors(self.trash):
            self.trash.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.rename(target)
        return Deleted(label, path, target)

    def restore(self, deleted: Deleted) -> None:
        """Undo :meth:`discard`.

        Raises:
            StudioError: The trash has been emptied since, or something new has taken the name.
        """
        if not deleted.trashed.exists() or deleted.original.exists():
            raise StudioError(f"'{deleted.label}' can no longer be brought back.")
        with disk_errors(self.root):
            deleted.original.parent.mkdir(parents=True, exist_ok=True)
            deleted.trashed.rename(deleted.original)

    def sweep(self) -> None:
        """Remove what programs that were killed have left half made; never what a living one is making."""
        homes = (self.datasets, self.runs, self.adapters, self.models)
        with disk_errors(self.root):
            entries = [entry for home in homes for entry in self.entries(home) if entry.is_dir()]
        exports = (entry / "exports" for entry in entries)
        sweep((self.root, *homes, self.recipes, self.cache, *entries, *exports))

    def empty_old_trash(self) -> None:
        """Remove what was deleted more than :data:`TRASH_DAYS` ago."""
        for entry in self.entries(self.trash):
            stamp = entry.name.split("-", 1)[0]
            if stamp.isdigit() and time.time() - int(stamp) / 1e9 > TRASH_DAYS * 86_400:
                with suppress(OSError):  # another program may be doing the same
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _free_names(parent: Path, name: str) -> Iterator[Path]:
    """Yield ``<utc>-<slug>`` under ``parent`` and, for what is made within one second, the same with a number."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
        folder = parent / f"{stamp}-{slug(name)}{suffix}"
        if not folder.exists():
            yield folder


def _no_name(parent: Path) -> ResourceError:
    return ResourceError(f"No free name is left under {parent}.", "Delete what is no longer needed there.")


def default_root() -> Path:
    """Return the platform's user data folder for this program."""
    from platformdirs import user_data_path

    return user_data_path("TicketTuner", appauthor=False)


def slug(text: str, limit: int = 40) -> str:
    """Turn any text into a safe file name: lower-case ASCII letters, digits and single hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _UNSAFE.sub("-", plain).strip("-")[:limit].strip("-") or "untitled"


def checked_name(name: str) -> str:
    """Return a name fit to show: one line, 1 to 80 characters.

    Raises:
        StudioError: It is empty.
    """
    name = " ".join(name.split())[:80]
    if not name:
        raise StudioError("The name is empty.", "Type a name.")
    return name


def keep_to_owner() -> None:
    """Let this program and those it starts make files and folders that nobody else may read; called when it starts."""
    os.umask(0o077)


def _close_to_others(root: Path) -> None:
    """Make the folder that holds everything, or close one that others may look into; what is in it first."""
    if not root.exists():
        root.mkdir(mode=0o700, parents=True)
    if os.name != "posix" or not root.stat().st_mode & 0o077:
        return
    with suppress(PermissionError):  # somebody else's folder that we may use; what is made in it is ours
        for folder, _, files in os.walk(root):
            for name in files:
                _close(Path(folder, name))
            _close(Path(folder))


def _close(path: Path) -> None:
    if not path.is_symlink():
        path.chmod(path.stat().st_mode & 0o700)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write to a temporary file beside ``path`` and rename it, so that a reader sees the old text or the new one.

    Args:
        path: The file; nobody but its owner may read it (mode 0600).
        content: Its new text.

    Raises:
        ResourceError: The disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns()}")
    data = content.encode() if isinstance(content, str) else content
    with disk_errors(path):
        try:
            with os.fdopen(os.open(temporary, _NEW_FILE, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically; see :func:`write_atomically`."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StudioError: It is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudioError(f"{path.name} in {path.parent} is missing or damaged.") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        StudioError: It is missing or damaged.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise StudioError(f"{path.name} in {path.parent} is damaged.")
    return value


def private_file(path: Path) -> IO[bytes]:
    """Open a file that nobody but its owner may read, for writing and reading back."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    if os.name == "posix":
        os.fchmod(descriptor, 0o600)  # it may have been there
    return os.fdopen(descriptor, "w+b")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Translate OSError into a sentence about the disk."""
    try:
        yield
    except OSError as error:
        raise explain_disk_error(error, path) from error


def explain_disk_error(error: OSError, path: Path) -> ResourceError:
    """Say what an OSError on ``path`` means, with its remedy."""
    import errno

    path = outside(path)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ResourceError(
            f"The disk that holds {path} is full.",
            "Free some space, or start with --workspace on a larger disk; nothing already made is lost.",
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return ResourceError(f"{path} cannot be written.", "Start with --workspace and a folder of your own.")
    return ResourceError(f"{path} could not be used: {error.strerror or error}.", "Check the disk and try again.")
