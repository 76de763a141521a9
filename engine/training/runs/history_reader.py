"""HistoryReader: a run's history, read from its events as they grow and kept in a small file beside them.

    runs/<id>/events.jsonl   the truth; only ever appended to
              curve.cache    line 1: how far it goes and the summary; line 2: the curve; each behind its checksum

curve.cache is made by whoever reads, now and then, and by the run at its end. Where it is missing, damaged, or told by
other events than are there, it is made anew; where it is behind, the rest is read from the events.
"""

import json
import logging
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.training.runs.events import from_line
from engine.training.runs.history import Curve, History, StoredHistory, Summary
from engine.workspace import write_atomically

log = logging.getLogger(__name__)

CURVE = "curve.cache"
FORMAT = 2
KEEP_EVERY = 256 * 1024
"""Bytes of events, some 1,200 steps, after which the curve is written anew; they are read again in 20 ms at most."""
CHUNK = 1 << 20
"""Bytes that are read at once."""
SEAL = 4096
"""Bytes at the start of the events, and before the place until which the curve goes, by which they are known again."""


@dataclass
class HistoryReader:
    """Reads an events file as it grows; each call of :meth:`read` looks only at what is new.

    Pages and the training may ask at once.
    """

    path: Path
    _curve: Curve | None = None
    """None until somebody asks for more than the summary."""
    _offset: int = 0
    """Bytes of events that have been taken in."""
    _seen: int = -1
    """Bytes that there were at the last look; more than were taken in where the last line is not complete."""
    _kept: int = 0
    """Bytes of events that the curve on the disk knows."""
    _history: History = field(default_factory=History)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read(self) -> History:
        """Return the history up to the last complete line; the same object while nothing is new."""
        with self._lock:
            try:
                self._read()
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warning("%s could not be read: %s", self.path, error)
            return self._history

    def glance(self) -> History:
        """Return the history, of which the curve is read only where the summary on the disk is behind."""
        if self._curve is None and (known := self._summary_of_all()) is not None:
            return StoredHistory(known, self.read)
        return self.read()

    def behind(self) -> int:
        """Return how many bytes of events the next :meth:`glance` has to read; waits for nobody who reads them."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return 0
        if self._curve is not None:
            return size - self._offset
        header = self._header()
        return size - (header["offset"] if header else 0)

    def keep(self) -> None:
        """Write the curve beside the events, where that is of use; a disk that is full does not matter."""
        with self._lock:
            self.read()
            if self._offset > self._kept:
                self._keep()

    @property
    def _file(self) -> Path:
        return self.path.with_name(CURVE)

    def _read(self) -> None:
        size = self.path.stat().st_size
        if self._curve is None:
            self._load()
        if size == self._seen:
            return
        if size < self._offset:  # another file has taken its place
            self._forget()
        new = self._take_in()
        if new:
            assert self._curve is not None
            self._history = self._curve.history()
        if self._offset - self._kept >= KEEP_EVERY:
            self._keep()

    def _keep(self) -> None:
        assert self._curve is not None
        try:
            header = {
                "format": FORMAT,
                "offset": self._offset,
                "seal": self._seal(self._offset),
                "summary": self._history.summary.plain(),
            }
            write_atomically(self._file, _checked_line(header) + _checked_line(self._curve.plain()))
        except (StudioError, OSError) as error:
            log.warning("the curve of %s could not be kept: %s", self.path.parent, error)
        self._kept = self._offset

    def _take_in(self) -> bool:
        """Read what is new; return whether it told anything."""
        assert self._curve is not None
        told, rest = False, b""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            while fresh := file.read(CHUNK):
                complete, newline, rest = (rest + fresh).rpartition(b"\n")
                for line in complete.split(b"\n"):
                    if line and (record := from_line(line)):
                        self._curve.add(record)
                        told = True
                self._offset += len(complete) + len(newline)
        self._seen = self._offset + len(rest)
        return told

    def _forget(self) -> None:
        self._curve, self._offset, self._seen, self._kept, self._history = Curve(), 0, -1, 0, History()

    def _load(self) -> None:
        """Begin with the curve on the disk, or with nothing."""
        self._forget()
        header = self._header()
        if header is None:
            return
        try:
            curve = Curve.read(_values_of(self._file.read_bytes().partition(b"\n")[2]))
            history = curve.history()
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            log.warning("%s is made anew: %s", self._file, error)
            return
        self._curve, self._history = curve, history
        self._offset = self._kept = header["offset"]

    def _header(self) -> dict[str, Any] | None:
        """The first line of the curve on the disk, where it was told by the events that are there."""
        try:
            with self._file.open("rb") as file:
                header = _values_of(file.readline(1 << 16))
            if header["format"] == FORMAT and header["seal"] == self._seal(header["offset"]):
                return dict(header)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def _summary_of_all(self) -> Summary | None:
        """The summary on the disk, where it knows all events."""
        try:
            if (header := self._header()) and header["offset"] == self.path.stat().st_size:
                return Summary.read(header["summary"])
        except (OSError, KeyError, TypeError, AttributeError):
            pass
        return None

    def _seal(self, offset: int) -> int | None:
        """What the events are known by up to a place; None where there are not so many."""
        with self.path.open("rb") as file:
            head = file.read(min(SEAL, offset))
            file.seek(max(0, offset - SEAL))
            tail = file.read(min(SEAL, offset))
        return zlib.crc32(tail, zlib.crc32(head)) if len(tail) == min(SEAL, offset) else None


def _checked_line(values: dict[str, Any]) -> bytes:
    text = json.dumps(values).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _values_of(line: bytes) -> Any:
    """What :func:`_checked_line` was given.

    Raises:
        ValueError: It is not what was written.
    """
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise ValueError("it is not what was written")
    return json.loads(text)
