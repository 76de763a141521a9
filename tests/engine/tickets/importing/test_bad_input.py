"""Broken and hostile files: each ends in a working import or in one clear sentence, quickly and in bounded memory."""

import codecs
import gzip
import io
import json
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import SourceOverrides, detect
from tests.engine.tickets.exports import comment, lines, prepared, write, zendesk

ROOT = Path(__file__).parents[4]
GOOD = [zendesk(number, requester_id=100 + number, subject=f"Parcel {number}") for number in range(1, 13)]


def refusal(path: Path, tmp_path: Path) -> str:
    """Prepare a file that must be refused; return the sentence."""
    with pytest.raises(TicketsError) as caught:
        prepared([path], tmp_path / "out")
    assert caught.value.message.endswith(".") and caught.value.remedy.endswith(".")
    assert not (tmp_path / "out").exists()
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".out")] == []
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("empty.json", b"", "is empty (0 bytes)"),
        ("blank.csv", b" \n \n\t\n", "blanks"),
        ("bom_only.csv", codecs.BOM_UTF8, "blanks"),
        ("noise.csv", bytes(range(256)) * 40, "binary data"),
        ("zeros.json", b"\0" * 100_000, "binary data"),
        ("scan.pdf", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "a PDF"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "an image"),
        ("rows.jsonl", pickle.dumps([{"question": "a", "answer": "b"}]), "pickle"),
        ("rows.parquet", b"PAR1\x15\x04\x15\x10", "is a Parquet file that cannot be read"),
        ("mail.pst", b"!BDN\0\0\0\0", "Outlook data file"),
        ("page.json", b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        ("other.xml", b"<?xml version='1.0'?><orders><order/></orders>", "no help desk that is known"),
        ("words.txt", b"Dear team: the printer is broken.\n", "neither a known export nor a table"),
        ("list.json", b"[1, 2, 3]", "without a single record"),
        ("text.json", b'{"question": "a"', "not one record of it can be read"),
        ("deep.json", b"[" * 100_000, "nested"),
        ("deep_object.json", b'{"a":' * 100_000, "nested"),
        (
            "deep_line.jsonl",
            b'{"id":1,"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
            "item 1 is nested more than 1,000 deep",
        ),
        (
            "deep_message.jsonl",
            b'{"conversation_id":1,"message_parts":' + b"[" * 990 + b"]" * 990 + b',"actor_type":"user"}\n',
            "nested hundreds deep",
        ),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "no workbook"),
        ("broken.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03abcdefgh", "damaged archive"),
        ("broken.zip", b"PK\x03\x04" + b"\0" * 100, "damaged archive"),
    ],
)
def test_what_is_no_export_is_refused_in_words(tmp_path: Path, name: str, content: bytes, part: str) -> None:
    assert part in refusal(write(tmp_path / name, content), tmp_path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "no such file.json", tmp_path)
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder", tmp_path)


def test_xml_with_entities_is_refused_and_opens_nothing(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "the secret words")
    bomb = '<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    outside = f'<!DOCTYPE t [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    for head in (bomb, outside):
        path = write(
            tmp_path / "e.xml",
            f"<?xml version='1.0'?>{head}<helpdesk-tickets><helpdesk-ticket><subject>&a;</subject></helpdesk-ticket>"
            "</helpdesk-tickets>",
        )
        assert "entities" in refusal(path, tmp_path)


def test_xml_nested_very_deep_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "deep.xml", "<helpdesk-tickets>" + "<a>" * 100_000)
    assert "deep" in refusal(path, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_every_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    table = "question,answer\n" + "".join(
        f"Wo bleibt Paket {n} über Köln?,Paket {n} kommt morgen an.\n" for n in range(9)
    )
    _, data = prepared([write(tmp_path / "t.csv", table.encode(encoding))], tmp_path / "csv")
    assert "über Köln" in data.conversations("train")[0].messages[0].content
    if encoding != "utf-32":
        path = write(tmp_path / "t.json", lines(*GOOD).encode(encoding))
        assert prepared([path], tmp_path / "json")[0].conversations_kept == 12


def test_two_hundred_columns_are_no_problem(tmp_path: Path) -> None:
    header = ",".join([f"field {n}" for n in range(198)] + ["question", "answer"])
    row = ",".join(["x"] * 198 + ["Where is it?", "It is on its way to you."])
    path = write(tmp_path / "wide.csv", header + "\n" + f"{row}\n" * 5)
    assert len(detect([path]).columns) == 200
    assert prepared([path], tmp_path / "out")[0].conversations_kept == 5


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    log = "line of a log\n" * 750_000
    path = write(
        tmp_path / "big.csv", f'question,answer\n"{log}",See the attached guide please.\nHow?,Like this: press OK.\n'
    )
    report, _ = prepared([path], tmp_path / "out")
    assert report.tickets_read >= 2 and report.conversations_kept >= 1


def test_formula_cells_stay_text(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.csv",
        'question,answer\n"=HYPERLINK(""http://x"")",+49 is the prefix of Germany.\n@a,-1 means none at all.\n',
    )
    _, data = prepared([path], tmp_path / "out", mask=False)
    contents = [entry.messages[0].content for entry in data.page(0, 5)[0]]
    assert sorted(contents) == ['=HYPERLINK("http://x")', "@a"]


def test_names_with_spaces_and_unicode_are_fine(tmp_path: Path) -> None:
    path = write(tmp_path / "Kündigung – 顧客 ✓ (1).jsonl", lines(*GOOD))
    report, _ = prepared([path], tmp_path / "Daten – 1")
    assert report.files == [path.name]


def test_a_workbook_bomb_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tickets.importing.files.workbook_limits.SHEET_BYTES", 20 << 20)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(30):
                member.write(b"\0" * (1 << 20))
    assert "too much for a workbook" in refusal(path, tmp_path)


def test_a_zip_bomb_is_refused_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tickets.importing.files.sources.BOMB_BYTES", 20 << 20)
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("tickets.jsonl", "w", force_zip64=True) as member,
    ):
        member.write((json.dumps(GOOD[0]) + "\n").encode())
        for _ in range(30):
            member.write(b" " * (1 << 20))
    assert "times its size" in refusal(path, tmp_path)
    gz = tmp_path / "bomb.json.gz"
    with gzip.open(gz, "wb") as stream:
        stream.write((json.dumps(GOOD[0]) + "\n").encode())
        for _ in range(30):
            stream.write(b" " * (1 << 20))
    assert "times its size" in refusal(gz, tmp_path)


def test_names_inside_an_archive_never_become_paths(tmp_path: Path) -> None:
    path = tmp_path / "in" / "evil.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escaped.jsonl", lines(*GOOD))
        archive.writestr("/etc/escaped.jsonl", lines(zendesk(99, requester_id=99)))
    report, _ = prepared([path], tmp_path / "out")
    assert report.conversations_kept == 13
    assert list(tmp_path.rglob("*escaped*")) == []


def test_ids_never_become_paths(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", lines(*[{**ticket, "id": f"../../{ticket['id']}"} for ticket in GOOD]))
    _, data = prepared([path], tmp_path / "out")
    assert data.page(0, 1)[0][0].ticket.startswith("../../")
    assert {entry.name for entry in tmp_path.iterdir()} == {"t.jsonl", "out"}


def test_a_locked_archive_says_so(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("tickets.jsonl", lines(*GOOD))
    raw = bytearray(content.getvalue())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = raw.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        raw[at] |= 1
    assert "locked" in refusal(write(tmp_path / "locked.zip", bytes(raw)), tmp_path)


def test_one_bad_line_costs_one_line_and_is_named(tmp_path: Path) -> None:
    broken = [json.dumps(ticket) for ticket in GOOD]
    broken[4] = broken[4][:50]
    report, data = prepared([write(tmp_path / "t.jsonl", "\n".join(broken))], tmp_path / "out")
    assert (report.conversations_kept, report.dropped) == (11, {"damaged line": 1})
    assert data.left_out(0, 9)[0][0].ticket == "line 5 of t.jsonl"


def test_a_truncated_file_gives_what_came_before_the_cut(tmp_path: Path) -> None:
    for name, whole in (
        ("a.json", json.dumps(GOOD, indent=1)),
        ("b.json", json.dumps({"tickets": GOOD})),
        ("c.json", lines(*GOOD)),
    ):
        end = int(len(whole) * 0.9)
        report, data = prepared([write(tmp_path / name, whole[:end])], tmp_path / f"out-{name}")
        kept = report.conversations_kept
        assert kept >= 10
        assert report.dropped == {"the file breaks off": 1}
        assert name in data.left_out(0, 1)[0][0].ticket
        said = f"{name}: {kept} of an unknown number of tickets; the file breaks off at byte {end:,}."
        assert report.broken_off == report.warnings[:1] == [said]


def test_a_file_cut_between_two_tickets_breaks_off_as_well(tmp_path: Path) -> None:
    whole = json.dumps(GOOD)
    end = whole.rindex('{"id"')
    report, _ = prepared([write(tmp_path / "t.json", whole[:end])], tmp_path / "out")
    assert (report.conversations_kept, report.dropped) == (11, {"the file breaks off": 1})


def test_damage_in_the_last_ticket_of_a_whole_file_is_no_breaking_off(tmp_path: Path) -> None:
    for name, whole in (
        ("a.json", json.dumps(GOOD)),
        ("b.json", json.dumps({"tickets": GOOD})),
        ("c.json", lines(*GOOD)),
    ):
        damaged = whole.replace('Parcel 12"', "Parcel 12", 1)
        report, _ = prepared([write(tmp_path / name, damaged)], tmp_path / f"out-{name}")
        assert (report.dropped, report.broken_off) == ({"damaged line": 1}, [])


def test_a_missing_quote_in_a_big_array_costs_one_record(tmp_path: Path) -> None:
    for indent in (None, 1):
        whole = json.dumps(GOOD, indent=indent).replace('Parcel 5"', "Parcel 5", 1)
        report, _ = prepared([write(tmp_path / "t.json", whole)], tmp_path / f"out{indent}")
        assert report.conversations_kept == 11
        assert report.dropped == {"damaged line": 1}


def test_a_missing_quote_in_a_table_costs_one_row(tmp_path: Path) -> None:
    rows = [f'"Where is parcel {n}?","It is on\nits way, number {n}."' for n in range(20)]
    rows[7] = '"Where is parcel 7?,"It is on its way, number 7."'
    report, _ = prepared([write(tmp_path / "t.csv", "question,answer\n" + "\n".join(rows))], tmp_path / "out")
    assert report.conversations_kept >= 19


def test_a_quote_that_never_closes_does_not_swallow_the_table(tmp_path: Path) -> None:
    rows = [f"Where is parcel {n}?,It is on its way number {n}" for n in range(50)]
    rows[3] = '"Where is parcel 3?,It is on its way number 3'
    report, _ = prepared([write(tmp_path / "t.csv", "question,answer\n" + "\n".join(rows))], tmp_path / "out")
    assert report.conversations_kept == 49
    assert report.dropped == {"damaged line": 1}


def test_lone_surrogates_and_control_characters_survive(tmp_path: Path) -> None:
    line = json.dumps(zendesk(1)).replace("on its way", "on its way \\ud83d \\u0000")
    raw = json.dumps(zendesk(2, comment(7, "a\x01b?"), comment(9, "Yes, it is.")))
    report, data = prepared([write(tmp_path / "t.jsonl", f"{line}\n{raw}\n")], tmp_path / "out", heldout=0)
    assert report.conversations_kept == 2
    assert "on its way" in data.conversations("train")[0].messages[1].content


def test_an_unknown_column_lists_the_columns_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "Alpha,Beta\nWhere?,Over there it is.\n")
    with pytest.raises(TicketsError, match=r"no column 'gamma' for question.*'Alpha', 'Beta'"):
        prepared([path], tmp_path / "out", overrides=SourceOverrides(mapping={"question": "gamma"}))
    with pytest.raises(TicketsError, match=r"'Alpha', 'Beta'.*--map question=NAME"):
        prepared([path], tmp_path / "out")
    overrides = SourceOverrides(mapping={"question": "alpha", "answer": "2"})
    assert prepared([path], tmp_path / "out", overrides=overrides)[0].conversations_kept == 1


def test_an_export_without_answers_says_what_was_in_it(tmp_path: Path) -> None:
    only_questions = [zendesk(n, comment(7, "Hello?")) for n in range(3)]
    told = refusal(write(tmp_path / "t.jsonl", lines(*only_questions)), tmp_path)
    assert "None of the 3 tickets in t.jsonl has an answer" in told and "no agent answer: 3" in told


def test_a_file_of_three_gigabytes_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    zeros, line = tmp_path / "zeros.json", tmp_path / "line.json"
    with zeros.open("wb") as stream:
        stream.write(b'{"tickets": [')
        os.truncate(stream.fileno(), 3 << 30)
    with line.open("wb") as stream:
        stream.write(b'{"id": 1, "subject": "')
        for _ in range(100):
            stream.write(b"a" * (1 << 20))
    for path in (zeros, line):
        done = subprocess.run(
            [sys.executable, "-c", _PREPARE, str(path), str(tmp_path / "out")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            preexec_fn=_one_and_a_half_gigabytes,
            check=False,
            timeout=300,
        )
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr and path.name in done.stderr


_PREPARE = """
import sys
from pathlib import Path
from engine.errors import StudioError
from engine.tickets.preparing.pipeline import prepare
try:
    prepare([Path(sys.argv[1])], Path(sys.argv[2]))
except StudioError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""


def _one_and_a_half_gigabytes() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
