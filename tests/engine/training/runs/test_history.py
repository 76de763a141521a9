"""A run's history: thinned as it grows, kept beside the events, and made anew wherever it cannot be trusted."""

import json
import math
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.training.runs import history_reader, thinning
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import (
    Checkpointed,
    Evaluated,
    Finished,
    LogNote,
    Record,
    Started,
    Stepped,
    append,
    from_line,
    to_line,
)
from engine.training.runs.history import Curve, History, StoredHistory, Summary
from engine.training.runs.history_reader import HistoryReader


def stepped(step, loss=1.0, seconds=None):
    return Stepped(step, 0.1, loss, 2e-4, 0.3, 100.0, 1.0, float(step) if seconds is None else seconds)


def write(folder, events):
    """Write events at once and return the file."""
    file = folder / "events.jsonl"
    with file.open("a") as out:
        out.writelines(to_line(Record(0.0, event)) for event in events)
    return file


def long_run(steps, seed=0):
    """The events of a run with noise, a check every tenth step, and a resume in the middle."""
    chance = random.Random(seed)
    told = [Started(1, 2, steps, 0, 5, 1, "CPU"), Evaluated(0, 4.0)]
    for step in [*range(1, steps // 2 + 5), *range(steps // 2 + 1, steps + 1)]:
        if step == steps // 2 + 1 and isinstance(told[-1], Stepped) and told[-1].step > step:
            told.append(Started(1, 2, steps, steps // 2, 5, 1, "CPU"))
        told.append(stepped(step, 1.0 + chance.random()))
        if step % 10 == 0:
            told += [Evaluated(step, 2.0 + chance.random()), Checkpointed(step)]
    return [*told, LogNote("the end"), Finished(steps, 1.0)]


def curve_of(events):
    curve = Curve()
    for event in events:
        curve.add(Record(0.0, event))
    return curve


def summed_up(history):
    return [history.started, history.finished, history.last, history.best, history.before, history.checked]


# ---- thinning


def test_a_short_curve_keeps_every_point():
    history = curve_of([stepped(step) for step in range(1, thinning.STRETCHES + 1)]).history()
    assert [seen.step for seen in history.steps] == [*range(1, thinning.STRETCHES + 1)]


def test_a_long_curve_keeps_its_extremes_its_newest_point_and_so_many_points():
    events = long_run(20_000)
    spike = next(place for place, event in enumerate(events) if isinstance(event, Stepped) and event.step == 7001)
    events[spike] = stepped(7001, 77.0)
    history = curve_of(events).history()
    assert len(history.steps) <= 2 * thinning.STRETCHES + 1
    assert len(history.evaluations) <= 2 * thinning.STRETCHES + 2
    assert max(seen.loss for seen in history.steps) == 77.0
    assert history.last.step == 20_000
    assert history.before == Evaluated(0, 4.0)
    losses = {}
    for event in events:
        if isinstance(event, Evaluated) and event.step:
            losses[event.step] = event.loss
    assert history.best.loss == min(losses.values())
    assert history.checked == Evaluated(20_000, losses[20_000])
    steps = [seen.step for seen in history.steps]
    assert steps == sorted(set(steps))


def test_a_loss_that_is_no_number_does_not_hide_the_best():
    events = [Evaluated(0, 3.0), Evaluated(2, 1.0), *(Evaluated(step, math.nan) for step in range(3, 3000))]
    history = curve_of(events).history()
    assert history.best == Evaluated(2, 1.0)


def test_a_point_that_is_told_again_replaces_the_first():
    history = curve_of([stepped(1, 5.0), stepped(2, 1.0), stepped(2, 3.0), stepped(1, 4.0)]).history()
    assert [seen.loss for seen in history.steps] == [4.0, 3.0]


def test_a_resume_takes_back_what_came_after_its_checkpoint_of_a_long_run_too():
    events = [Started(1, 2, 9000, 0, 5, 1, "CPU"), *(stepped(step, 1.0) for step in range(1, 9001))]
    history = curve_of([*events, Started(1, 2, 9000, 3000, 5, 1, "CPU"), stepped(3001, 2.0)]).history()
    assert history.last == stepped(3001, 2.0)
    assert all(seen.step <= 3001 for seen in history.steps)


def test_tokens_are_counted_over_all_steps_and_once_over_those_that_were_taken_twice():
    first = [Started(1, 2, 9, 0, 5, 1, "CPU"), *(stepped(step) for step in (1, 2))]
    again = [Checkpointed(2), stepped(3), Started(1, 2, 9, 2, 5, 1, "CPU"), stepped(3, seconds=1.0)]
    assert curve_of(first).history().tokens == 200.0
    assert curve_of([*first, *again]).history().tokens == 300.0
    assert curve_of([stepped(step) for step in range(1, 5001)]).history().tokens == 500_000.0


def test_what_a_streamed_base_waited_is_a_share_of_the_time_since_it_began(tmp_path):
    begun = [Started(1, 2, 9, 0, 5, 1, "GPU", 3, 5), stepped(1, seconds=1.0), stepped(2, seconds=2.0)]
    told = [replace(event, stalled=0.25) if isinstance(event, Stepped) else event for event in begun]
    curve = curve_of(told)
    assert curve.history().waited == 0.25
    assert Curve.read(curve.plain()).history() == curve.history()
    again = [Checkpointed(1), Started(1, 2, 9, 1, 5, 1, "GPU", 3, 5), replace(stepped(2, seconds=4.0), stalled=1.0)]
    assert curve_of([*told, *again]).history().waited == 0.25
    assert curve_of([Started(1, 2, 9, 0, 5, 1, "GPU"), stepped(1)]).history().waited is None


# ---- kept on the disk


@pytest.fixture
def file(tmp_path):
    """The events of a run whose curve is kept."""
    made = write(tmp_path, long_run(3000))
    HistoryReader(made).keep()
    return made


def test_a_kept_curve_tells_what_the_events_do_and_reads_none_of_them(file, monkeypatch):
    curve = file.with_name(history_reader.CURVE)
    kept = curve.read_bytes()
    curve.unlink()
    fresh = HistoryReader(file).read()
    curve.write_bytes(kept)
    monkeypatch.setattr(history_reader, "from_line", lambda line: pytest.fail("an event was read"))
    assert HistoryReader(file).read() == fresh
    assert summed_up(HistoryReader(file).glance()) == summed_up(fresh)
    assert HistoryReader(file).glance().speed == fresh.speed


def test_a_glance_reads_the_curve_only_when_somebody_looks(file):
    reader = HistoryReader(file)
    seen = reader.glance()
    assert isinstance(seen, StoredHistory)
    assert seen.best == reader.glance().best
    assert reader._curve is None
    assert seen.steps[-1] == seen.last
    assert reader._curve is not None
    assert reader.glance() is reader.read()


def test_what_came_after_the_kept_curve_is_read_from_the_events(file):
    append(file, Record(0.0, stepped(3001, 0.5)))
    assert HistoryReader(file).glance().last == stepped(3001, 0.5)
    assert HistoryReader(file).read() == curve_of([*long_run(3000), stepped(3001, 0.5)]).history()


@pytest.mark.parametrize("pieces", [1, 7, 500])
def test_looking_often_makes_no_difference_to_what_is_kept(pieces, tmp_path):
    lines = [to_line(Record(0.0, event)) for event in long_run(3000)]
    file = tmp_path / "events.jsonl"
    reader = HistoryReader(file)
    for start in range(0, len(lines), len(lines) // pieces):
        with file.open("a") as out:
            out.writelines(lines[start : start + len(lines) // pieces])
        reader.read()
    whole, seen = curve_of(long_run(3000)).history(), reader.read()
    assert (seen.steps, seen.evaluations, summed_up(seen)) == (whole.steps, whole.evaluations, summed_up(whole))


def header_with(curve, **changes):
    """Its first line with other values, as sound as the program writes it."""
    values = history_reader._values_of(curve.read_bytes().partition(b"\n")[0])
    return history_reader._checked_line({**values, **changes})


DAMAGE = {
    "gone": lambda curve: curve.unlink(),
    "empty": lambda curve: curve.write_bytes(b""),
    "cut off": lambda curve: curve.write_bytes(curve.read_bytes()[:-700]),
    "no JSON": lambda curve: curve.write_bytes(b"\x80\xff\x00\n\x00"),
    "null": lambda curve: curve.write_bytes(b"null\nnull\n"),
    "a list": lambda curve: curve.write_bytes(b"[]\n[]\n"),
    "of a later version": lambda curve: curve.write_bytes(header_with(curve, format=99) + curve.read_bytes()),
    "with a strange summary": lambda curve: curve.write_bytes(header_with(curve, summary={"worst": 1})),
    "with an offset in words": lambda curve: curve.write_bytes(header_with(curve, offset="all")),
    "without a body": lambda curve: curve.write_bytes(curve.read_bytes().partition(b"\n")[0] + b"\n"),
    "with other numbers": lambda curve: curve.write_text(curve.read_text().replace("0.3", "0.4")),
    "a folder": lambda curve: (curve.unlink(), curve.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_curve_is_made_anew_from_the_events(damage, file):
    whole = curve_of(long_run(3000)).history()
    DAMAGE[damage](file.with_name(history_reader.CURVE))
    for look in (HistoryReader.glance, HistoryReader.read):
        assert summed_up(look(HistoryReader(file))) == summed_up(whole)
    reader = HistoryReader(file)
    assert reader.read().steps == whole.steps
    if damage != "a folder":
        reader.keep()
        assert HistoryReader(file).behind() == 0


@pytest.mark.parametrize("change", ["longer", "shorter", "as long"])
def test_a_curve_of_other_events_is_not_believed(change, file):
    events = {"longer": long_run(4000, seed=1), "shorter": long_run(50, seed=1)}.get(change, [])
    text = file.read_text().replace("1.", "3.") if change == "as long" else ""
    file.write_text(text)
    write(file.parent, events)
    reader = HistoryReader(file)
    known = json.loads(file.read_text().splitlines()[-20])
    assert known
    file.with_name(history_reader.CURVE).unlink()
    fresh = HistoryReader(file).read()
    assert summed_up(reader.glance()) == summed_up(fresh)
    assert reader.read().steps == fresh.steps


def test_a_run_keeps_its_curve_while_it_is_read_and_at_its_end(tmp_path, monkeypatch):
    from engine.recipe import Recipe
    from tests.tiny import write_data

    monkeypatch.setattr(history_reader, "KEEP_EVERY", 2000)
    run = RunDirectory.create_at(tmp_path / "run", Recipe(), write_data(tmp_path / "data"), "one")
    run.update(state="running")
    curve = run.path / history_reader.CURVE
    run.emit(stepped(1))
    run.history.read()
    assert not curve.exists()
    for step in range(2, 30):
        run.emit(stepped(step))
    run.history.read()
    assert curve.exists()
    run.emit(stepped(30))
    assert HistoryReader(run.events_file).behind() > 0
    run.update(state="finished")
    assert HistoryReader(run.events_file).behind() == 0


def test_a_curve_that_cannot_be_written_harms_nothing(file, monkeypatch):
    from engine.errors import ResourceError

    def no_room(*_, **__):
        raise ResourceError("The disk is full.", "Free some space.")

    append(file, Record(0.0, stepped(3001, 0.5)))
    monkeypatch.setattr(history_reader, "write_atomically", no_room)
    reader = HistoryReader(file)
    reader.keep()
    assert reader.read().last == stepped(3001, 0.5)


def test_a_summary_survives_being_written_and_read():
    summary = curve_of(long_run(100)).history().summary
    assert Summary.read(json.loads(json.dumps(summary.plain()))) == summary
    assert History().summary == Summary()


def test_a_history_of_nothing_is_empty(tmp_path: Path):
    reader = HistoryReader(tmp_path / "events.jsonl")
    assert (reader.glance(), reader.read(), reader.behind()) == (History(), History(), 0)
    reader.keep()
    assert not list(tmp_path.iterdir())


def test_a_summary_waits_for_nobody_who_reads_the_events(file):
    """The list of runs asks for it, for all pages at once."""
    reader = HistoryReader(file)
    held, go_on = threading.Event(), threading.Event()

    def hold():
        with reader._lock:
            held.set()
            go_on.wait(60.0)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60.0)
    assert reader.behind() == 0
    assert reader.glance().last.step == 3000
    go_on.set()
    thread.join(60.0)


def test_a_curve_that_a_version_with_another_format_kept_is_not_believed(file, monkeypatch):
    monkeypatch.setattr(history_reader, "FORMAT", history_reader.FORMAT + 1)
    reader = HistoryReader(file)
    assert reader.behind() == file.stat().st_size
    assert reader.glance() == curve_of(long_run(3000)).history()


# ---- several who read


def while_another_does(action):
    """Let another thread do something, and wait until it is done or has to wait itself."""
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(0.5)
    return thread


def test_two_who_read_at_once_take_each_event_in_once(tmp_path, monkeypatch):
    file, events = write(tmp_path, long_run(100)), long_run(100)
    reader, others = HistoryReader(file), []

    def meanwhile(line):
        if not others:
            others.append(None)  # the other one reads through here too
            others[0] = while_another_does(reader.read)
        return from_line(line)

    monkeypatch.setattr(history_reader, "from_line", meanwhile)
    history = reader.read()
    others[0].join(60.0)
    assert reader.read() is history
    assert (history.tokens, history.notes) == (curve_of(events).history().tokens, ((0.0, LogNote("the end")),))


def test_a_curve_is_kept_as_far_as_it_says_though_somebody_reads_on_meanwhile(tmp_path, monkeypatch):
    file = write(tmp_path, long_run(100))
    reader, others = HistoryReader(file), []

    def meanwhile(values):
        if not others:
            append(file, Record(0.0, LogNote("after the end")))
            others.append(while_another_does(reader.read))
        return checked_line(values)

    checked_line = history_reader._checked_line
    monkeypatch.setattr(history_reader, "_checked_line", meanwhile)
    reader.keep()
    others[0].join(60.0)
    assert [note.text for _, note in HistoryReader(file).read().notes] == ["the end", "after the end"]


def test_how_far_behind_a_reader_is_counts_from_what_it_has_read_itself(tmp_path):
    file = write(tmp_path, long_run(100))
    reader = HistoryReader(file)
    assert reader.behind() == file.stat().st_size
    reader.read()
    assert reader.behind() == 0
    assert not file.with_name(history_reader.CURVE).exists()


def test_half_a_line_is_nothing_new_and_an_empty_one_no_damage(tmp_path, caplog):
    file = write(tmp_path, long_run(100))
    reader = HistoryReader(file)
    before = reader.read()
    with file.open("a") as out:
        out.write("\n\n" + to_line(Record(0.0, stepped(101)))[:20])
    assert reader.read() is before
    assert not caplog.records
