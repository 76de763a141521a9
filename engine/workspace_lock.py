"""WorkspaceLock: one window a workspace, told by a lock of the operating system that even kill -9 gives back.

    <root>/.window.lock   locked for as long as a window is open
    <root>/window.json    which program that is, since when, and where its page is

A second window would empty the folder through which the first one's uploads pass, and sweep away what it is making.
The command line needs no such lock: it touches one run, which has its own (training/ownership.py).
"""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ResourceError, StudioError
from engine.locks import locked
from engine.workspace import read_json, write_json

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK, TENANT = ".window.lock", "window.json"
PATIENCE = 2.0
"""Seconds to wait for the lock: a start that only looks whether it is free has it for a moment."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """The program whose window has the workspace."""

    process: int
    since: float
    """Unix seconds."""
    address: str = ""
    """Of its page, without the key; empty until it is open."""
    has_key: bool = False
    """Whether the page asks for the key that is kept in the workspace."""

    def in_words(self) -> str:
        """Say which program it is."""
        where = f", at {self.address}" if self.address else ""
        return f"process {self.process}, since {time.strftime('%Y-%m-%d %H:%M', time.localtime(self.since))}{where}"


class WorkspaceTakenError(ResourceError):
    """Another window has the workspace.

    Args:
        root: The workspace.
        tenant: Who has it; None where that cannot be read.
    """

    def __init__(self, root: Path, tenant: Tenant | None) -> None:
        who = tenant.in_words() if tenant else "it does not say which"
        super().__init__(
            f"Another Ticket Tuner has {root} open ({who}).",
            "Use that window or end it, or start with --workspace and another folder.",
        )
        self.tenant = tenant


class WorkspaceLock:
    """The right of this process to open a window on a workspace.

    Args:
        root: The workspace's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: BaseFileLock | None = None

    def take(self) -> None:
        """Take the workspace.

        Raises:
            WorkspaceTakenError: Another window has it.
            ResourceError: The folder cannot be written.
        """
        self._lock = _locked(self._root, PATIENCE)
        self.announce("")

    def announce(self, address: str, *, has_key: bool = False) -> None:
        """Say where the page is, for a second start.

        Args:
            address: As in :class:`Tenant`.
            has_key: As in :class:`Tenant`.
        """
        write_json(self._root / TENANT, asdict(Tenant(os.getpid(), time.time(), address, has_key)))

    def give_back(self) -> None:
        """Let another window have it."""
        if self._lock is not None:
            (self._root / TENANT).unlink(missing_ok=True)
            self._lock.release(force=True)
            self._lock = None


def check_free(root: Path) -> None:
    """Make sure that no window has a workspace; leaves one that does not exist yet alone.

    Raises:
        WorkspaceTakenError: One has.
        ResourceError: The folder cannot be written.
    """
    if (root / LOCK).exists():
        _locked(root, 0.0).release(force=True)


def _locked(root: Path, patience: float) -> "BaseFileLock":
    lock = locked(root / LOCK, patience)
    if lock is None:
        raise WorkspaceTakenError(root, tenant_of(root))
    return lock


def tenant_of(root: Path) -> Tenant | None:
    """Return which program has the workspace, as it says itself; None where that cannot be read."""
    try:
        values = read_json(root / TENANT)
        tenant = Tenant(**values)
        sound = isinstance(tenant.process, int) and isinstance(tenant.since, int | float)
        return tenant if sound and isinstance(tenant.address, str) and isinstance(tenant.has_key, bool) else None
    except (StudioError, TypeError):
        return None
