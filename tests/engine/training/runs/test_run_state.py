"""Who may change the state of a run, and that no two do so at once: the states, and the threads of one program."""

import json
import threading
import time

import pytest

from engine.errors import ModelError, ResourceError, RunError
from engine.recipe import Recipe
from engine.training.runs import ownership
from engine.training.runs.directory import RunDirectory
from engine.training.runs.queue import TrainingQueue
from engine.training.runs.status import ACTIVE, FOLLOWS, RESUMABLE
from tests.engine.training.runs.owners import DEADLINE, TURNS, Bases, in_state, no_room
from tests.tiny import write_data

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
