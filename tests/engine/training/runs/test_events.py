import json

import pytest

from engine.errors import ResourceError
from engine.training.runs.events import (
    Checkpointed,
    DryRunMeasured,
    Evaluated,
    Finished,
    LogNote,
    Paused,
    Record,
    Started,
    Stepped,
    append,
    from_line,
    to_line,
)
from engine.training.runs.history_reader import HistoryReader


def stepped(step, loss=1.0):
    return Stepped(step, 0.1, loss, 2e-4, 0.3, 100.0, 1.0, float(step))


EVENTS = [
    Started(10, 100, 20, 0, 5, 1, "CPU"),
    stepped(1),
    Evaluated(0, 3.2),
    Checkpointed(1),
    Paused(True),
    Finished(1, 2.0),
    LogNote("a line\nwith a break and 'ü'", "warning"),
]


STORED = {
    '{"at": 1.0, "kind": "started", "trainable": 10, "total": 100, "steps": 20, "first_step": 0, "train_examples": 5, '
    '"heldout_examples": 1, "device": "CPU"}': Started(10, 100, 20, 0, 5, 1, "CPU"),
    '{"at": 1.0, "kind": "rehearsed", "peak_gib": 3.5, "seconds": 60.0}': DryRunMeasured(3.5, 60.0),
    '{"at": 1.0, "kind": "evaluation", "step": 0, "loss": 3.2}': Evaluated(0, 3.2),
    '{"at": 1.0, "kind": "checkpoint", "step": 1}': Checkpointed(1),
    '{"at": 1.0, "kind": "held", "on": true}': Paused(True),
    '{"at": 1.0, "kind": "finished", "step": 1, "seconds": 2.0}': Finished(1, 2.0),
    '{"at": 1.0, "kind": "note", "text": "Ready.", "level": "info"}': LogNote("Ready."),
}


@pytest.mark.parametrize("line", STORED)
def test_runs_of_earlier_versions_keep_their_events(line):
    """The words on disk stay, whatever the classes are called."""
    assert from_line(line) == Record(1.0, STORED[line])
    assert json.loads(line).items() <= json.loads(to_line(Record(1.0, STORED[line]))).items()


@pytest.mark.parametrize("event", EVENTS)
def test_a_record_survives_being_written_and_read(event):
    line = to_line(Record(12.5, event))
    assert line.count("\n") == 1
    assert from_line(line) == Record(12.5, event)


def test_a_torn_last_line_is_left_until_it_is_whole(tmp_path):
    file = tmp_path / "events.jsonl"
    reader = HistoryReader(file)
    assert reader.read().steps == ()
    append(file, Record(1.0, stepped(1)))
    line = to_line(Record(2.0, stepped(2))).encode()
    with file.open("ab") as out:
        out.write(line[:20])
    assert [seen.step for seen in reader.read().steps] == [1]
    with file.open("ab") as out:
        out.write(line[20:])
    assert [seen.step for seen in reader.read().steps] == [1, 2]


def test_a_line_torn_by_a_crash_costs_only_itself(tmp_path):
    file = tmp_path / "events.jsonl"
    append(file, Record(1.0, stepped(1)))
    with file.open("ab") as out:
        out.write(b'{"at": 2.0, "kind": "st')
    append(file, Record(3.0, stepped(3)))
    assert [seen.step for seen in HistoryReader(file).read().steps] == [1, 3]


def test_after_a_resume_the_later_telling_counts(tmp_path):
    file = tmp_path / "events.jsonl"
    told = [Started(1, 2, 9, 0, 5, 1, "CPU"), Evaluated(0, 3.0), stepped(1, 2.0), stepped(2, 1.9), Checkpointed(2)]
    told += [stepped(3, 1.8), stepped(4, 1.7), Evaluated(4, 1.75)]
    told += [Started(1, 2, 9, 2, 5, 1, "CPU"), stepped(3, 1.6)]
    for event in told:
        append(file, Record(0.0, event))
    history = HistoryReader(file).read()
    assert [(seen.step, seen.loss) for seen in history.steps] == [(1, 2.0), (2, 1.9), (3, 1.6)]
    assert [seen.step for seen in history.evaluations] == [0]
    assert history.before == Evaluated(0, 3.0)
    assert history.best is None


def test_reading_bit_by_bit_gives_the_same_as_reading_at_once(tmp_path):
    file = tmp_path / "events.jsonl"
    bit_by_bit = HistoryReader(file)
    for event in EVENTS:
        append(file, Record(0.0, event))
        bit_by_bit.read()
    assert bit_by_bit.read() == HistoryReader(file).read()


def test_many_readers_at_once_tell_every_note_once(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    file = tmp_path / "events.jsonl"
    reader = HistoryReader(file)
    with ThreadPoolExecutor(8) as pool:
        for number in range(60):
            append(file, Record(0.0, LogNote(str(number))))
            list(pool.map(lambda _: reader.read(), range(8)))
    assert [note.text for _, note in reader.read().notes] == [str(number) for number in range(60)]


def test_a_full_disk_is_said_in_words():
    from pathlib import Path

    with pytest.raises(ResourceError, match="full"):
        append(Path("/dev/full"), Record(0.0, stepped(1)))
