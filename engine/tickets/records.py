"""A stream of JSON -> its records, one at a time, however they are packed.

Understands JSON Lines, one big array, an envelope such as ``{"tickets": [...]}``, pages of envelopes one after another,
and pretty-printed objects. Memory is bounded by the largest record, never by the file. A damaged record costs itself:
it is handed on as a :class:`LeftOut` with its place. Knows no vendor: what a record means is the readers' business.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut, excerpt
from engine.tickets.sources import HEAD_BYTES, Source

RECORD_BYTES = 64 << 20
"""A record larger than this is damage, not a ticket."""
CHUNK_BYTES = 1 << 20
ENVELOPES = frozenset(
    (
        *("tickets", "helpdesk_tickets", "conversations", "threads", "messages", "articles", "comments", "journals"),
        *("cases", "issues", "users", "data", "items", "records", "results", "result", "_results", "list", "rows"),
        *("values", "entries", "documents", "_embedded"),
    )
)
"""Keys under which exports and APIs put their list of records."""
SINGLES = frozenset(("ticket", "helpdesk_ticket", "conversation", "thread", "case", "issue"))
"""Keys that wrap one record."""
_OWN_KEYS = frozenset(("id", "subject", "number", "ticketNumber", "key", "description", "source", "requester_id"))
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_QUOTE, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = b'"{}[]'
_DEEPEST = 1000
"""orjson's own limit is 1,024."""
DAMAGED = "damaged line"


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of an export, and where it stood."""

    value: dict[str, Any]
    source: str
    place: str
    """``line 12`` in JSON Lines, ``item 12`` in an array."""


def read_records(source: Source, encoding: str = "utf-8") -> Iterator[Record | LeftOut]:
    """Yield every record of a JSON stream.

    Args:
        source: A text stream; the first character tells how it is packed.
        encoding: Anything but UTF-8 is converted on the way.

    Yields:
        Records in the order of the file, and a :class:`LeftOut` for each damaged one.

    Raises:
        TicketsError: The stream does not hold JSON objects at all.
    """
    with source.open() as raw:
        stream = _as_utf8(raw, encoding)
        head = _read_fully(stream, HEAD_BYTES)
        if head.startswith(b"\xef\xbb\xbf"):
            head = head[3:]
        if is_json_lines(head):
            yield from _json_lines(source.name, head, stream)
        else:
            yield from _Splitter(source.name, head, stream).records()


def is_json_lines(head: bytes) -> bool:
    """Tell whether most lines at the beginning are an object each (a trailing comma is forgiven)."""
    lines = [line.rstrip() for line in head.split(b"\n")[:40]]
    if len(head) >= HEAD_BYTES and len(lines) < 40:
        lines.pop()
    lines = [line for line in lines if line and line not in (b"[", b"]", b"],")]
    whole = sum(isinstance(_parsed(line.rstrip(b",")), dict) for line in lines)
    if whole >= max(1, len(lines) * 0.5):
        return True
    # In pretty-printed JSON, whole objects on a line are inner ones: indented, or with lone brackets around.
    pretty = any(line[:1] in b" \t" or line.rstrip(b",") in (b"{", b"}") for line in lines)
    return whole >= 2 and not pretty


def _json_lines(name: str, head: bytes, stream: IO[bytes]) -> Iterator[Record | LeftOut]:
    for number, line in enumerate(_lines(head, stream), start=1):
        if line is None:
            yield LeftOut(f"line {number} of {name}", DAMAGED, f"longer than {RECORD_BYTES >> 20} MB")
            continue
        text = line.strip()
        if not text or text in (b"[", b"]", b"],", b","):
            continue
        value = _parsed(text.rstrip(b","))
        if isinstance(value, dict):
            yield from unwrap(value, name, f"line {number}")
        else:
            why = _why(text.rstrip(b",")) if value is None else "not an object"
            yield LeftOut(f"line {number} of {name}", DAMAGED, excerpt(f"{why}: {_shown(text)}"))


def _lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines of bytes; None for a line beyond :data:`RECORD_BYTES`."""
    pieces = head.split(b"\n")
    last = pieces.pop()
    yield from pieces
    line = last + stream.readline(RECORD_BYTES)
    while line:
        if len(line) >= RECORD_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(CHUNK_BYTES)
            yield None
        else:
            yield line
        line = stream.readline(RECORD_BYTES)


def unwrap(value: dict[str, Any], name: str, place: str) -> Iterator[Record]:
    """Yield the records inside an envelope, or the value itself where it is a record."""
    lists = {key: value[key] for key in value.keys() & ENVELOPES if _is_list_of_records(value[key])}
    embedded = value.get("_embedded")
    if isinstance(embedded, dict) and not (_OWN_KEYS & value.keys()):
        yield from unwrap(embedded, name, place)
    elif lists and not (_OWN_KEYS & value.keys()) and not _is_chat(value):
        for key in sorted(lists, key=lambda key: (key != "users", list(value).index(key))):
            for inner in value[key]:
                if isinstance(inner, dict):
                    yield from unwrap(inner, name, place)
    elif single := next((key for key in value if key in SINGLES and isinstance(value[key], dict)), ""):
        rest = {key: item for key, item in value.items() if key != single}
        yield Record({**rest, **value[single]}, name, place)
    else:
        yield Record(value, name, place)


def _is_list_of_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value[:3])


def _is_chat(value: dict[str, Any]) -> bool:
    """Tell a conversation of a chat data set, whose 'messages' are its own turns, from a page of messages."""
    for key in ("messages", "conversations", "conversation"):
        turns = value.get(key)
        if isinstance(turns, list) and turns and isinstance(turns[0], dict):
            first = turns[0]
            if ("role" in first and "content" in first) or ("from" in first and "value" in first):
                return True
    return False


def _parsed(text: bytes) -> Any:
    """Parse one JSON value; None where it cannot be parsed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parsed_leniently(text)


def _parsed_leniently(text: bytes) -> Any:
    """Parse what orjson refuses and exports still contain: NaN, lone surrogates, control characters, a stray byte."""
    if text[:1] not in (b"{", b"["):
        return None
    try:
        value = json.loads(_decoded(text), strict=False)
        return _without_surrogates(value)
    except (ValueError, RecursionError):
        return None


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace") if _mostly_utf8(text) else text.decode("cp1252", "replace")


def _mostly_utf8(text: bytes) -> bool:
    """Tell UTF-8 with a broken character from a line in another code page."""
    kept = len(text.decode("utf-8", "ignore").encode())
    high = sum(byte > 127 for byte in text[:100_000])
    return len(text) - kept < high / 2


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _why(text: bytes) -> str:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "ecursion" in error.msg or "depth" in error.msg:
            return "nested too deep"
        return error.msg
    return "not an object"


def _shown(text: bytes) -> str:
    return text[:1000].decode("utf-8", "replace")


class _Splitter:
    """Finds the records inside one long JSON text by its brackets, without parsing the whole.

    A record is a ``{...}`` at the right depth: outside of everything, in a top-level array, or in an envelope's array.
    """

    def __init__(self, name: str, head: bytes, stream: IO[bytes]) -> None:
        if head.lstrip()[:1] not in (b"{", b"["):
            raise TicketsError(f"{name} is not JSON: it begins with {_shown(head.lstrip()[:20])!r}.", "Check the file.")
        self._name = name
        self._stream = stream
        self._buffer = bytearray(head)
        self._envelope = _envelope_depth(head)
        self._count = 0
        self._stack: list[int] = []
        self._keys: list[bytes] = []
        self._start = -1
        """Where in the buffer the record in progress begins; -1 between records."""
        self._position = 0
        """Up to where the buffer has been looked at."""
        self._inner = 0
        """How many brackets of the record are open."""
        self._signature: re.Pattern[bytes] | None = None

    def records(self) -> Iterator[Record | LeftOut]:
        while True:
            yield from self._scan()
            self._drop()
            if len(self._buffer) > RECORD_BYTES:
                yield self._given_up(f"larger than {RECORD_BYTES >> 20} MB")
                continue
            # Reading as much again as is waiting keeps the work on one long string linear.
            more = self._stream.read(max(CHUNK_BYTES, len(self._buffer)))
            self._buffer += more
            if not more:
                if self._start < 0:
                    break
                yield self._given_up("the file ends inside this record")
                if self._start < 0:
                    return
        if self._stack:
            self._count += 1
            yield LeftOut(f"item {self._count} of {self._name}", DAMAGED, "the file ends in the middle")

    def _scan(self) -> Iterator[Record | LeftOut]:
        """Look at every token of the buffer that is whole."""
        buffer, stack, keys = self._buffer, self._stack, self._keys
        for token in _TOKEN.finditer(buffer, self._position):
            at = token.start()
            byte = buffer[at]
            if byte == _QUOTE:
                if token.end() - at == 1:
                    self._position = at
                    return
                if self._start < 0 and 0 < len(stack) <= 3 and stack[-1] == _OPEN:
                    keys[len(stack) - 1 :] = [bytes(buffer[at + 1 : min(token.end() - 1, at + 64)])]
            elif self._start >= 0:
                self._inner += 1 if byte in (_OPEN, _OPEN_LIST) else -1
                if not self._inner:
                    yield from self._record(bytes(buffer[self._start : token.end()]))
                    self._start = -1
                elif self._inner > _DEEPEST:
                    raise self._too_deep()
            elif byte == _OPEN and self._is_record():
                self._start, self._inner = at, 1
            elif byte in (_OPEN, _OPEN_LIST):
                if len(stack) > _DEEPEST:
                    raise self._too_deep()
                stack.append(byte)
                keys[len(stack) - 1 :] = [b""]
            elif stack:
                stack.pop()
            self._position = token.end()
        self._position = len(buffer)

    def _drop(self) -> None:
        """Forget what has been dealt with, but for the blanks before a record, which are part of its signature."""
        done = self._start if self._start >= 0 else self._position
        done -= len(self._buffer[:done]) - len(self._buffer[:done].rstrip())
        del self._buffer[:done]
        self._position -= done
        if self._start >= 0:
            self._start -= done

    def _is_record(self) -> bool:
        depth = len(self._stack)
        if self._envelope == 0:
            return depth == 0 or (depth == 1 and self._stack[0] == _OPEN_LIST)
        if depth != self._envelope + 1:
            return depth == 1 and self._stack[0] == _OPEN_LIST
        return self._stack[-1] == _OPEN_LIST and self._keys[depth - 2].decode("utf-8", "replace") in ENVELOPES

    def _record(self, text: bytes) -> Iterator[Record | LeftOut]:
        self._count += 1
        value = _parsed(text)
        if not isinstance(value, dict):
            shown = excerpt(f"{_why(text)}: {_shown(text)}")
            yield LeftOut(f"item {self._count} of {self._name}", DAMAGED, shown)
            return
        if self._signature is None:
            blanks = self._buffer[: self._start]
            self._signature = _signature(bytes(blanks[len(blanks.rstrip()) :]), text)
        yield from unwrap(value, self._name, f"item {self._count}")

    def _given_up(self, why: str) -> LeftOut:
        """Count the record in progress as damaged, and go on with the next one that can be made out behind it.

        A missing quote or bracket swallows everything behind it; the signature of whole records finds the next one.
        """
        self._count += 1
        text = bytes(self._buffer[max(self._start, 0) :])
        left = LeftOut(f"item {self._count} of {self._name}", DAMAGED, excerpt(f"{why}: {_shown(text)}"))
        following = self._signature.search(text, 1) if self._signature else None
        if following:
            begin = max(self._start, 0) + following.end() - len(following.group().lstrip())
            del self._buffer[:begin]
            self._start = self._position = -1
            self._start, self._position, self._inner = 0, 1, 1
        elif len(text) > RECORD_BYTES:
            raise TicketsError(
                f"{self._name}: item {self._count} is {why}.", "This is no ticket export, or a quote is missing there."
            )
        else:
            self._buffer.clear()
            self._start, self._position = -1, 0
        return left

    def _too_deep(self) -> TicketsError:
        return TicketsError(
            f"{self._name}: item {self._count + 1} is nested more than {_DEEPEST:,} deep.", "This is no ticket export."
        )


def _signature(blanks: bytes, text: bytes) -> re.Pattern[bytes] | None:
    """Return what tells the beginning of a record from objects inside of it: its indentation and its first two keys."""
    begin = re.match(
        rb'\{(\s*)("[^"\\]{1,60}")\s*:\s*(?:"[^"\\]{0,500}"|[^"{}\[\],\s]{1,40})\s*,\s*("[^"\\]{1,60}")', text
    )
    if not begin:
        return None
    inside, one, two = begin.groups()
    value = rb'\s*:\s*(?:"[^"\\]{0,500}"?|[^"{}\[\],\s]{1,40})\s*,\s*'
    return re.compile(re.escape(blanks) + rb"\{" + re.escape(inside) + re.escape(one) + value + re.escape(two))


def _envelope_depth(head: bytes) -> int:
    """Tell where the records of a JSON text that begins with an object are.

    Returns:
        0: the objects themselves are the records (or the text is an array); 1: in arrays of the top-level object;
        2: in arrays of an object inside it, such as ``_embedded``.
    """
    if head.lstrip()[:1] != b"{":
        return 0
    depth, own, key, nested = 0, set[str](), b"", b""
    previous = 0
    for token in _TOKEN.finditer(head):
        byte = head[token.start()]
        if byte == _QUOTE:
            if head[token.end() : token.end() + 8].lstrip()[:1] == b":":
                key = token.group()[1:-1]
                if depth == 1:
                    own.add(key.decode("utf-8", "replace"))
        elif (
            byte == _OPEN
            and previous == _OPEN_LIST
            and depth in (2, 3)
            and nested.decode("utf-8", "replace") in ENVELOPES
        ):
            return 0 if own & _OWN_KEYS or _is_turn(head[token.start() :]) else depth - 1
        elif byte in (_OPEN, _OPEN_LIST):
            depth += 1
            if byte == _OPEN_LIST:
                nested = key
        else:
            depth -= 1
        previous = byte
        if depth <= 0:
            return 0
    return 0


def _is_turn(text: bytes) -> bool:
    return bool(re.match(rb'\{\s*"(?:role|from|content|value)"\s*:', text))


def _read_fully(stream: IO[bytes], size: int) -> bytes:
    pieces, left = [], size
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _as_utf8(stream: IO[bytes], encoding: str) -> IO[bytes]:
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "ascii"):
        return stream
    return io.BufferedReader(
        _Recoded(io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")), 1 << 18
    )


class _Recoded(io.RawIOBase):
    """Text in any encoding as a stream of UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        super().__init__()
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", "replace")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
