"""Keys that let other programs ask: made and revoked by a person, shown once, kept as a hash.

    <root>/api_keys.json   {"keys": [{"id", "name", "hash", "ends", "made", "used"}]}

A key is 256 random bits, so that a single SHA-256 keeps it safe: a slow hash is for passwords, which can be guessed;
here there is nothing to try out. Nor can a comparison be timed: what is compared are hashes, which nobody can steer.

Several programs may have a workspace open (the window, and the endpoint without it). Each looks at the file again when
it has changed, so that what is revoked in one is refused by the other at once.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.errors import ResourceError, StudioError
from engine.locks import locked
from engine.workspace import checked_name, disk_errors, read_object, write_json

log = logging.getLogger(__name__)

FILE = "api_keys.json"
PREFIX = "tt-"
"""Begins every key, so that it is known for one where it should not be."""
MOST = 200
"""Keys that are kept."""
NOTED = 60.0
"""Seconds between two notes of when a key was last used."""
PATIENCE = 5.0
"""Seconds to wait for another program that writes the file."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, as it is kept."""

    id: str
    name: str
    hash: str
    """SHA-256 of the key, in hexadecimal."""
    ends: str
    """Its last four characters, by which a person knows it again."""
    made: float
    """Unix seconds."""
    used: float | None = None
    """Unix seconds, to a minute; None where it never was."""


class ApiKeys:
    """All keys of a workspace.

    Args:
        root: The workspace's folder.
        clock: Unix seconds.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = root / FILE
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._known: dict[str, ApiKey] = {}

    def all(self) -> list[ApiKey]:
        """Return all keys, the newest first.

        Raises:
            StudioError: They cannot be read.
        """
        return sorted(self._keys().values(), key=lambda key: key.made, reverse=True)

    def make(self, name: str) -> tuple[ApiKey, str]:
        """Make a key.

        Args:
            name: What it is for, in a person's words.

        Returns:
            The key as it is kept, and the key itself, which nobody can read again.

        Raises:
            StudioError: The name is empty or taken, there are too many, or the disk is full.
        """
        name, secret = checked_name(name), PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            if any(key.name == name for key in keys.values()):
                raise StudioError(f"There is a key called '{name}'.", "Choose another name, or revoke that one.")
            if len(keys) >= MOST:
                raise StudioError(f"There are {MOST} keys already.", "Revoke those that nobody uses any more.")
            made = ApiKey(secrets.token_hex(6), name, _hash(secret), secret[-4:], self._clock())
            keys[made.id] = made
        return made, secret

    def revoke(self, identifier: str) -> ApiKey:
        """Take a key away: it is refused from now on, and an answer that it waits for ends.

        Raises:
            StudioError: It is not there any more.
        """
        with self._changing() as keys:
            if identifier not in keys:
                raise StudioError("That key is not here any more.", "Look at the list once more.")
            return keys.pop(identifier)

    def check(self, secret: str) -> ApiKey | None:
        """Return the key that somebody shows, and note that it was used; None where it is none of ours.

        Raises:
            StudioError: The keys cannot be read.
        """
        shown = _hash(secret)
        found = next((key for key in self._keys().values() if key.hash == shown), None)
        if found is not None:
            self._note(found)
        return found

    def holds(self, identifier: str) -> bool:
        """Whether a key is still good; quick, for whoever asks before every token."""
        try:
            return identifier in self._keys()
        except StudioError:
            return False

    def _note(self, key: ApiKey) -> None:
        now = self._clock()
        if key.used is not None and now - key.used < NOTED:
            return
        with suppress(StudioError), self._changing() as keys:  # a full disk keeps nobody out
            if key.id in keys:
                keys[key.id] = replace(key, used=now)

    def _keys(self) -> dict[str, ApiKey]:
        """The keys by id, read again where the file has changed."""
        with self._lock:
            mark = _mark(self._file)
            if mark != self._seen:
                self._known, self._seen = _read(self._file) if mark else {}, mark
            return self._known

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ApiKey]]:
        """Have a copy of the keys, which is written in the end; no other program writes meanwhile."""
        lock = locked(self._file.with_name(f".{FILE}.lock"), PATIENCE)
        if lock is None:
            raise ResourceError("Another program is changing the keys.", "Try again in a moment.")
        try:
            keys = dict(_read(self._file)) if self._file.exists() else {}
            yield keys
            write_json(self._file, {"keys": [asdict(key) for key in keys.values()]})
        finally:
            lock.release()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _mark(file: Path) -> tuple[int, ...]:
    """Numbers of which one changes when the file is written anew; none where there is no file."""
    with disk_errors(file):
        try:
            stat = file.stat()
        except FileNotFoundError:
            return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _read(file: Path) -> dict[str, ApiKey]:
    try:
        return {key.id: key for key in (ApiKey(**entry) for entry in read_object(file)["keys"])}
    except (TypeError, KeyError) as error:
        raise StudioError(f"{file.name} is damaged.", "Delete it, and make new keys.") from error
