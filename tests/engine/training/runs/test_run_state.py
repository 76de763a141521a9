"""Who may change the state of a run, and that no two do so at once: threads, forks and programs of their own."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import ModelError, ResourceError, RunError, StudioError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs import ownership
from engine.training.runs.directory import RunDirectory
from engine.training.runs.queue import TrainingQueue
from engine.training.runs.status import ACTIVE, FOLLOWS, RESUMABLE
from engine.workspace import Workspace
from tests.forked import run as run_program
from tests.tiny import write_data

ROOT = Path(__file__).parents[4]
DEADLINE = 120.0
TURNS = 60


class Bases:
    """In place of the holder of the base model: what it does when a run asks for one, the test says."""

    def __init__(self, ask):
        self.ask = ask

    @contextmanager
    def use(self, *args, **kwargs):
        self.ask()
        yield None


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def run(tmp_path, data):
    return RunDirectory.create_at(tmp_path / "run", Recipe(), data, "one")


def in_state(run, state):
    """Bring a run that is queued into a state."""
    for step in {"queued": (), "preparing": ("preparing",), "running": ("running",)}.get(state, ("running", state)):
        run.update(state=step)
    return run


def program(code, *words):
    """Start another program that imports the engine; it prints a line when it is ready and ends with its stdin."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


OWNS = """
import sys
from pathlib import Path
from engine.training.runs.directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
run.update(state="running")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(run):
    """Another program that trains the run."""
    run.release()
    process = program(OWNS, run.path)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


# ---- which state may follow which


@pytest.mark.parametrize("state", sorted(FOLLOWS))
@pytest.mark.parametrize("wanted", sorted(FOLLOWS))
def test_a_state_follows_another_only_where_the_table_says_so(run, state, wanted):
    in_state(run, state)
    if wanted == state or wanted in FOLLOWS[state]:
        run.update(state=wanted)
        assert run.status.state == wanted
        return
    with pytest.raises(RunError, match=f"'one' is {state}; "):
        run.update(state=wanted)
    assert run.status.state == state


def test_nothing_leads_back_from_an_end_but_resume():
    for state in ("finished", *RESUMABLE):
        assert not FOLLOWS[state] - {"queued", "running"}
    assert not FOLLOWS["finished"]
    assert not FOLLOWS["stopping"] & ACTIVE


# ---- two threads


def test_a_rename_and_a_change_of_state_at_the_same_moment_both_count(run):
    states = ["preparing", "running", *(["paused", "running"] * TURNS)]
    barrier = threading.Barrier(2)

    def rename():
        for turn in range(len(states)):
            barrier.wait(DEADLINE)
            run.update(name=f"name {turn}")

    thread = threading.Thread(target=rename)
    thread.start()
    for turn, state in enumerate(states):
        barrier.wait(DEADLINE)
        run.update(state=state)
        while run.status.name != f"name {turn}":
            assert thread.is_alive() or run.status.name == f"name {turn}"
        assert run.status.state == state
    thread.join(DEADLINE)


def test_a_rename_in_the_moment_that_a_run_ends_leaves_it_ended(run):
    run.update(state="running")
    for turn in range(TURNS):
        barrier = threading.Barrier(2)

        def rename(turn=turn, barrier=barrier):
            barrier.wait(DEADLINE)
            run.update(name=f"name {turn}")

        thread = threading.Thread(target=rename)
        thread.start()
        barrier.wait(DEADLINE)
        run.update(state="cancelled")
        thread.join(DEADLINE)
        assert (run.status.state, run.status.name) == ("cancelled", f"name {turn}")
        run.update(state="queued")


@pytest.mark.parametrize("error", [ModelError("There is no such model."), ZeroDivisionError(), None], ids=repr)
def test_stop_at_the_end_of_a_run_never_unmakes_the_end(error, tmp_path, data):
    """The base fails at once, or there is none, and Stop is pressed all the while."""

    def gone():
        if error:
            raise error

    queue = TrainingQueue(Bases(gone))
    stopped = 0
    for turn in range(20):
        run = RunDirectory.create_at(tmp_path / str(turn), Recipe(), data, str(turn))
        queue.add(run)
        try:
            while True:
                queue.stop(run.id)
                stopped += 1
        except RunError as error:
            assert "not in progress any more" in str(error)
        assert queue.wait(run.id, DEADLINE)
        assert run.status.state in {"failed", "cancelled"}
        assert RunDirectory(run.path).status == run.status
    assert stopped


# ---- a run that nobody works on


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_a_run_that_this_program_has_lost_sight_of_reads_interrupted(run, state):
    in_state(run, state)
    assert RunDirectory(run.path).status.state == state
    run.release()
    assert run.status.state == "interrupted"
    assert "ended before the run did" in run.status.message


@pytest.fixture
def lost(tmp_path, data):
    """A studio whose queue does not know of a run that is 'running' by its own process."""
    studio = Studio(Workspace(tmp_path / "workspace"))
    made = RunDirectory.create(studio.workspace, Recipe(model=str(tmp_path / "no model")), data, "lost")
    in_state(made, "running").release()
    yield studio, made.id
    studio.close()


def test_a_lost_run_can_be_resumed_without_a_restart(lost):
    studio, identifier = lost
    assert studio.runs.info(identifier).resumable
    studio.runs.resume(identifier)
    assert studio.runs.queue.wait(identifier, DEADLINE)
    assert studio.runs.info(identifier).status.state == "failed"  # it began; its model is no model


def test_a_lost_run_can_be_deleted_without_a_restart(lost):
    studio, identifier = lost
    studio.runs.delete(identifier)
    assert studio.runs.all() == []


def test_a_renamed_lost_run_is_written_down_as_interrupted(lost):
    studio, identifier = lost
    studio.runs.rename(identifier, "found")
    assert '"interrupted"' in studio.runs.get(identifier).status_file.read_text()


def test_a_run_can_be_resumed_though_a_claim_on_it_was_left_behind(lost):
    studio, identifier = lost
    studio.runs.get(identifier).update(state="queued")
    assert ownership.is_ours(studio.runs.get(identifier).path)
    studio.runs.resume(identifier)
    assert studio.runs.queue.wait(identifier, DEADLINE)


def test_a_thread_that_is_told_to_end_the_program_leaves_a_run_that_goes_on_later(tmp_path, data):
    def leave():
        raise SystemExit(3)

    queue = TrainingQueue(Bases(leave))
    runs = [RunDirectory.create_at(tmp_path / name, Recipe(), data, name) for name in ("a", "b")]
    for run in runs:
        queue.add(run)
    for run in runs:
        assert queue.wait(run.id, DEADLINE)
        assert run.status.state == "failed"
        assert not ownership.is_ours(run.path)


def test_a_program_that_is_being_closed_takes_no_run(tmp_path, data):
    queue = TrainingQueue(Bases(lambda: pytest.fail("a run began")))
    queue.close()
    run = RunDirectory.create_at(tmp_path / "run", Recipe(), data, "late")
    with pytest.raises(RunError, match="being closed"):
        queue.add(run)


def test_whoever_waits_for_a_run_is_told_when_it_leaves_the_queue(tmp_path, data):
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(DEADLINE)
        raise ModelError("gone", "")

    queue = TrainingQueue(Bases(hold))
    first, second = (RunDirectory.create_at(tmp_path / name, Recipe(), data, name) for name in ("a", "b"))
    queue.add(first)
    queue.add(second)
    assert begun.wait(DEADLINE)
    told = threading.Event()
    waiter = threading.Thread(target=lambda: queue.wait("b", DEADLINE) and told.set())
    waiter.start()
    queue.stop("b")
    assert told.wait(DEADLINE)
    go_on.set()
    assert queue.wait("a", DEADLINE)
    waiter.join(DEADLINE)


def test_a_run_is_not_moved_away_while_it_trains(tmp_path, data):
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(DEADLINE)
        raise ModelError("gone", "")

    queue = TrainingQueue(Bases(hold))
    run = RunDirectory.create_at(tmp_path / "run", Recipe(), data, "one")
    queue.add(run)
    assert begun.wait(DEADLINE)
    with pytest.raises(RunError, match="in progress"), queue.kept_out(run):
        pytest.fail("let through")
    go_on.set()
    assert queue.wait(run.id, DEADLINE)
    with pytest.raises(ZeroDivisionError), queue.kept_out(run):
        assert ownership.is_ours(run.path)
        raise ZeroDivisionError
    assert not ownership.is_ours(run.path), "whatever went wrong while it was moved"


def test_a_run_that_was_moved_away_cannot_be_begun(run):
    queue = TrainingQueue(Bases(lambda: pytest.fail("a run began")))
    run.release()
    run.path.rename(run.path.with_name("elsewhere"))
    with pytest.raises(RunError, match="not here any more"):
        queue.add(run)
    with pytest.raises(RunError, match="not here any more"):
        run.update(name="back")
    assert not run.path.exists()


# ---- two programs


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


def no_room(*_, **__):
    raise ResourceError("The disk is full.", "Free some space.")


def test_a_rename_that_fails_does_not_give_up_a_run_that_another_thread_has_just_begun(run, monkeypatch):
    run.release()
    begun = RunDirectory(run.path)

    def full(*_):
        begun.claim()
        raise ResourceError("The disk is full.", "Free some space.")

    monkeypatch.setattr("engine.training.runs.directory.write_json", full)
    with pytest.raises(ResourceError):
        run.update(name="x")
    assert ownership.is_ours(run.path)


@pytest.mark.parametrize("name", [ownership.WRITING, ownership.OWNER])
def test_a_folder_in_the_place_of_a_lock_is_put_out_of_the_way(name, run):
    run.release()
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).mkdir()
    (run.path / name / "something").touch()
    run.update(state="queued", name="x")
    assert (run.status.name, run.status.state) == ("x", "queued")


def test_a_run_can_be_deleted_where_there_is_no_room_for_a_lock(lost):
    studio, identifier = lost
    (studio.runs.get(identifier).path / ownership.OWNER).unlink()
    (studio.runs.get(identifier).path / ownership.OWNER).symlink_to("nowhere/at/all")
    with pytest.raises(ResourceError):
        studio.runs.get(identifier).claim()
    studio.runs.delete(identifier)
    assert studio.runs.all() == []


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


def test_a_lost_claim_is_given_back(tmp_path, data):
    made = RunDirectory.create_at(tmp_path / "run", Recipe(), data, "one")
    path = made.path
    assert ownership.is_ours(path)
    del made
    end = time.monotonic() + DEADLINE
    while ownership.is_ours(path) and time.monotonic() < end:
        time.sleep(0.01)
    assert RunDirectory(path).status.state == "interrupted"


def test_who_has_started_a_run_is_kept_and_unknown_of_older_ones(tmp_path):
    data = write_data(tmp_path / "data")
    run = RunDirectory(tmp_path / "run")
    run.fill(Recipe(), data, "Spring", started_by="anna")
    run.update(name="Summer")
    assert RunDirectory(tmp_path / "run").status.started_by == "anna"
    values = json.loads(run.status_file.read_text())
    del values["started_by"]
    run.status_file.write_text(json.dumps(values))
    assert RunDirectory(tmp_path / "run").status.started_by == ""


# ---- what is written and what is owned


LEAVES = OWNS.replace('print("ready"', 'run.release()\nprint("ready"')
CLAIMS = OWNS.replace('run.update(state="running")', "run.claim()")


@contextmanager
def another(code, run):
    """Another program that does something to a run, and lives on."""
    process = program(code, run.path)
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.communicate("")


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


def test_whoever_trains_a_run_is_not_elsewhere(run):
    run.update(state="running")
    run.check_not_elsewhere()


def test_an_end_that_could_not_be_written_is_forgotten_with_the_status_file(run, monkeypatch):
    run.update(state="running")
    with monkeypatch.context() as patch:
        patch.setattr("engine.training.runs.directory.write_json", no_room)
        with pytest.raises(ResourceError):
            run.update(state="failed")
    assert run.status.state == "failed"
    run.status_file.unlink()
    assert "has been rebuilt" in run.status.message


def test_a_beginning_that_could_not_be_written_leaves_the_run_to_others(run, monkeypatch):
    run.release()
    with monkeypatch.context() as patch:
        patch.setattr("engine.training.runs.directory.write_json", no_room)
        with pytest.raises(ResourceError):
            run.update(state="queued")
    assert not ownership.is_ours(run.path)
