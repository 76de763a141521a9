import gzip
import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import lines, prepared, read, write, zendesk

TICKETS = lines(*[zendesk(number, requester_id=100 + number) for number in range(4)])


def test_packed_files_are_read_like_plain_ones(tmp_path: Path) -> None:
    plain = write(tmp_path / "t.jsonl", TICKETS)
    packed = write(tmp_path / "t.jsonl.gz", gzip.compress(TICKETS.encode()))
    archive = tmp_path / "t.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("export/b.jsonl", TICKETS)
        content.writestr("export/readme.txt", "Exported on Monday")
        content.writestr("export/logo.png", b"\x89PNG\r\n\x1a\n")
        content.writestr("__MACOSX/._b.jsonl", "x")
        content.writestr("export/empty.json", "")
    reports = [prepared([path], tmp_path / f"out-{path.name}")[0] for path in (plain, packed, archive)]
    assert [report.conversations_kept for report in reports] == [4, 4, 4]
    assert reports[2].files == ["t.zip: b.jsonl"]


def test_several_files_are_one_import_and_repeats_count_once(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", lines(zendesk(1, requester_id=101), zendesk(2, requester_id=102)))
    two = write(tmp_path / "b.jsonl", lines(zendesk(2, requester_id=102), zendesk(3, requester_id=103)))
    report, data = prepared([one, two], tmp_path / "out")
    assert sorted(entry.ticket for entry in data.page(0, 9)[0]) == ["1", "2", "3"]
    assert report.dropped == {"the same ticket again": 1}


def test_rows_without_ids_are_told_apart_by_their_file(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{name}.csv", f"question,answer\nDark {name}?,Press the switch {name} please.\n")
        for name in "ab"
    ]
    _, data = prepared(files, tmp_path / "out")
    assert {entry.ticket for entry in data.page(0, 9)[0]} == {"row 2 of a.csv", "row 2 of b.csv"}


def test_files_of_different_help_desks_go_together(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "question,answer\nDark?,Press the switch please.\n")
    report, _ = prepared([write(tmp_path / "a.jsonl", TICKETS), table], tmp_path / "out")
    assert (report.conversations_kept, report.format, len(report.files)) == (5, "zendesk", 2)


def test_an_archive_of_many_mails_is_opened_once(tmp_path: Path) -> None:
    archive = tmp_path / "mails.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for number in range(500):
            head = f"From: a{number}@example.com\nTo: support@shop.example\nSubject: Lamp {number}\n"
            content.writestr(f"{number}.eml", f"{head}Message-ID: <{number}@x>\n\nDark?\n")
    sources = find_sources([archive])
    assert len(sources) == 500
    assert len({id(source.archive) for source in sources}) == 1


def test_an_archive_without_exports_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "t.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("logo.png", b"\x89PNG\r\n\x1a\n")
    with pytest.raises(TicketsError, match="holds no file that could be"):
        find_sources([archive])


def test_the_meter_counts_what_lies_on_disk(tmp_path: Path) -> None:
    (source,) = find_sources([write(tmp_path / "t.gz", gzip.compress(TICKETS.encode() * 50))])
    with source.open() as stream:
        assert len(stream.read()) == len(TICKETS) * 50
    assert source.meter.done == source.meter.total == source.path.stat().st_size


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "year.zip", "w") as archive:
        for folder in ("a/03", "b/03", "b/04"):
            archive.writestr(
                f"{folder}/t.csv", f"question,answer\nDark in {folder}?,Press the switch {folder} please.\n"
            )
        archive.writestr("b/04/u.csv", "question,answer\nLight?,Press the switch once more.\n")
    _, data = prepared([tmp_path / "year.zip"], tmp_path / "out")
    assert {entry.ticket for entry in data.page(0, 9)[0]} == {
        *("row 2 of year.zip: a/03/t.csv", "row 2 of year.zip: b/03/t.csv", "row 2 of year.zip: 04/t.csv"),
        "row 2 of year.zip: u.csv",
    }


def test_chats_of_one_name_in_several_folders_stay_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "chats.zip", "w") as archive:
        for name in ("Ada", "Dora"):
            day = "[05/01/2026, 10:0{0}:00] {1}: {2}\n"
            chat = day.format(1, name, "Is it dark?") + day.format(2, "Lamp Shop", "Press the switch.")
            archive.writestr(f"{name}/_chat.txt", chat)
    assert sorted(talk.customer for talk in read(tmp_path / "chats.zip")) == ["Ada", "Dora"]
