"""A Parquet or Arrow file -> its rows, as :mod:`engine.tickets.importing.files.records` yields records from JSON.

What the Hugging Face hub and most data tools write. Read a few rows at a time; nothing outside of the file is opened.
Knows no vendor.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from typing import Any

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut, broken_off
from engine.tickets.importing.files.records import Record, read_records
from engine.tickets.importing.files.sources import Source

BATCH_ROWS = 256
MEMBER_BYTES = 1 << 30
"""A file in an archive is held in memory, since its end is read first."""


def read_objects(source: Source, encoding: str) -> Iterator[Record | LeftOut]:
    """Yield the records of a file of JSON, Parquet or Arrow."""
    return read_columnar(source) if source.columnar else read_records(source, encoding)


def read_columnar(source: Source) -> Iterator[Record | LeftOut]:
    """Yield every row as a record; dates become ISO 8601, bytes (images, sound) are left away.

    A file that is damaged behind its first rows gives these and one :class:`LeftOut`.

    Raises:
        TicketsError: Nothing can be read of it.
    """
    import pyarrow as pa

    count = 0
    try:
        with _batches(source) as batches:
            for batch in batches:
                # Of a stranger's file: offsets beyond the end would else be followed into foreign memory.
                batch.validate(full=True)
                for row in batch.to_pylist():
                    count += 1
                    yield Record(_plain(row), source.name, f"row {count}")
    except MemoryError as error:
        raise TicketsError(
            f"{source.name} asks for more memory than there is at {count:,} rows: it is damaged, or its rows are huge.",
            "Download it again; or save it as JSON lines, the columns with the conversations alone.",
        ) from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if not count:
            raise TicketsError(
                f"{source.name} is a {source.columnar} file that cannot be read ({_first_line(error)}).",
                "Download it again; or save it as JSON lines.",
            ) from error
        yield broken_off(f"row {count + 1} of {source.name}", source.name, count, source.meter.done)


@contextmanager
def _batches(source: Source) -> Iterator[Iterator[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with source.open() as stream:
        seekable = stream if source.packing == "none" else io.BytesIO(_whole(source, stream))
        if source.columnar == "Parquet":
            yield pq.ParquetFile(seekable, pre_buffer=False).iter_batches(BATCH_ROWS, use_threads=False)
        elif source.head(6) == b"ARROW1":
            file = pa.ipc.open_file(seekable)
            yield (_part for at in range(file.num_record_batches) for _part in _parts(file.get_batch(at)))
        else:
            yield (_part for batch in pa.ipc.open_stream(seekable) for _part in _parts(batch))


def _parts(batch: Any) -> Iterator[Any]:
    """Cut a batch, which may be a whole file, into few rows at a time."""
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _whole(source: Source, stream: Any) -> bytes:
    raw: bytes = stream.read(MEMBER_BYTES + 1)
    if len(raw) > MEMBER_BYTES:
        raise TicketsError(
            f"{source.name} is larger than {MEMBER_BYTES >> 30} GB.", "Unpack it, and choose the unpacked file."
        )
    return raw


def _plain(value: Any) -> Any:
    """Write a value as JSON has it."""
    if isinstance(value, dict):
        return _turns(value) or {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int) else None


def _turns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn a struct of equally long lists, which is how ``datasets`` wrote a list of turns, back into that list."""
    columns = list(value.values())
    if len(columns) < 2 or not all(isinstance(column, list) for column in columns):
        return []
    if len({len(column) for column in columns}) != 1 or not all(isinstance(cell, str) for cell in columns[0]):
        return []
    return [dict(zip(value, map(_plain, row), strict=True)) for row in zip(*columns, strict=True)]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["damaged"])[0][:160].rstrip(".")
