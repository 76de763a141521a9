import json
from pathlib import Path
from typing import Any

import pytest

from engine.tickets.conversation import LeftOut
from engine.tickets.importing.files import records, splitter
from engine.tickets.importing.files.records import Record, read_records
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import lines, write

ROWS = [
    {"id": number, "subject": f"S{number}", "comments": [{"id": 1, "body": 'say "hi" {[\\'}]} for number in range(5)
]


def ids(path: Path) -> list[Any]:
    (source,) = find_sources([path])
    return [item.value["id"] if isinstance(item, Record) else item.reason for item in read_records(source)]


@pytest.mark.parametrize(
    "content",
    [
        lines(*ROWS),
        "\ufeff" + lines(*ROWS),
        lines(*ROWS).replace("\n", "\r\n\r\n"),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        json.dumps({"tickets": ROWS, "count": 5, "next_page": None}),
        json.dumps({"count": 5, "meta": {"a": [1, {"b": 2}]}, "tickets": ROWS}, indent=1),
        json.dumps({"_embedded": {"conversations": ROWS}, "page": {}}, indent=4),
        lines({"tickets": ROWS[:2]}, {"tickets": ROWS[2:]}),
        json.dumps({"tickets": ROWS[:2]}, indent=1) + "\n" + json.dumps({"tickets": ROWS[2:]}, indent=1),
        "".join(json.dumps(row, indent=2) + "\n" for row in ROWS),
        lines(*[{"ticket": row} for row in ROWS]),
        lines(*[{"helpdesk_ticket": row} for row in ROWS]),
    ],
)
def test_every_packing_gives_the_same_records(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.json", content)
    assert ids(path) == [0, 1, 2, 3, 4]
    monkeypatch.setattr(splitter, "CHUNK_BYTES", 7)
    monkeypatch.setattr(records, "HEAD_BYTES", 160)
    assert ids(path) == [0, 1, 2, 3, 4]


def test_places_name_lines_and_items(tmp_path: Path) -> None:
    for content, expected in ((lines(*ROWS), "line 2"), (json.dumps(ROWS), "item 2")):
        (source,) = find_sources([write(tmp_path / "t.json", content)])
        assert list(read_records(source))[1].place == expected  # type: ignore[union-attr]


def test_a_ticket_with_a_list_of_its_own_is_no_envelope(tmp_path: Path) -> None:
    ticket = {"id": 1, "subject": "S", "conversations": [{"id": 2, "body": "x"}]}
    assert ids(write(tmp_path / "a.json", lines(ticket))) == [1]
    assert ids(write(tmp_path / "b.json", json.dumps(ticket, indent=2))) == [1]


def test_damaged_lines_are_told_with_their_reason(tmp_path: Path) -> None:
    content = lines(ROWS[0]) + '{"id": 1, "a": }\n[1, 2]\n"text"\n' + lines(ROWS[2]) + "garbage\n"
    (source,) = find_sources([write(tmp_path / "t.json", content)])
    items = list(read_records(source))
    assert [item.ticket for item in items if isinstance(item, LeftOut)] == [f"line {n} of t.json" for n in (2, 3, 4, 6)]
    assert [item.value["id"] for item in items if isinstance(item, Record)] == [0, 2]


def test_what_a_strict_parser_refuses_and_exports_contain_is_read(tmp_path: Path) -> None:
    odd = (
        b'{"id": 0, "n": NaN}\n{"id": 1, "s": "\\ud83d"}\n{"id": 2, "s": "a\tb"}\n{"id": 3, "s": "caf\xe9"}\n'
        + lines(ROWS[4]).encode()
    )
    (source,) = find_sources([write(tmp_path / "t.json", odd)])
    items = [item for item in read_records(source) if isinstance(item, Record)]
    assert [item.value["id"] for item in items] == [0, 1, 2, 3, 4]
    assert items[3].value["s"] == "café"
    items[1].value["s"].encode("utf-8")


def test_a_line_beyond_the_limit_costs_that_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_BYTES", 5000)
    monkeypatch.setattr(records, "HEAD_BYTES", 100)
    content = lines(ROWS[0], ROWS[1], {"id": 9, "s": "x" * 20_000}, ROWS[2])
    assert ids(write(tmp_path / "t.json", content)) == [0, 1, "damaged line", 2]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(("whole", "broken"), [('"S2"', 'S2"'), ('"S2"', '"S2'), ('"S2",', '"S2"'), ('"S2"', '"S2"}')])
def test_a_broken_record_in_an_array_costs_itself(tmp_path: Path, indent: int | None, whole: str, broken: str) -> None:
    content = json.dumps(ROWS, indent=indent).replace(whole, broken, 1)
    found = ids(write(tmp_path / "t.json", content))
    assert {0, 1, 3, 4} <= set(found)
    assert found.count("damaged line") <= 2


def test_memory_stays_with_the_record_not_the_file(tmp_path: Path) -> None:
    import tracemalloc

    row = json.dumps({"id": 1, "subject": "x" * 10_000, "comments": []})
    path = write(tmp_path / "t.json", "[" + ",".join([row] * 4_000) + "]")
    (source,) = find_sources([path])
    tracemalloc.start()
    count = sum(1 for _ in read_records(source))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4_000
    assert path.stat().st_size > 40_000_000
    assert peak < 12_000_000
