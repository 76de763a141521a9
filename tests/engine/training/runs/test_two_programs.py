"""Two programs and one run: who trains it, who is refused, and what of both lasts."""

import json
import os

import pytest

from engine.errors import ResourceError, RunError, StudioError
from engine.training.runs import ownership
from engine.training.runs.directory import RunDirectory
from engine.training.runs.queue import TrainingQueue
from tests.engine.training.runs.owners import OWNS, TURNS, Bases, another, no_room, program
from tests.forked import run as run_program


def test_a_run_that_another_program_trains_is_refused_with_its_name(run, owner):
    mine = RunDirectory(run.path)
    assert mine.status.state == "running"
    with pytest.raises(RunError, match=rf"'one' is running in another program \(process {owner.pid}, begun "):
        mine.update(state="queued")
    queue = TrainingQueue(Bases(lambda: pytest.fail("a run began")))
    with pytest.raises(RunError, match="another program"):
        queue.add(mine)
    with pytest.raises(RunError, match="another program"), queue.kept_out(mine):
        pytest.fail("let through")
    assert mine.status.process == owner.pid


def test_pause_and_stop_say_where_a_run_is_trained_that_is_not_trained_here(lost):
    studio, identifier = lost
    other = program(OWNS, studio.runs.get(identifier).path)
    assert other.stdout.readline() == "ready\n"
    for press in (studio.runs.pause, studio.runs.stop):
        with pytest.raises(RunError, match=rf"in another program \(process {other.pid}"):
            press(identifier)
    with pytest.raises(RunError, match="in another program"):
        studio.runs.delete(identifier)
    other.communicate("")
    for press in (studio.runs.pause, studio.runs.stop):
        with pytest.raises(RunError, match="not in progress any more"):
            press(identifier)
    with pytest.raises(StudioError, match="not here any more"):
        studio.runs.stop("gone")


def test_a_rename_does_not_make_a_program_the_owner(run, owner):
    mine = RunDirectory(run.path)
    before = mine.status
    mine.update(name="renamed")
    assert (mine.status.name, mine.status.state) == ("renamed", "running")
    assert (mine.status.process, mine.status.process_started) == (owner.pid, before.process_started)
    assert not ownership.is_ours(run.path)


def test_kill_9_gives_a_run_back_at_once(run, owner):
    mine = RunDirectory(run.path)
    owner.kill()
    owner.wait()
    assert mine.status.state == "interrupted"
    mine.update(state="queued")
    assert mine.status.process == os.getpid()


def test_a_process_id_that_is_used_again_is_not_the_owner(run):
    run.update(state="running")
    values = json.loads(run.status_file.read_text())
    run.release()
    for process, since in ((os.getppid(), -100.0), (os.getppid(), 100.0), (os.getpid(), -100.0)):
        run.status_file.write_text(
            json.dumps({**values, "process": process, "process_started": values["process_started"] + since})
        )
        assert run.status.state == "interrupted"


RENAMES = """
import sys
from pathlib import Path
from engine.training.runs.directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
print("ready", flush=True)
for turn in range(int(sys.argv[2])):
    run.update(name=f"name {turn}")
"""


def test_two_programs_that_write_one_status_lose_nothing(run):
    run.update(state="running")
    process = program(RENAMES, run.path, TURNS)
    assert process.stdout.readline() == "ready\n"
    turns = 0
    while process.poll() is None or turns % 2:
        state = "running" if turns % 2 else "paused"
        run.update(state=state)
        assert run.status.state == state
        turns += 1
    process.communicate()
    assert turns > 1
    assert (run.status.name, run.status.state) == (f"name {TURNS - 1}", "running")
    assert run.status.process == os.getpid()


def test_a_command_line_does_not_train_what_another_program_trains(run, owner):
    done = run_program("-m", "engine", "resume", run.path, "--workspace", run.path.parent / "ws")
    assert done.returncode == 1
    assert f"'one' is running in another program (process {owner.pid}" in done.stderr
    assert RunDirectory(run.path).status.process == owner.pid


def test_a_status_that_another_program_has_written_since_is_believed(run, owner, monkeypatch):
    """This program could not write its own end of the run; the other one has gone on with it."""
    owner.kill()
    owner.wait()
    mine = RunDirectory(run.path)
    mine.update(state="running")
    with monkeypatch.context() as patch:
        patch.setattr("engine.training.runs.directory.write_json", no_room)
        with pytest.raises(ResourceError):
            mine.update(state="failed", message="The disk is full.")
    assert mine.status.state == "failed"
    other = program(OWNS, run.path)
    assert other.stdout.readline() == "ready\n"
    assert (mine.status.state, mine.status.process) == ("running", other.pid)
    other.communicate("")


def test_two_programs_of_which_one_waits_for_the_others_write_say_so_in_the_end(run, monkeypatch):
    monkeypatch.setattr(ownership, "PATIENCE", 0.05)
    process = program(HOLDS, run.path)
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(ResourceError, match="Another program has been writing"):
        run.update(name="x")
    process.communicate("")
    run.update(name="x")
    assert run.status.name == "x"


HOLDS = """
import sys
from pathlib import Path
from engine.training.runs import ownership
with ownership.writing(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


LEAVES = OWNS.replace('print("ready"', 'run.release()\nprint("ready"')
CLAIMS = OWNS.replace('run.update(state="running")', "run.claim()")


def test_what_another_program_left_running_is_interrupted_for_whoever_takes_it(run):
    run.release()
    with another(LEAVES, run):
        mine = RunDirectory(run.path)
        mine.claim()
        assert mine.status.state == "interrupted"
        mine.release()


def test_a_run_that_another_program_has_just_taken_is_refused_in_words(run):
    run.release()
    with another(CLAIMS, run), pytest.raises(RunError, match="Another program is training 'one'"):
        RunDirectory(run.path).claim()
