"""Runs in processes of their own, as the window starts them: two on the processor instead of two GPUs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.base_holder import BaseHolder
from engine.errors import DivergedError, ResourceError, RunError
from engine.recipe import Recipe
from engine.training.distributed import launcher
from engine.training.distributed.control import (
    FAILURE,
    ControlRequest,
    Failure,
    read_control,
    read_failure,
    write_control,
    write_failure,
)
from engine.training.distributed.launcher import processes_for, train_together
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Finished, LogNote, Record, Started, to_line
from engine.training.runs.queue import TrainingQueue
from tests.tiny import write_data

ROOT = Path(__file__).parents[4]
DEADLINE = 120.0


@pytest.fixture
def run(tmp_path, tiny_model):
    data = write_data(tmp_path / "data")
    recipe = Recipe(
        model=str(tiny_model),
        max_steps=400,
        epochs=100.0,
        batch_size=2,
        accumulation=1,
        max_length=64,
        eval_steps=25,
        gpus=2,
    )
    return RunDirectory.create_at(tmp_path / "run", recipe, data, "run")


def until(condition, what):
    """Poll with a deadline."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


def workers(run):
    """The processes that train a run, wherever they hang."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if (
            "engine.training.distributed.worker" in words
            and str(run.path) in words
            and "torch.distributed.run" not in words
        ):
            found.append(process)
    return found


def steps(run):
    return len(run.history.read().steps)


def test_two_processes_are_paused_killed_resumed_and_stopped_as_one_is(run, tiny_base):
    bases = BaseHolder(run.path.parent)
    queue = TrainingQueue(bases, run.path.parent)
    with bases.use(run.recipe):
        assert bases.title, "as after an answer"
    queue.add(run)
    until(lambda: steps(run) > 2, "three steps")
    assert not bases.title, "it has made room"
    assert queue.current().state == run.status.state == "running"
    assert len(workers(run)) == 2

    queue.pause(run.id)
    until(lambda: queue.current().state == "paused", "the pause")
    assert run.status.state == "paused"
    assert run.history.read().paused
    held = steps(run)
    queue.unpause(run.id)
    until(lambda: steps(run) > held, "the next step")
    until(lambda: queue.current().state == "running", "the end of the pause")

    until(run.checkpoint_steps, "a checkpoint")
    os.kill(workers(run)[1].pid, signal.SIGKILL)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "failed"
    assert "ended from outside (SIGKILL)" in run.status.message
    assert "Resume" in run.status.message
    assert workers(run) == []

    queue.add(run)
    known = run.checkpoint_steps()[-1]
    until(lambda: (begun := run.history.read().started) and begun.first_step >= known, "the second life")
    until(lambda: steps(run) > known + 1, "steps of the second life")
    queue.stop(run.id)
    assert queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"
    last = run.history.read().steps[-1].step
    assert run.checkpoint_steps()[-1] == last
    assert run.has_adapter()
    assert workers(run) == []
    assert {file.name for file in run.path.glob("*.json")} == {"recipe.json", "status.json", "environment.json"}
    assert json.loads((run.path / "environment.json").read_text())["device"].startswith("2 x ")


# ---- without real processes


def stand_in(run, monkeypatch, *lives):
    """Let each life of the processes be a small program that writes events, and failures, and ends with a code."""
    seen, left = [], iter(lives)

    def command(folder, cache, processes, resume_step, settings):
        seen.append((processes, resume_step, settings))
        events, failure, code = next(left)
        lines = "".join(to_line(Record(1.0, event)) for event in events)
        told = json.dumps(failure) if failure else ""
        program = (
            f"import sys; open({str(run.events_file)!r}, 'a').write({lines!r})\n"
            f"if {told!r}: open({str(run.path / FAILURE)!r}, 'x').write({told!r})\n"
            f"sys.exit({code})"
        )
        return [sys.executable, "-c", program]

    monkeypatch.setattr(launcher, "command", command)
    return seen


STARTED = Started(10, 100, 20, 0, 5, 1, "2 x CPU")


def begin(run, **options):
    return train_together(
        run, 2, run.path.parent, **{"requested": ControlRequest, "seen": lambda history: None, **options}
    )


def test_when_memory_runs_out_in_one_process_all_begin_again_with_smaller_settings(run, monkeypatch):
    smaller = {"micro_batch": 1}
    full = {"rank": 1, "message": "Memory ran out.", "remedy": "", "lower_rate": None, "settings": smaller}
    lives = stand_in(run, monkeypatch, ([STARTED], full, 1), ([STARTED, Finished(20, 1.0)], None, 0))
    assert begin(run) is False
    assert lives == [(2, 0, None), (2, 0, smaller)]
    told = [note.text for _, note in run.history.read().notes]
    assert any("process 2" in text and "one row at a time" in text for text in told)
    assert not (run.path / FAILURE).exists()


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        ({"lower_rate": 1e-3, "settings": None}, DivergedError, "It went wrong. Do this."),
        ({"lower_rate": None, "settings": None}, RunError, "It went wrong. Do this."),
        (None, RunError, "ended without a word"),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_first_process_that_failed(failure, kind, words, run, monkeypatch):
    told = failure and {"rank": 0, "message": "It went wrong.", "remedy": "Do this.", **failure}
    stand_in(run, monkeypatch, ([STARTED], told, 1))
    with pytest.raises(kind, match=words):
        begin(run)


def test_a_signal_in_the_log_is_named(tmp_path):
    (tmp_path / "log").write_text("traceback : Signal 9 (SIGKILL) received by PID 4711")
    told = launcher._in_words(None, tmp_path / "log")
    assert isinstance(told, ResourceError)
    assert "SIGKILL" in told.message


def test_a_stop_before_the_first_step_ends_at_once(run, monkeypatch):
    monkeypatch.setattr(
        launcher, "command", lambda *_: [sys.executable, "-c", "import time\nwhile True: time.sleep(1)"]
    )
    assert begin(run, requested=lambda: ControlRequest(stopped=True)) is True


def test_the_history_is_passed_on_from_the_new_start_on(run, monkeypatch):
    run.emit(STARTED)
    run.emit(LogNote("an earlier life"))
    seen = []
    again = Started(10, 100, 20, 4, 5, 1, "2 x CPU")
    stand_in(run, monkeypatch, ([again, Finished(20, 1.0)], None, 0))
    assert begin(run, seen=lambda history: seen.append(history.started.first_step)) is False
    assert set(seen) == {4}


@pytest.mark.parametrize(
    ("gpus", "there", "batch", "found", "words"),
    [(2, 8, (4, 2), 2, ""), (0, 8, (4, 2), 8, ""), (4, 2, (4, 2), 2, "has 2"), (3, 8, (4, 2), 2, "share evenly")],
)
def test_as_many_gpus_work_as_there_are_and_as_can_share_a_step(gpus, there, batch, found, words, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    notes = []
    recipe = Recipe(gpus=gpus, batch_size=batch[0], accumulation=batch[1])
    assert processes_for(recipe, notes.append) == found
    assert words in " ".join(note.text for note in notes)
    assert bool(notes) == bool(words)


def test_one_gpu_is_asked_about_without_importing_torch():
    code = (
        "import sys\nfrom engine.recipe import Recipe\nfrom engine.training.distributed.launcher import processes_for\n"
        "assert processes_for(Recipe()) == 1\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_on_gpus_accelerate_launches_with_nothing_of_a_persons_own_configuration(run, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    words = launcher.command(run.path, run.path.parent, 4, 12, {"micro_batch": 1})
    assert words[1:3] == ["-m", "accelerate.commands.launch"]
    assert words[words.index("--config_file") + 1].startswith(str(run.path))
    assert words[words.index("--num_processes") + 1] == "4"
    assert words[words.index("--main_process_port") + 1] == "0"
    assert words[words.index("--resume") + 1] == "12"
    from accelerate.commands.launch import launch_command_parser

    seen = launch_command_parser().parse_args(words[3:])
    assert seen.training_script == "engine.training.distributed.worker"
    assert seen.multi_gpu


def test_processes_use_memory_without_gaps_unless_a_person_says_otherwise(monkeypatch):
    monkeypatch.delenv("PYTORCH_CUDA_ALLOC_CONF", raising=False)
    assert launcher.environment(2)["PYTORCH_CUDA_ALLOC_CONF"] == "expandable_segments:True"
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:128")
    assert launcher.environment(2)["PYTORCH_CUDA_ALLOC_CONF"] == "max_split_size_mb:128"


def test_a_wish_and_the_first_failure_survive_the_way_through_a_file(tmp_path):
    assert read_control(tmp_path) == ControlRequest()
    write_control(tmp_path, ControlRequest(paused=True))
    assert read_control(tmp_path) == ControlRequest(paused=True)
    (tmp_path / "control.json").write_text("{")
    assert read_control(tmp_path) == ControlRequest()
    first = Failure(1, "a", "b", None, {"micro_batch": 2})
    assert write_failure(tmp_path, first)
    assert not write_failure(tmp_path, Failure(0, "c", "d"))
    assert read_failure(tmp_path) == first
