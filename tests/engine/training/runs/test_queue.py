"""What the training queue does when several ask at once, and when things end at an awkward moment; trains nothing."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.base_holder import ANSWER_UNDER_WAY, BaseHolder
from engine.errors import LostGpuError, RunError
from engine.recipe import Recipe
from engine.training.distributed import launcher
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Paused, Record, to_line
from engine.training.runs.queue import TrainingQueue
from tests.engine.training.distributed.test_launcher import STARTED
from tests.engine.training.runs.owners import Bases
from tests.engine.training.runs.test_queue_process import until
from tests.tiny import write_data

DEADLINE = 60.0


class SlowRun(RunDirectory):
    """A run on a disk that takes its time to write a state: one of them, or any."""

    slow_at = ""

    def __init__(self, path):
        super().__init__(path)
        self.writes, self.goes_on = threading.Event(), threading.Event()

    def update(self, **changes):
        if changes.get("state") == self.slow_at or not self.slow_at:
            self.writes.set()
            assert self.goes_on.wait(DEADLINE)
        return super().update(**changes)


class Held:
    """Runs that come to their base, and wait there to be let go on."""

    def __init__(self):
        self.begun, self.goes_on, self.ends = [], threading.Semaphore(0), threading.Event()
        self.queue = TrainingQueue(Bases(self._hold))

    def _hold(self):
        self.begun.append(self.queue.current().run)
        while not self.goes_on.acquire(timeout=0.01):
            if self.ends.is_set():
                return

    def begins(self, run):
        until(lambda: run.id in self.begun, f"{run.id} begins")


@pytest.fixture
def aside():
    """Call something in another thread; gives its future."""
    with ThreadPoolExecutor() as threads:
        yield threads.submit


@pytest.fixture
def held(aside):
    made = Held()
    yield made
    made.ends.set()
    made.queue.close()


@pytest.fixture
def make(tmp_path, aside):
    """Make a run; at the end, none keeps a thread waiting."""
    data, made = write_data(tmp_path / "data"), []

    def making(name, kind=RunDirectory):
        made.append(kind(RunDirectory.create_at(tmp_path / name, Recipe(), data, name).path))
        return made[-1]

    yield making
    for run in made:
        if isinstance(run, SlowRun):
            run.goes_on.set()


def outcome(ask):
    """What a call gives, or the sentence of its error."""
    try:
        return ask()
    except RunError as error:
        return str(error)


def moved(queue, run):
    with queue.kept_out(run):
        return "moved away"


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda queue, run: queue.knows(run.id), True),
        (lambda queue, run: queue.waiting(), ("b",)),
        (lambda queue, run: queue.pause(run.id), None),
        (lambda queue, run: queue.stop(run.id), None),
        (lambda queue, run: queue.add(run), "'b' is in progress already."),
        (moved, "'b' is in progress. Stop it first."),
    ],
    ids=["knows", "waiting", "pause", "stop", "add", "kept out"],
)
def test_whoever_asks_about_a_run_that_is_being_queued_is_answered_when_it_is(ask, answer, held, make, aside):
    first, slow = make("a"), make("b", SlowRun)
    held.queue.add(first)
    added = aside(held.queue.add, slow)
    assert slow.writes.wait(DEADLINE)
    asked = aside(outcome, lambda: ask(held.queue, slow))
    with pytest.raises(TimeoutError):
        asked.result(0.1)
    slow.goes_on.set()
    added.result(DEADLINE)
    assert asked.result(DEADLINE) == answer


def test_the_first_run_is_seen_as_soon_as_it_is_queued(held, make, aside):
    slow = make("a", SlowRun)
    added = aside(held.queue.add, slow)
    assert slow.writes.wait(DEADLINE)
    asked = aside(held.queue.current)
    slow.goes_on.set()
    added.result(DEADLINE)
    assert asked.result(DEADLINE).run == "a"


def test_a_run_that_is_queued_while_the_program_closes_does_not_begin(held, make, aside):
    slow = make("a", SlowRun)
    added = aside(held.queue.add, slow)
    assert slow.writes.wait(DEADLINE)
    closed = aside(held.queue.close, DEADLINE)
    with pytest.raises(TimeoutError):
        closed.result(0.1)
    slow.goes_on.set()
    added.result(DEADLINE)
    held.ends.set()
    closed.result(DEADLINE)
    assert slow.status.state == "interrupted"
    assert "closed" in slow.status.message


def test_runs_that_are_queued_at_once_train_one_at_a_time(held, make):
    together, runs = threading.Barrier(4), [make(f"run{number}") for number in range(12)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def add(some):
        together.wait(DEADLINE)
        for run in some:
            held.queue.add(run)

    try:
        with ThreadPoolExecutor() as threads:
            for added in [threads.submit(add, runs[start::4]) for start in range(4)]:
                added.result(DEADLINE)
        names = [run.id for run in runs]
        order = [held.queue.current().run, *held.queue.waiting()]
        for count, name in enumerate(order, 1):
            until(lambda name=name: name in held.begun, f"{name} begins")
            assert held.begun == order[:count]
            held.queue.stop(name)
            held.goes_on.release()
        assert sorted(order) == sorted(names)
        assert all(held.queue.wait(name, DEADLINE) for name in names)
    finally:
        sys.setswitchinterval(before)
    assert {run.status.state for run in runs} == {"cancelled"}


def test_what_a_run_says_after_stop_changes_nothing(held, make):
    run = make("a")
    held.queue.add(run)
    held.begins(run)
    held.queue.stop(run.id)
    seen = held.queue.current()
    assert (seen.state, run.status.state) == ("stopping", "stopping")
    with pytest.raises(RunError, match="'a' is being stopped"):
        held.queue.unpause(run.id)
    held.goes_on.release()
    assert held.queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"
    for ask in (held.queue.pause, held.queue.unpause, held.queue.stop):
        with pytest.raises(RunError, match="not in progress any more"):
            ask(run.id)


def test_stop_comes_after_a_state_that_is_being_written(held, make, aside):
    run = make("a", SlowRun)
    run.slow_at = "preparing"
    held.queue.add(run)
    assert run.writes.wait(DEADLINE)
    stopped = aside(held.queue.stop, run.id)
    with pytest.raises(TimeoutError):
        stopped.result(0.1)
    run.goes_on.set()
    stopped.result(DEADLINE)
    held.begins(run)
    assert (held.queue.current().state, run.status.state) == ("stopping", "stopping")


def test_a_run_ends_after_a_stop_that_is_being_written(held, make, aside):
    run = make("a", SlowRun)
    run.slow_at = "stopping"
    held.queue.add(run)
    held.begins(run)
    stopped = aside(held.queue.stop, run.id)
    assert run.writes.wait(DEADLINE)
    held.goes_on.release()
    assert not held.queue.wait(run.id, 0.1)
    run.goes_on.set()
    stopped.result(DEADLINE)
    assert held.queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"


def test_a_run_that_was_moved_away_by_hand_does_not_keep_others_from_being_stopped(held, make):
    first, second = make("a"), make("b")
    for run in (first, second):
        held.queue.add(run)
    held.begins(first)
    second.path.rename(second.path.with_name("elsewhere"))
    held.ends.set()
    held.queue.close(DEADLINE)
    assert first.status.state == "interrupted"
    assert not held.queue.knows("a")


def test_runs_behind_a_lost_gpu_are_told_though_one_of_them_was_moved_away(make):
    begun = threading.Event()

    def lose():
        begun.wait(DEADLINE)
        raise LostGpuError("The GPU stopped answering.", "Restart the program, then press Resume.")

    queue = TrainingQueue(Bases(lose))
    first, second, third = (make(name) for name in "abc")
    for run in (first, second, third):
        queue.add(run)
    third.path.rename(third.path.with_name("elsewhere"))
    begun.set()
    assert all(queue.wait(run.id, DEADLINE) for run in (first, second, third))
    assert [run.status.state for run in (first, second)] == ["failed", "interrupted"]
    assert "Restart" in second.status.message
    with pytest.raises(LostGpuError, match="stopped answering"):
        queue.add(first)


# ---- runs in processes of their own

PROCESS = """
import json, sys, time
from pathlib import Path
run, started, paused, going = Path(sys.argv[1]), *sys.argv[2:]
def tell(line):
    with (run / "events.jsonl").open("a") as file:
        file.write(line)
def wished(name):
    try:
        return json.loads((run / "control.json").read_text())[name]
    except (OSError, ValueError):
        return False
tell(started)
held = False
while not wished("stopped"):
    if wished("paused") != held:
        held = not held
        tell(paused if held else going)
    time.sleep(0.01)
"""


@pytest.fixture
def many(tmp_path, tiny_model):
    recipe = Recipe(model=str(tiny_model), batch_size=2, accumulation=1, gpus=2)
    return RunDirectory.create_at(tmp_path / "many", recipe, write_data(tmp_path / "tickets"), "many")


def test_a_run_in_processes_of_its_own_is_paused_and_stopped(many, monkeypatch):
    events = (STARTED, Paused(on=True), Paused(on=False))
    lines = [to_line(Record(1.0, event)) for event in events]
    monkeypatch.setattr(launcher, "command", lambda *_: [sys.executable, "-c", PROCESS, str(many.path), *lines])
    queue = TrainingQueue(BaseHolder(many.path.parent), many.path.parent)
    queue.add(many)
    for press, state in ((None, "running"), (queue.pause, "paused"), (queue.unpause, "running")):
        if press:
            press(many.id)
        until(lambda state=state: queue.current().state == state, state)
        assert many.status.state == state
    queue.stop(many.id)
    assert queue.wait(many.id, DEADLINE)
    assert many.status.state == "cancelled"
    assert [note.text for _, note in many.history.read().notes if "share the run" in note.text]


def test_a_run_in_processes_of_its_own_is_stopped_while_it_waits_for_room(many, tiny_model, tiny_base):
    bases = BaseHolder(many.path.parent)
    queue = TrainingQueue(bases, many.path.parent)
    with bases.use(Recipe(model=str(tiny_model))) as base:
        queue.add(many)
        until(lambda: queue.current().stage == ANSWER_UNDER_WAY, "it waits")
        queue.stop(many.id)
        assert queue.wait(many.id, DEADLINE)
        assert base.model is not None
    assert many.status.state == "cancelled"
    assert not many.events_file.exists(), "no process was started"
    bases.close()
