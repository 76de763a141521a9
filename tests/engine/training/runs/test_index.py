"""The list of runs: right whoever writes, and no work where nothing is new."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.training.runs import changes
from engine.training.runs import index as indexes
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, Record, Started, Stepped, to_line
from engine.training.runs.history_reader import HistoryReader
from engine.training.runs.index import RunIndex
from engine.workspace import Workspace
from tests.tiny import write_data

ROOT = Path(__file__).parents[4]
DEADLINE = 60.0


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def index(workspace, monkeypatch):
    """An index that looks at other programs' doings each time."""
    monkeypatch.setattr(indexes, "EVERY", 0.0)
    monkeypatch.setattr(indexes, "SHARE", 0)
    known = {}
    return RunIndex(
        workspace.runs, lambda name: known.setdefault(name, RunDirectory(workspace.child(workspace.runs, name)))
    )


def new_run(workspace, data, name="one"):
    run = RunDirectory.create(workspace, Recipe(), data, name)
    run.update(state="running")
    return run


def finished(workspace, data, name="one"):
    run = new_run(workspace, data, name)
    run.emit(Started(1, 2, 9, 0, 5, 1, "CPU"))
    run.emit(Evaluated(0, 3.0))
    run.emit(Stepped(1, 0.1, 2.0, 1e-4, 1.0, 10.0, 1.0, 1.0))
    run.emit(Evaluated(1, 2.0))
    run.update(state="finished")
    return run


def elsewhere(code, *words):
    """Let another program do something."""
    head = "import sys\nfrom pathlib import Path\nfrom engine.training.runs.directory import RunDirectory\n"
    command = [sys.executable, "-c", head + code, *map(str, words)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=DEADLINE)


def test_nothing_is_made_anew_where_nothing_is_new(index, workspace, data):
    finished(workspace, data)
    first = index.listing()
    assert index.listing() is first
    new_run(workspace, data, "two")
    second = index.listing()
    assert second.revision > first.revision
    assert second.runs[-1] is first.runs[-1] or second.runs[0] is first.runs[0]


def test_a_look_costs_no_file_of_a_run_that_has_ended(index, workspace, data, monkeypatch):
    for name in "abc":
        finished(workspace, data, name)
    index.listing()
    monkeypatch.setattr(indexes, "EVERY", 1000.0)
    index.listing()
    monkeypatch.setattr(indexes, "_signature", lambda folder: pytest.fail(f"{folder} was looked at"))
    monkeypatch.setattr(RunDirectory, "status", property(lambda self: pytest.fail("a status was read")))
    assert len(index.listing().runs) == 3


def test_what_this_program_writes_is_seen_at_once_though_nobody_looks_at_files(index, workspace, data, monkeypatch):
    monkeypatch.setattr(indexes, "EVERY", 1000.0)
    run = new_run(workspace, data)
    assert [info.status.state for info in index.listing().runs] == ["running"]
    for state in ("paused", "running", "cancelled", "queued", "interrupted"):
        run.update(state=state)
        assert [info.status.state for info in index.listing().runs] == [state]
    run.update(name="renamed")
    assert index.listing().runs[0].status.name == "renamed"
    other = new_run(workspace, data, "other")
    assert len(index.listing().runs) == 2
    other.release()
    assert {info.status.state for info in index.listing().runs} == {"interrupted"}


def test_runs_that_come_and_go_are_seen_at_once_though_nobody_looks_at_their_files(index, workspace, data, monkeypatch):
    monkeypatch.setattr(indexes, "EVERY", 1000.0)
    run = finished(workspace, data)
    index.listing()
    shutil.copytree(run.path, workspace.runs / "a copy")
    assert {info.id for info in index.listing().runs} == {run.id, "a copy"}
    shutil.rmtree(run.path)
    assert {info.id for info in index.listing().runs} == {"a copy"}


def test_more_changes_than_are_kept_in_mind_are_seen_too(index, workspace, data, monkeypatch, tmp_path):
    monkeypatch.setattr(indexes, "EVERY", 1000.0)
    run = finished(workspace, data)
    index.listing()
    run.update(name="renamed")
    for _ in range(changes.REMEMBERED):
        changes.note_change(tmp_path / "elsewhere")
    assert index.listing().runs[0].status.name == "renamed"


def test_what_this_program_has_written_is_read_though_the_files_look_as_before(index, workspace, data, monkeypatch):
    """Two writes in one tick of the file system's clock."""
    monkeypatch.setattr(indexes, "EVERY", 1000.0)
    monkeypatch.setattr(indexes, "_signature", lambda folder: ())
    run = finished(workspace, data)
    index.listing()
    run.update(name="renamed")
    assert index.listing().runs[0].status.name == "renamed"


def test_a_run_can_be_resumed_that_has_ended_early_and_whose_recipe_is_whole(index, workspace, data):
    run = finished(workspace, data)
    assert not index.listing().runs[0].resumable
    early = new_run(workspace, data, "early")
    early.update(state="cancelled")
    assert {info.id: info.resumable for info in index.listing().runs} == {run.id: False, early.id: True}
    (early.path / "recipe.json").write_text("[]")
    assert not any(info.resumable for info in index.listing().runs)


def test_steps_of_a_run_in_progress_are_new_without_a_new_revision_and_checks_are_with_one(index, workspace, data):
    run = new_run(workspace, data)
    before = index.listing()
    run.emit(Stepped(1, 0.1, 2.0, 1e-4, 1.0, 10.0, 1.0, 1.0))
    after = index.listing()
    assert after.runs[0].history.last.step == 1
    assert after.revision == before.revision
    run.emit(Evaluated(1, 2.0))
    assert index.listing().revision > after.revision


def test_what_another_program_does_is_seen(index, workspace, data):
    run = finished(workspace, data)
    listed = index.listing()
    elsewhere("RunDirectory(Path(sys.argv[1])).update(name='renamed')", run.path)
    renamed = index.listing()
    assert renamed.runs[0].status.name == "renamed"
    assert renamed.revision > listed.revision
    (run.path / "recipe.json").write_text("{}}")
    assert index.listing().runs[0].recipe is None
    run.checkpoint(7).mkdir()
    for name in ("trainer_state.json", "adapter_model.safetensors"):
        (run.checkpoint(7) / name).write_text("{}")
    assert index.listing().runs[0].checkpoint == 7
    shutil.move(run.path, workspace.root / "away")
    assert index.listing().runs == ()
    shutil.move(workspace.root / "away", run.path)
    assert len(index.listing().runs) == 1


TRAINS = """
run = RunDirectory(Path(sys.argv[1]))
run.update(state="running")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_run_whose_program_is_killed_reads_interrupted_though_no_file_changes(index, workspace, data, monkeypatch):
    run = new_run(workspace, data)
    run.release()
    head = "import sys\nfrom pathlib import Path\nfrom engine.training.runs.directory import RunDirectory\n"
    command = [sys.executable, "-c", head + TRAINS, str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert index.listing().runs[0].status.state == "running"
        monkeypatch.setattr(indexes, "EVERY", 1000.0)
        index.listing()
        process.kill()
        process.wait()
        assert index.listing().runs[0].status.state == "interrupted"


def test_runs_that_come_and_go_while_many_look(index, workspace, data):
    stop, wrong = threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                for info in index.listing().runs:
                    _ = info.outline, info.history.steps
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        run = finished(workspace, data, f"run {turn}")
        assert run.id in {info.id for info in index.listing().runs}
        if turn % 2:
            shutil.rmtree(run.path)
            assert run.id not in {info.id for info in index.listing().runs}
    stop.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert wrong == []
    assert len(index.listing().runs) == 6


def test_a_missing_folder_is_an_empty_list(index, workspace, data):
    finished(workspace, data)
    index.listing()
    shutil.rmtree(workspace.runs)
    assert index.listing().runs == ()


def test_events_that_take_seconds_are_read_in_the_background(index, workspace, data, monkeypatch):
    run = finished(workspace, data)
    (run.path / "curve.cache").unlink()
    steps = [Stepped(step, 0.1, 2.0, 1e-4, 1.0, 10.0, 1.0, 1.0) for step in range(2, 300)]
    with run.events_file.open("a") as out:
        out.writelines(to_line(Record(0.0, step)) for step in steps)
    monkeypatch.setattr(indexes, "LONG", 1000)
    go_on, done = threading.Event(), threading.Event()
    real = HistoryReader.keep

    def slow(reader):
        go_on.wait(DEADLINE)
        real(reader)
        done.set()

    monkeypatch.setattr(HistoryReader, "keep", slow)
    assert index.listing().runs[0].history.last is None
    run.update(name="renamed")
    assert index.listing().runs[0].history.last is None
    [thread] = [thread for thread in threading.enumerate() if thread.name == "reading events"]
    go_on.set()
    assert done.wait(DEADLINE)
    thread.join(DEADLINE)
    assert index.listing().runs[0].history.last.step == 299


def test_a_file_among_the_runs_is_no_run(index, workspace):
    (workspace.runs / "stray.txt").write_text("x")
    assert index.listing().runs == ()
    os.mkdir(workspace.runs / "empty")  # noqa: PTH102
    assert [info.status.state for info in index.listing().runs] == ["interrupted"]


def test_a_workspaces_mark_changes_with_what_is_in_it(workspace):
    marks = [workspace.mark(workspace.adapters, "about.json")]
    entry = workspace.adapters / "one"
    entry.mkdir()
    marks.append(workspace.mark(workspace.adapters, "about.json"))
    (entry / "about.json").write_text(json.dumps({"name": "a"}))
    marks.append(workspace.mark(workspace.adapters, "about.json"))
    (entry / "about.json").write_text(json.dumps({"name": "longer"}))
    marks.append(workspace.mark(workspace.adapters, "about.json"))
    assert len(set(marks)) == 4
    assert workspace.mark(workspace.adapters, "about.json") == marks[-1]
    (workspace.recipes / "x.json").write_text("{}")
    before = workspace.mark(workspace.recipes)
    (workspace.recipes / "x.json").write_text("{ }")
    assert workspace.mark(workspace.recipes) != before


def test_asking_for_a_run_that_is_gone_is_said_in_words(tmp_path):
    from engine.studio import Studio

    with pytest.raises(StudioError, match="not here any more"):
        Studio(Workspace(tmp_path)).runs.info("gone")
