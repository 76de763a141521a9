"""Processes of our own, started as ``python -m engine.tickets.X`` and spoken to in pickles over their pipes.

multiprocessing would import the main program again in each of them, window and all. The pickles never come from
outside: both ends of a pipe are started by this program.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from engine.interpreter import command, environment

Process = subprocess.Popen[bytes]


def started(module: str, *, leader: bool = False, errors: IO[bytes] | None = None) -> Process:
    """Start a module in a new interpreter.

    Args:
        module: Its full name; at the end of it stands a main that calls :func:`pipes`.
        leader: Whether it leads a group of its own, so that :func:`kill` ends what it has started as well.
        errors: Where its complaints go; None for where this program's own go.
    """
    return subprocess.Popen(
        command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(),
        start_new_session=leader,
    )


def pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return where a started process hears and speaks; whatever it prints goes to stderr from now on."""
    # Ctrl-C goes to the whole group; the parent closes the pipe and that is the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inward, outward = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return inward, outward


def write(stream: IO[bytes] | None, value: Any) -> None:
    """Send one value.

    Raises:
        BrokenPipeError: Nobody listens any more.
    """
    if stream is None:
        raise BrokenPipeError
    pickle.dump(value, stream, protocol=5)
    stream.flush()


def values(stream: IO[bytes] | None) -> Iterator[Any]:
    """Yield what the other end sends, until it closes or is cut off."""
    # ValueError: this end was closed by another thread.
    with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
        while stream:
            yield pickle.load(stream)


def close(process: Process, patience: float = 5.0) -> None:
    """Close the pipes of a process, which ends it, and wait for that; kill it after so many seconds."""
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):
                stream.close()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill(process: Process) -> None:
    """End a group's leader and all that it has started, at once."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        for member in family(process):
            with suppress(Exception):
                member.kill()
    process.wait()


def family(process: Process) -> list[Any]:
    """Return psutil's view of a process and of all that it has started; empty once it has ended."""
    import psutil

    try:
        leader = psutil.Process(process.pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []
