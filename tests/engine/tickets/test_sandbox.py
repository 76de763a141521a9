"""Files that a stranger made, read in a process of its own: whatever they do to it, here it is one sentence."""

import gzip
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.errors import Cancelled, ResourceError, TicketsError
from engine.task import Task
from engine.tickets import child_processes, sandbox
from engine.tickets.dataset.files import LOOKUP
from engine.tickets.importing.detect import detect
from engine.tickets.library import DataSets
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from engine.workspace import Workspace
from tests.engine.tickets.exports import lines, write, zendesk
from tests.processes import children, has_ended

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def book(path: Path, rows: Iterable[str], shared: Iterable[str] = ()) -> Path:
    """A workbook of one sheet, with rows as they stand in its XML."""
    types = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        f'spreadsheetml.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("worksheets/sheet1", "worksheet"),
            ("sharedStrings", "sharedStrings"),
        )
    )
    links = "".join(
        f'<Relationship Id="r{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(
            (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
        )
    )
    begin = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types">{types}</Types>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{begin}</Relationships>')
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets><sheet name="A" sheetId="1" r:id="r0"/></sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'
        )
        texts = "".join(f"<si><t>{text}</t></si>" for text in shared)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET}">{texts}</sst>')
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{SHEET}"><sheetData>'.encode())
            for row in rows:
                sheet.write(row.encode())
            sheet.write(b"</sheetData></worksheet>")
    return path


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{cell("A1", "question")}{cell("B1", "answer")}</row>'


def far_cell(folder: Path, place: str = "XFD1048576") -> Path:
    return book(folder / "far.xlsx", [HEADER, f'<row r="1048576">{cell(place, "x")}</row>'])


def without_place(folder: Path) -> Path:
    """As the one before, in a spelling that the look beforehand does not know: the process has to bear it."""
    return book(folder / "odd.xlsx", [HEADER, f'<row r="1048576">{cell("XFD1048576", "x")}</row>'.replace("r=", "r =")])


def wide_rows(folder: Path) -> Path:
    rows = (f'<row r="{n}">{cell(f"A{n}", "q")}{cell(f"XFD{n}", "a")}</row>' for n in range(2, 40_001))
    return book(folder / "wide.xlsx", [HEADER, *rows])


def shared_text(folder: Path) -> Path:
    pair = '<c r="A{0}" t="s"><v>0</v></c><c r="B{0}" t="s"><v>0</v></c>'
    rows = (f'<row r="{n}">{pair.format(n)}</row>' for n in range(2, 100_002))
    return book(folder / "shared.xlsx", [HEADER, *rows], ["y" * 100_000])


def many_files(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(100_000):
            archive.writestr(f"{number}.eml", b"From: a@b.co\nTo: c@d.co\n\nHello\n")
    return folder / "many.zip"


def many_keys(folder: Path) -> Path:
    return write(folder / "keys.json", "[{" + ",".join(f'"k{number}": "v"' for number in range(100_000)) + "}]")


def many_rows(folder: Path) -> Path:
    """A hundred million short rows, packed to 4 MB."""
    with gzip.open(folder / "rows.csv.gz", "wb", compresslevel=1) as stream:
        stream.write(b"question,answer\n")
        block = b"".join(b"Why %d?,So %d.\n" % (number % 977, number % 1009) for number in range(200_000))
        for _ in range(25):
            stream.write(block)
    # The archive says how much it holds; that is what is asked, and nobody unpacks a gigabyte to tell.
    raw = bytearray((folder / "rows.csv.gz").read_bytes())
    raw[-4:] = (1_500_000_000).to_bytes(4, "little")
    return write(folder / "rows.csv.gz", bytes(raw))


HOSTILE: dict[Callable[[Path], Path], str] = {
    far_cell: r"1,048,576 rows down, 16,384 columns wide",
    without_place: r"takes more than|broke the process that reads files",
    wide_rows: r"16,384 columns wide",
    shared_text: r"repeats long texts so often",
    many_files: r"holds 100,000 files; at most 50,000",
    many_keys: r"has 100,000 keys",
    many_rows: r"has about \d+ million lines",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("made", HOSTILE, ids=lambda made: made.__name__)
def test_a_hostile_file_is_one_sentence_and_the_program_goes_on(
    made: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_MEMORY", sandbox.LEAST_MEMORY)
    path = made(tmp_path)
    for call in (
        lambda: sandbox.detect([path]),
        lambda: prepare([path], tmp_path / "out", builder=sandbox.build),
    ):
        with pytest.raises(TicketsError, match=HOSTILE[made]) as caught:
            call()
        assert path.name in caught.value.message and caught.value.remedy
    assert not (tmp_path / "out").exists()
    assert [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_what_is_read_apart_is_byte_for_byte_what_is_read_here(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", lines(*[zendesk(number, requester_id=number) for number in range(1, 40)]))
    assert sandbox.detect([path]) == detect([path])
    told: list[str] = []
    prepare([path], tmp_path / "here")
    prepare(
        [path],
        tmp_path / "apart",
        PrepareOptions(workers=1),
        lambda seen: told.append(seen.stage),
        builder=sandbox.build,
    )
    for file in (tmp_path / "here").iterdir():
        if file.name not in ("report.json", LOOKUP):
            assert file.read_bytes() == (tmp_path / "apart" / file.name).read_bytes(), file.name
    here, apart = (np.load(tmp_path / name / LOOKUP) for name in ("here", "apart"))
    for column in set(here.files) - {"about"}:  # which says when train.jsonl was written
        assert np.array_equal(here[column], apart[column]), column
    assert told[0] == "Looking into the files" and "Judging the quality" in told


def test_a_refusal_comes_back_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.json", b"")
    with pytest.raises(TicketsError) as here:
        detect([path])
    with pytest.raises(TicketsError) as there:
        sandbox.detect([path])
    assert (here.value.message, here.value.remedy) == (there.value.message, there.value.remedy)


def test_a_folder_that_cannot_be_written_is_named_as_the_person_knows_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", lines(zendesk(1)))

    def lost(*arguments: object) -> object:
        side = arguments[1]
        assert isinstance(side, Path)
        side.rmdir()
        return sandbox.build(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ResourceError, match="out") as caught:
        patch.setattr("engine.tickets.preparing.pipeline.build", lost)
        prepare([path], tmp_path / "out")
    assert ".partial" not in str(caught.value)


def family() -> list[psutil.Process]:
    return children("engine.tickets.sandbox")


def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.01)


def test_cancelling_ends_the_process_at_once_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stopped process answers nothing: whoever waits for its word waits for ever."""
    library = DataSets(Workspace(tmp_path / "workspace"))
    path = write(tmp_path / "t.jsonl", lines(zendesk(1)))
    begun = child_processes.started

    def stopped(*arguments: object, **named: object) -> child_processes.Process:
        process = begun(*arguments, **named)  # type: ignore[arg-type]
        psutil.Process(process.pid).suspend()
        return process

    monkeypatch.setattr(child_processes, "started", stopped)
    tasks: list[Task[object]] = [library.detect([path]), library.prepare([path], "Shop")]  # type: ignore[list-item]
    until(lambda: len(family()) == 2)
    for task in tasks:
        task.cancel()
    until(lambda: all(task.snapshot().state == "cancelled" for task in tasks))
    assert family() == []
    assert library.all() == library.damaged() == []
    assert [entry.name for entry in (tmp_path / "workspace" / "datasets").iterdir()] == []


def test_a_process_that_computes_without_a_word_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SILENT_SECONDS", -1.0)
    monkeypatch.setattr(sandbox, "WATCH_EVERY", 0.0)
    monkeypatch.setattr(sandbox, "LOOK_EVERY", 0.001)
    path = write(tmp_path / "t.jsonl", lines(zendesk(1)))
    with pytest.raises(TicketsError, match="busy for minutes"):
        sandbox.detect([path])


def test_the_process_ends_with_the_program_however_that_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "question,answer\n" + "Where is it?,It is over there.\n" * 400_000)
    program = subprocess.Popen(
        [sys.executable, "-c", _PREPARE, str(path), str(tmp_path / "out")],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert b"Reading" in program.stdout.readline()
    started = psutil.Process(program.pid).children(recursive=True)
    assert started
    program.kill()
    program.wait()
    until(lambda: all(has_ended(process) for process in started))
    program.stdout.close()


_PREPARE = """
import sys
from pathlib import Path
from engine.tickets import sandbox
from engine.tickets.preparing.pipeline import prepare
def say(seen):
    if seen.stage.startswith("Reading"):
        print(seen.stage, flush=True)
prepare([Path(sys.argv[1])], Path(sys.argv[2]), None, say, builder=sandbox.build)
"""


def test_a_cancelled_reading_says_so_by_itself(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        sandbox.detect([write(tmp_path / "t.jsonl", lines(zendesk(1)))], None, lambda: True)
