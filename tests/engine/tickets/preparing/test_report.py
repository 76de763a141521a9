"""A report is read while the files of its data set are exchanged."""

import threading
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.preparing.report import EXCHANGING, Report, exchanging
from tests.engine.tickets.exports import lines, write, zendesk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export = write(tmp_path / "export.ndjson", lines(*(zendesk(number, requester_id=number) for number in range(1, 9))))
    prepare([export], tmp_path / "data")
    return tmp_path / "data"


def test_whoever_reads_while_files_are_exchanged_waits_for_the_report(folder: Path) -> None:
    wanted, found = Report.load(folder), []
    begun = threading.Event()

    def read() -> None:
        begun.set()
        found.append(Report.load(folder))

    with exchanging(folder):
        aside = (folder / "report.json").rename(folder / "aside")
        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(60)
        reader.join(0.05)
        assert reader.is_alive(), "nothing to read is no report"
        aside.rename(folder / "report.json")
    reader.join(60)
    assert found == [wanted]
    assert not (folder / EXCHANGING).exists()


def test_what_a_kill_left_makes_nobody_wait(folder: Path) -> None:
    import os

    (folder / "report.json").unlink()
    (folder / EXCHANGING).touch()
    os.utime(folder / EXCHANGING, (1.0, 1.0))
    with pytest.raises(TicketsError, match="not a complete data set"):
        Report.load(folder)
