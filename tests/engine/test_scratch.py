"""What is being made lies in scratch folders; a program that is killed leaves nothing of a person's tickets in them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.scratch import outside, scratch, sweep
from engine.studio import Studio
from engine.task import Task
from engine.workspace import Workspace
from tests.engine.tickets.exports import lines, write, zendesk

CANARY = "Quetzalcoatlus"
"""A word of the export, which is looked for in every file of the workspace."""

_KILLED = """
import os, signal, sys
from pathlib import Path
from engine import task
from engine.studio import Studio
from engine.workspace import Workspace

what, export, stage, root = sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
studio, report = Studio(Workspace(root)), task.Task.report

def last(self, told, fraction=None):
    if told.startswith(stage):
        os.kill(os.getpid(), signal.SIGKILL)
    report(self, told, fraction)

if what == "again":
    made = studio.tickets.prepare_sample().wait(60)
    task.Task.report = last
    studio.tickets.prepare_again(made, files=[export]).wait(60)
else:
    task.Task.report = last
    studio.tickets.prepare([export], "Shop").wait(60)
"""


def export_of(folder: Path) -> Path:
    tickets = [zendesk(number, requester_id=number, subject=f"{CANARY} {number}") for number in range(1, 30)]
    return write(folder / "export.jsonl", lines(*tickets))


def holds_canary(root: Path) -> list[Path]:
    found = []
    for path in root.rglob("*"):
        try:
            if path.is_file() and (CANARY.encode() in path.read_bytes() or CANARY in path.name):
                found.append(path)
        except FileNotFoundError:
            continue  # a process that is ending
    return found


def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.05)


def killed_while(what: str, stage: str, folder: Path) -> Path:
    """Run a program of its own that is killed as it comes to a stage; return its workspace."""
    root = folder / "workspace"
    code = [sys.executable, "-c", _KILLED, what, str(export_of(folder)), stage, str(root)]
    done = subprocess.run(code, cwd=Path(__file__).parents[2], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return root


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a matter of POSIX")
@pytest.mark.parametrize(
    ("what", "stage"),
    [
        ("new", "Keeping a private copy"),
        ("new", "Looking into the files"),
        ("new", "Looking for duplicates"),
        ("new", "Writing the data set"),
        ("new", "Judging the quality"),
        ("again", "Keeping a private copy"),
        ("again", "Judging the quality"),
    ],
)
def test_the_next_start_sweeps_what_a_killed_import_has_left(what: str, stage: str, tmp_path: Path) -> None:
    root = killed_while(what, stage, tmp_path)
    assert holds_canary(root)
    # The process that was reading sees that its program is gone, and ends; only then is the folder its own no more.
    until(lambda: Studio(Workspace(root)) and not holds_canary(root))
    studio = Studio(Workspace(root))
    assert studio.damaged() == []
    assert [seen.name for seen in studio.tickets.all()] == (["Sample shop"] if what == "again" else [])
    hidden = [path for path in root.rglob(".*") if path.is_dir()]
    assert hidden == []


def test_a_sweep_leaves_alone_what_a_living_process_is_making(tmp_path: Path) -> None:
    with scratch(tmp_path, "import") as mine:
        (mine / "file").write_text("x")
        sweep([tmp_path])
        assert (mine / "file").exists()
        assert mine.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_a_recycled_process_id_does_not_keep_a_folder(tmp_path: Path) -> None:
    with scratch(tmp_path, "import") as mine:
        began = mine.name.split("-")[1]
        for name in (mine.name.replace(began, f"1{began}"), f".import.{1 << 30}-1.00.x.scratch"):
            (tmp_path / name).mkdir()
        (tmp_path / f".edits.json.{1 << 30}.{time.time_ns()}").write_text("x")
        (tmp_path / f".edits.json.{os.getpid()}.1000000000000000000").write_text("x")
        writing = tmp_path / f".edits.json.{os.getpid()}.{time.time_ns()}"
        writing.write_text("x")
        sweep([tmp_path])
        assert sorted(tmp_path.iterdir()) == sorted([mine, writing])


def test_what_an_earlier_version_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    old, new, own = tmp_path / ".sources", tmp_path / ".shop.abc.partial", tmp_path / ".vimrc"
    for path in (old, new, own):
        path.mkdir()
    for path in (old, own):
        os.utime(path, (1, 1))
    sweep([tmp_path])
    assert sorted(tmp_path.iterdir()) == sorted([new, own])


def test_a_person_is_told_of_the_folder_around_a_scratch_folder(tmp_path: Path) -> None:
    assert outside(tmp_path / ".import.1-1.00.x.scratch" / "data set" / "report.json") == tmp_path
    assert outside(tmp_path / "out") == tmp_path / "out"


def test_an_import_in_progress_is_in_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, report, stages = Studio(Workspace(tmp_path / "workspace")), Task.report, []

    def looked(task: Task[object], stage: str, fraction: float | None = None) -> None:
        assert not studio.tickets.all() and not studio.damaged(), stage
        stages.append(stage)
        report(task, stage, fraction)

    monkeypatch.setattr(Task, "report", looked)
    studio.tickets.prepare([export_of(tmp_path)], "Shop").wait(60)
    assert len(set(stages)) > 1
    assert [known.name for known in studio.tickets.all()] == ["Shop"]
    assert studio.damaged() == []
