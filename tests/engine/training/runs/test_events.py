import pytest

from engine.errors import ResourceError
from engine.training.runs.events import (
    Checkpointed,
    Evaluated,
    Finished,
    Held,
    Noted,
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
    Held(True),
    Finished(1, 2.0),
    Noted("a line\nwith a break and 'ü'", "warning"),
]


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
            append(file, Record(0.0, Noted(str(number))))
            list(pool.map(lambda _: reader.read(), range(8)))
    assert [note.text for _, note in reader.read().notes] == [str(number) for number in range(60)]


def test_a_full_disk_is_said_in_words():
    from pathlib import Path

    with pytest.raises(ResourceError, match="full"):
        append(Path("/dev/full"), Record(0.0, stepped(1)))
