"""Files that a stranger made are read in a process of its own: no parser can take the program, or a run in it, with it.

The process may use so much memory and no more, may compute for so long without a word and no longer, and is killed at
once when the person cancels; each is a sentence. What it writes lies in a folder that the caller made and removes. It
ends by itself when this program does. Knows neither formats nor data sets: the work is that of
:mod:`engine.tickets.importing.detect` and :mod:`engine.tickets.preparing.pipeline`.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any, Literal

from engine.errors import Cancelled, StudioError, TicketsError
from engine.tickets import child_processes
from engine.tickets.importing.detect import Detection
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import SourceOverrides
from engine.tickets.preparing.report import Progress, Report

log = logging.getLogger(__name__)

LEAST_MEMORY = 2 << 30
"""Bytes that reading may always take."""
MOST_MEMORY = 6 << 30
SHARE_OF_MEMORY = 0.5
"""Of what is free when reading begins: the rest is left to the run in progress."""
SILENT_SECONDS = 300.0
"""Seconds of computing, on all cores together, without a word of progress. A sound export of 5 GB tells something at
least every few seconds."""
LOOK_EVERY = 0.1
"""Seconds between two looks at whether the person has cancelled."""
WATCH_EVERY = 2.0
"""Seconds between two looks at the processes."""

_Work = Literal["detect", "build"]


@dataclass(frozen=True, slots=True)
class _Call:
    """What the process is to do."""

    work: _Work
    arguments: tuple[Any, ...]
    memory: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of it: a value, or the exception."""

    value: Any = None
    error: BaseException | None = None
    out_of_memory: bool = False


def detect(
    paths: Sequence[Path], overrides: SourceOverrides | None = None, should_stop: Callable[[], bool] = lambda: False
) -> Detection:
    """Do what :func:`engine.tickets.importing.detect.detect` does, in a process of its own.

    Args:
        paths: The files that the person chose.
        overrides: What the person has corrected.
        should_stop: Asked ten times a second; True ends it at once.

    Raises:
        TicketsError: As there; or the files take too much memory or time, or end the process that reads them.
        Cancelled: ``should_stop`` was true.
    """
    detection: Detection = _apart("detect", (paths, overrides), paths, lambda _: None, should_stop)
    return detection


def build(
    files: Sequence[Path],
    side: Path,
    options: PrepareOptions,
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Report:
    """Do what :func:`engine.tickets.preparing.pipeline.build` does, in a process of its own.

    Raises:
        TicketsError: As there; or the files take too much memory or time, or end the process that reads them.
        Cancelled: ``should_stop`` was true.
        OSError: The disk cannot be written.
    """
    report: Report = _apart("build", (files, side, options), files, progress, should_stop)
    return report


def _apart(
    work: _Work,
    arguments: tuple[Any, ...],
    files: Sequence[Path],
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Any:
    names = ", ".join(dict.fromkeys(Path(file).name for file in files))
    call = _Call(work, arguments, _memory())
    told: queue.SimpleQueue[Progress | _Ended | None] = queue.SimpleQueue()
    with tempfile.TemporaryFile() as complaints:
        process = child_processes.started("engine.tickets.sandbox", leader=True, errors=complaints)
        threading.Thread(target=_listen, args=(process.stdout, told), name="reading apart", daemon=True).start()
        try:
            child_processes.write(process.stdin, call)
            ended = _followed(told, progress, should_stop, _Watch(process, call.memory, names))
        except BrokenPipeError:
            ended = None
        finally:
            child_processes.kill(process)
            child_processes.close(process)
            _note(complaints)
    if ended is None:
        raise _died(names, process.returncode)
    if ended.out_of_memory:
        raise _too_large(names, call.memory)
    if ended.error is not None:
        raise ended.error
    return ended.value


def _note(complaints: IO[bytes]) -> None:
    """Put what the process has complained of, such as a parser's last words, into the log."""
    complaints.seek(0)
    if words := complaints.read(4000).decode("utf-8", "replace").strip():
        log.warning("while files were read: %s", words)


def _listen(stream: IO[bytes] | None, told: queue.SimpleQueue[Progress | _Ended | None]) -> None:
    for value in child_processes.values(stream):
        told.put(value)
    told.put(None)


def _followed(
    told: queue.SimpleQueue[Progress | _Ended | None],
    progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    watch: _Watch,
) -> _Ended | None:
    """Pass on what the process tells until it has ended; None where it ended without a word."""
    while True:
        if should_stop():
            raise Cancelled
        try:
            value = told.get(timeout=LOOK_EVERY)
        except queue.Empty:
            watch.look()
            continue
        if not isinstance(value, Progress):
            return value
        watch.heard()
        progress(value)


class _Watch:
    """Looks at the processes now and then: how much memory they take, and how long they have computed without a word.

    On Linux the kernel holds them to the memory already; elsewhere this does.
    """

    def __init__(self, process: child_processes.Process, memory: int, names: str) -> None:
        self._process = process
        self._memory = memory
        self._names = names
        self._next = monotonic() + WATCH_EVERY
        self._since = 0.0
        self._silent = False

    def heard(self) -> None:
        """Note a word of progress."""
        self._silent = False

    def look(self) -> None:
        """Look, if it is time to.

        Raises:
            TicketsError: A limit is passed.
        """
        if monotonic() < self._next:
            return
        self._next = monotonic() + WATCH_EVERY
        seconds = 0.0
        for member in child_processes.family(self._process):
            with suppress(Exception):  # it may end while it is looked at
                times = member.cpu_times()
                seconds += times.user + times.system
                if member.memory_info().rss > self._memory:
                    raise _too_large(self._names, self._memory)
        if not self._silent:
            self._silent, self._since = True, seconds
        elif seconds - self._since > SILENT_SECONDS:
            raise TicketsError(
                f"{self._names} has kept the computer busy for minutes without getting any further.",
                "It may be damaged: export it again, as JSON or CSV, and in smaller parts.",
            )


def _memory() -> int:
    """How much memory each process may take, in bytes."""
    import psutil

    return int(min(max(psutil.virtual_memory().available * SHARE_OF_MEMORY, LEAST_MEMORY), MOST_MEMORY))


def _too_large(names: str, memory: int) -> TicketsError:
    return TicketsError(
        f"{names} takes more than {memory / 2**30:.0f} GB of memory to read.",
        "Export a shorter period, save a workbook as CSV, or close other programs.",
    )


def _died(names: str, code: int | None) -> TicketsError:
    return TicketsError(
        f"{names} cannot be read: it broke the process that reads files (code {code}), as no sound export does.",
        "Save it again as JSON or CSV; if somebody else made it, do not trust it.",
    )


# ---- in the process


def _serve() -> None:
    inward, outward = child_processes.pipes()
    call: _Call = next(child_processes.values(inward))
    _hold_to(call.memory)
    threading.Thread(target=_end_with_the_program, args=(inward,), daemon=True).start()
    speaking = threading.Lock()

    def tell(value: Progress | _Ended) -> None:
        with speaking:
            child_processes.write(outward, value)

    try:
        tell(_Ended(_done(call, tell)))
    except MemoryError:
        tell(_Ended(out_of_memory=True))
    except (StudioError, OSError) as error:
        tell(_Ended(error=error))
    except Exception as error:
        log.exception("reading failed")
        tell(_Ended(error=RuntimeError(f"{type(error).__name__}: {error}")))


def _done(call: _Call, tell: Callable[[Progress], None]) -> Any:
    if call.work == "detect":
        from engine.tickets.importing.detect import detect

        return detect(*call.arguments)
    from engine.tickets.preparing.pipeline import build

    files, side, options = call.arguments
    return build(files, side, options, tell, lambda: False)


def _end_with_the_program(inward: IO[bytes]) -> None:
    """Wait for the end of the pipe: the program has ended, however it did, and nobody wants the result."""
    # Not through the buffer: a thread that waits with its lock lets the interpreter's own end fail.
    while os.read(inward.fileno(), 1 << 16):
        pass
    os._exit(1)


def _hold_to(memory: int) -> None:
    if sys.platform == "linux":
        import resource

        # Private memory, all of it: since Linux 4.7 RLIMIT_DATA counts what mmap gives as well (man 2 getrlimit).
        # RLIMIT_AS would count mapped files and address space that is only set aside.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known by that name on the other end.
    from engine.tickets import sandbox

    sandbox._serve()
