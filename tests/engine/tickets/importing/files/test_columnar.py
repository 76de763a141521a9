"""Parquet and Arrow: what the model hub and data tools write."""

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files import columnar
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import only, read, said, write


def parquet(rows: Any, **options: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows) if isinstance(rows, list) else pa.table(rows), content, **options)
    return content.getvalue()


def arrow_file(rows: list[dict[str, Any]]) -> bytes:
    return _arrow(rows, pa.ipc.new_file)


def arrow_stream(rows: list[dict[str, Any]]) -> bytes:
    return _arrow(rows, pa.ipc.new_stream)


def _arrow(rows: list[dict[str, Any]], writer: Any) -> bytes:
    content, table = io.BytesIO(), pa.Table.from_pylist(rows)
    with writer(content, table.schema) as out:
        out.write_table(table)
    return content.getvalue()


def talk(number: int) -> dict[str, Any]:
    turns = [
        {"role": "user", "content": f"Where is lamp {number}?"},
        {"role": "assistant", "content": f"Lamp {number} left us."},
    ]
    return {"messages": turns}


TALKS = [talk(number) for number in range(3)]


@pytest.mark.parametrize("written", [parquet, arrow_file, arrow_stream])
def test_rows_of_columns_are_read_as_records(tmp_path: Path, written: Callable[[Any], bytes]) -> None:
    path = write(tmp_path / "data", written(TALKS))
    assert detect([path]).format == "chat"
    assert [said(found)[1] for found in read(path)] == [
        ("assistant", "public", f"Lamp {number} left us.") for number in range(3)
    ]


def test_packed_files_of_columns_are_read_too(tmp_path: Path) -> None:
    archive = tmp_path / "d.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("data/train-00000-of-00001.parquet", parquet(TALKS))
    for path in (archive, write(tmp_path / "d.parquet.gz", gzip.compress(parquet(TALKS)))):
        assert len(read(path)) == 3


def test_many_rows_come_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "BATCH_ROWS", 2)
    for written in (parquet, arrow_file, arrow_stream):
        assert len(read(write(tmp_path / "d", written(TALKS)))) == 3


def test_turns_as_a_struct_of_lists_are_turns(tmp_path: Path) -> None:
    found = only(write(tmp_path / "d", parquet({"conversations": [{"from": ["human", "gpt"], "value": ["Q", "A"]}]})))
    assert said(found) == [("user", "public", "Q"), ("assistant", "public", "A")]


def test_a_flat_file_is_a_table_with_columns(tmp_path: Path) -> None:
    rows = [
        {"ticket_id": "1", "role": role, "body": body, "sent_at": datetime(2025, 1, day)}
        for role, body, day in (("agent", "Press it.", 2), ("customer", "Dark.", 1))
    ]
    path = write(tmp_path / "d", parquet(rows))
    assert detect([path]).mapping == {"ticket": "ticket_id", "role": "role", "text": "body", "date": "sent_at"}
    assert said(only(path)) == [("user", "public", "Dark."), ("assistant", "public", "Press it.")]


def test_a_list_without_conversations_is_refused_by_its_vendor(tmp_path: Path) -> None:
    names = ("Ticket ID", "Subject", "Status", "Agent", "Group")
    with pytest.raises(TicketsError, match="Freshdesk's ticket list"):
        detect([write(tmp_path / "d", parquet([dict.fromkeys(names, "x")]))])


def test_values_become_what_json_has(tmp_path: Path) -> None:
    moment = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
    row = {"at": moment, "cost": Decimal("1.50"), "image": b"\xff\xd8", "ratio": float("nan"), "tags": ["a", None]}
    (source,) = find_sources([write(tmp_path / "d", parquet([row]))])
    (record,) = columnar.read_columnar(source)
    assert isinstance(record, Record)
    assert record.value == {
        "at": "2025-01-02T03:04:00+00:00",
        "cost": 1.5,
        "image": None,
        "ratio": None,
        "tags": ["a", None],
    }


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    whole = parquet(TALKS)
    for content in (whole[:-20], whole[:40] + bytes(90) + whole[130:], b"PAR1" * 40, arrow_file(TALKS)[:80]):
        with pytest.raises(TicketsError, match="cannot be read"):
            detect([write(tmp_path / "d", content)])
    with pytest.raises(TicketsError, match="without a single record"):
        detect([write(tmp_path / "d", parquet({"messages": pa.array([], pa.string())}))])
