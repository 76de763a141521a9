"""Two processes that train one run give what one process gives; see two_ranks.py for the cases."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.training.distributed import process_group
from engine.training.distributed.control import ControlRequest, write_control
from engine.training.distributed.worker import StepControl
from engine.training.runs.events import Paused
from tests.forked import run
from tests.processes import has_ended

ROOT = Path(__file__).parents[4]
DEADLINE = 60.0


@pytest.fixture(scope="module")
def told():
    """What every case told."""
    seen = run("-m", "tests.engine.training.distributed.two_ranks", timeout=280)
    assert seen.returncode == 0, seen.stderr[-5000:]
    return json.loads(seen.stdout.splitlines()[-1])


def same(found, wanted, rel=1e-4):
    """The curve of one run is that of another."""
    assert len(wanted["losses"]) == 8
    for what in ("losses", "norms", "heldout"):
        assert found[what] == pytest.approx(wanted[what], rel=rel), what


def test_two_processes_have_the_losses_gradients_and_checks_of_one(told):
    same(told["two"], told["one"])
    assert told["two"]["codes"] == [0, 0]
    assert told["two"]["kept"] == told["one"]["kept"]
    assert told["two"]["checkpoints"] == told["one"]["checkpoints"]
    assert told["two"]["files"] == told["one"]["files"]
    assert told["two"]["random_states"] == 2
    assert any("2 x 1 conversations a step on each of 2 processes" in note for note in told["two"]["notes"])


def test_packed_rows_and_recomputed_layers_are_shared_out_alike(told):
    same(told["two packed"], told["one packed"])
    assert any("recomputed layers" in note for note in told["two packed"]["notes"])


def test_two_killed_processes_go_on_with_the_very_losses(told):
    assert told["two killed"]["losses"] == told["two forgetting"]["losses"]
    assert told["two killed"]["heldout"] == told["two forgetting"]["heldout"]
    assert told["two forgetting"]["losses"] != told["two"]["losses"], "nothing was forgotten at random"


def test_two_processes_whose_layers_come_from_files_of_their_own_go_on_after_a_kill_with_the_losses_of_one(told):
    seen = told["streamed killed"]
    same(seen, told["one"])
    assert seen["streamed"] == 2
    assert seen["files"] == told["one"]["files"]
    assert any("Memory: streamed" in note for note in seen["notes"])
    assert any("layers are read from disk" in note for note in seen["notes"])


def test_a_base_that_fits_one_device_alone_is_refused_in_words_before_the_first_step(told):
    seen = told["one too small"]
    assert seen["codes"] == [1, 1]
    assert "fits on 1 of 2 GPUs only" in seen["failure"]["message"]
    assert not seen["losses"]


def test_all_processes_halt_when_one_has_no_number(told):
    first = told["no number first"]
    assert first["codes"] == [1, 1]
    assert first["state"] == "failed"
    assert "no longer a number at step 6" in first["failure"]["message"]
    assert first["checkpoints"] == [2, 4]
    assert sum("no longer a number" in note for note in first["notes"]) == 1


def test_one_process_goes_on_where_two_left_off_and_says_so(told):
    same(told["no number"], told["one"])
    assert any("shared by 2 so far and is by 1" in note for note in told["no number"]["notes"])


def test_where_the_memory_of_one_process_is_full_all_end_and_know_what_to_begin_again_with(told):
    assert told["full"]["codes"][1] == 1
    assert told["full"]["failure"]["settings"]["micro_batch"] == 1
    assert told["full"]["failure"]["settings"]["accumulation"] == 2


def test_a_base_split_among_two_processes_gives_the_losses_of_a_whole_one(told):
    same(told["shards"], told["one"], rel=1e-6)
    assert told["shards"]["files"] == told["one"]["files"]


def test_a_split_base_with_recomputed_layers_goes_on_after_a_kill(told):
    same(told["shards killed"], told["one packed"], rel=1e-6)


def test_each_process_holds_half_of_a_split_base_and_one_layer_more_while_it_computes(told):
    shares = [(held["between"], held["during"]) for held in told["shards"]["held"]]
    assert shares == [(0.5, 0.75)] * 2


def test_no_whole_weight_outlives_the_splitting_of_its_layer(told):
    assert [held["whole"] for held in told["shards"]["held"]] == [[7, 0, 0]] * 2, "of two layers with seven weights"


def test_a_split_base_is_stored_as_what_every_torch_can_split_and_none_changes_on_the_way(told):
    assert [held["types"] for held in told["shards"]["held"]] == [["torch.float32"]] * 2


def test_a_pause_is_told_and_held_until_the_wish_changes(tmp_path, monkeypatch):
    events, naps = [], []
    control = StepControl(tmp_path, events.append)
    assert not control.should_stop()
    write_control(tmp_path, ControlRequest(paused=True))
    assert control.is_paused()

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            write_control(tmp_path, ControlRequest(stopped=True))

    monkeypatch.setattr(time, "sleep", nap)
    assert control.should_stop()
    assert events == [Paused(True), Paused(False)]
    assert len(naps) == 3


def test_one_process_alone_asks_nobody():
    assert (
        process_group.rank(),
        process_group.world_size(),
        process_group.is_rank_zero(),
        process_group.is_distributed(),
    ) == (
        0,
        1,
        True,
        False,
    )
    assert process_group.broadcast(7) == 7
    assert process_group.all_reduce([1.5, 2]) == process_group.all_reduce([1.5, 2], min) == [1.5, 2]


SLEEP = "import time\nwhile True: time.sleep(1)"
WATCHER = (
    "import sys, time; from engine.training.distributed.worker import still_there, watch\n"
    "watch(still_there(int(sys.argv[1]), float(sys.argv[2]))); print('watching', flush=True)\n"
    "while True: time.sleep(1)"
)
LAUNCHER = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', *sys.argv[1:]])\n"
    "print(child.pid, flush=True); child.wait(); time.sleep(600)"
)


@pytest.mark.parametrize("which", ["program", "launcher"])
def test_a_process_ends_when_one_above_it_is_killed(which):
    """kill -9 of the window, or of accelerate's launcher, leaves no GPU in use."""
    program = subprocess.Popen([sys.executable, "-c", SLEEP])
    words = [WATCHER, str(program.pid), str(psutil.Process(program.pid).create_time())]
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert launcher.stdout is not None
        lines = {launcher.stdout.readline().strip(), launcher.stdout.readline().strip()}
        worker = psutil.Process(int((lines - {"watching"}).pop()))
        assert "watching" in lines
        {"program": program, "launcher": launcher}[which].kill()
        end = time.monotonic() + DEADLINE
        while not has_ended(worker):
            assert time.monotonic() < end, "it goes on"
            time.sleep(0.02)
    finally:
        for process in (program, launcher):
            process.kill()
            process.wait()
        launcher.stdout.close()
