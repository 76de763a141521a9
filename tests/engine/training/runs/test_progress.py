"""The time that is left of a run."""

from dataclasses import replace

import pytest

from engine.recipe import Recipe
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, Started, Stepped
from engine.training.runs.history import History
from engine.training.runs.progress import JobSnapshot, seconds_left, snapshot
from engine.workspace import Workspace
from tests.tiny import write_data


def history(*steps: int, of: int) -> History:
    """Steps of ten seconds each."""
    told = tuple(Stepped(step, 0.0, 2.0, 1e-3, 1.0, 100.0, 1.0, 10.0 * step) for step in steps)
    return History(started=Started(1, 2, of, 0, 4, 1, "cpu"), steps=told)


def test_it_is_the_pace_times_the_steps_left():
    assert seconds_left(history(1, 2, 3, of=8)) == 50.0


def checked(history, *steps):
    """The same with checks of thirty seconds after some of the steps."""
    told, late = [], 0.0
    for seen in history.steps:
        told.append(replace(seen, seconds=seen.seconds + late))
        late += 30.0 if seen.step in steps else 0.0
    return replace(history, steps=tuple(told), evaluations=tuple(Evaluated(step, 1.0) for step in steps))


def test_checks_to_come_are_reckoned_with_what_those_before_took():
    run = checked(history(*range(1, 13), of=20), 5, 10)
    assert seconds_left(run) == 8 * 10.0 + 2 * 30.0  # steps 13 to 20, checks after 15 and 20


def test_neither_a_check_nor_a_slow_moment_makes_it_swing():
    before = seconds_left(history(*range(1, 30), of=100))
    run = history(*range(1, 31), of=100)
    slow = replace(run.steps[-1], seconds=run.steps[-1].seconds + 60)
    after = seconds_left(replace(run, steps=(*run.steps[:-1], slow)))
    assert before - after == 10.0


def test_in_the_last_check_what_those_before_took_is_counted_down():
    run = checked(history(*range(1, 21), of=20), 5, 10, 15)
    assert seconds_left(run, since=0.0) == 30.0
    assert seconds_left(run, since=20.0) == 10.0
    assert seconds_left(run, since=31.0) is None
    done = replace(run, evaluations=(*run.evaluations, Evaluated(20, 1.0)))
    assert seconds_left(done, since=1.0) is None


def test_after_the_last_step_nothing_is_promised():
    """The check and the saving that are left took half a minute where 'about 1 s left' was said."""
    assert seconds_left(history(6, 7, 8, of=8)) is None


def test_the_whole_bar_goes_from_the_fetch_to_the_last_check():
    def at(phase, fraction, state="running"):
        return JobSnapshot("r", "Run", state, "", fraction, 0, 0, None, phase).whole

    told = [at("load", None, "queued")]
    told += [at("fetch", 0.5), at("load", None), at("measure", None), at("learn", 0.0), at("learn", 0.9)]
    told += [at("check", None), at("check", 1.0)]
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(1.0)


def test_a_fetch_has_its_own_phase_and_its_own_time(tmp_path):
    data = write_data(tmp_path / "data")
    made = RunDirectory.create(Workspace(tmp_path / "workspace"), Recipe(), data, "Run 1")
    told = snapshot(made, "preparing", "Fetching Qwen3 4B (2.0 of 8.1 GB)", 0.25, 10.0)
    assert (told.phase, told.seconds_left) == ("fetch", 30.0)
    assert snapshot(made, "preparing", "Fetching Qwen3 4B (0.0 of 8.1 GB)", 0.0, 0.1).seconds_left is None
    assert snapshot(made, "preparing", "Loading Qwen3 4B in 4 bit", None, 5.0).phase == "load"
