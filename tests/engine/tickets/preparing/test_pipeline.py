import json
import threading
from operator import itemgetter
from pathlib import Path

import pytest

from engine.errors import ResourceError, TicketsError
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.editing import apply_edits
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import PREPARED
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing import pipeline, workers
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.preparing.report import Progress, Report
from tests.engine.tickets.exports import comment, lines, prepared, write, zendesk

TICKETS = [
    zendesk(number, requester_id=100 + number, subject=f"Topic{number}", tags=["odd" if number % 2 else "even"])
    for number in range(1, 41)
]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path / "tickets.jsonl", lines(*TICKETS))


def test_counts_add_up_and_reasons_are_viewable(tmp_path: Path) -> None:
    extra = [
        zendesk(90, comment(190, "Hello?"), requester_id=190),
        zendesk(
            91, comment(191, "Q?"), comment(9, "Note", public=False), comment(9, "A real answer."), requester_id=191
        ),
    ]
    report, data = prepared([write(tmp_path / "t.jsonl", lines(*TICKETS, *extra))], tmp_path / "out")
    assert report.tickets_read == report.conversations_kept + sum(report.dropped.values()) == 42
    assert report.dropped == {"no agent answer": 1}
    assert report.messages_left_out["internal note"] == 1
    assert report.train + report.heldout == report.conversations_kept
    (note,), total = data.left_out(0, 5, "internal note")
    assert (note.ticket, note.excerpt, total) == ("91", "Note", 1)


def test_canned_replies_of_a_help_desk_are_capped_and_a_curated_set_is_not(tmp_path: Path) -> None:
    questions = [f"Question {number} about topic{number} and thing{number}" for number in range(1, 31)]
    desk = [
        zendesk(number, comment(number, asked), comment(999, "Please turn it off and on again."), requester_id=number)
        for number, asked in enumerate(questions, start=1)
    ]
    chat = [
        {
            "messages": [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": "Turn it off and on again."},
            ]
        }
        for asked in questions
    ]
    report, data = prepared([write(tmp_path / "desk.jsonl", lines(*desk))], tmp_path / "desk")
    assert (report.conversations_kept, report.dropped) == (20, {"same answer as many others": 10})
    assert data.left_out(0, 1)[0][0].reason == "same answer as many others"
    assert prepared([write(tmp_path / "chat.jsonl", lines(*chat))], tmp_path / "chat")[0].conversations_kept == 30


def test_a_stop_leaves_the_old_data_set_as_it_was(export: Path, tmp_path: Path) -> None:
    prepare([export], tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(TicketsError, match="stopped"):
        prepare([export], tmp_path / "out", should_stop=lambda: True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"tickets.jsonl", "out"}


def test_a_crash_leaves_no_half_data_set(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "_write", broken)
    with pytest.raises(ResourceError, match="full"):
        prepare([export], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"tickets.jsonl"}
    (tmp_path / "out").mkdir()
    with pytest.raises(TicketsError, match="not a complete data set"):
        DataSet(tmp_path / "out")


def test_preparing_again_replaces_everything_and_spares_other_files(export: Path, tmp_path: Path) -> None:
    prepare([export], tmp_path / "out")
    write(tmp_path / "out" / "name.txt", "mine")
    prepare([write(tmp_path / "few.jsonl", lines(*TICKETS[:5]))], tmp_path / "out")
    assert len(DataSet(tmp_path / "out").conversations("train")) == 4
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*PREPARED, "name.txt"}


def test_progress_tells_every_stage(export: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    prepare([export], tmp_path / "out", progress=seen.append)
    stages = " ".join(entry.stage for entry in seen)
    assert all(part in stages for part in ("Looking into the files", "Reading", "duplicates", "Writing", "quality"))
    assert all(entry.total is None or 0 <= entry.done <= entry.total for entry in seen)


def test_worker_processes_give_the_same_data_set(export: Path, tmp_path: Path) -> None:
    for processes in (0, 2):
        prepare([export], tmp_path / f"out{processes}", PrepareOptions(workers=processes))
    for name in ("train.jsonl", "heldout.jsonl", "redactions.jsonl", "left_out.jsonl"):
        assert (tmp_path / "out0" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def test_a_stop_ends_the_worker_processes(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", lines(*TICKETS) * 50)
    started: list[int] = []
    original = workers._started

    def remembering(options: PrepareOptions, stack: object) -> object:
        worker = original(options, stack)  # type: ignore[arg-type]
        started.append(worker.pid)
        return worker

    workers._started = remembering  # type: ignore[assignment]
    try:
        with pytest.raises(TicketsError, match="stopped"):
            prepare([path], tmp_path / "out", PrepareOptions(workers=2), should_stop=lambda: True)
    finally:
        workers._started = original
    assert len(started) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tidying")]


def test_the_report_survives_a_round_trip(export: Path, tmp_path: Path) -> None:
    report = prepare([export], tmp_path / "out")
    value = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert Report.from_json({**value, "added later": 1}) == report == DataSet(tmp_path / "out").report


def test_pages_and_searches(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    rows, total = data.page(30, 20)
    assert total == 40 and len(rows) == 10
    assert [row.split for row in rows] == ["train"] * 6 + ["heldout"] * 4
    assert [row.ticket for row in data.page(0, 9, "topic17")[0]] == ["17"]
    assert data.page(0, 9, split="heldout")[1] == 4
    assert data.page(99, 5)[0] == [] and data.page(0, 0)[1] == 40


def test_edits_survive_an_import_and_can_be_undone(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    first, second = data.page(0, 2)[0]
    edits = Edits().drop(first).rewrite(second, 1, "A better answer.")
    edits.save(tmp_path / "edits.json")
    report, data = prepared([export], tmp_path / "out", edits=Edits.load(tmp_path / "edits.json"))
    assert report.dropped == {"dropped by you": 1}
    assert data.dropped_by_hand(0, 5)[0][0].ticket == first.ticket
    rows = {row.ticket: row for row in data.page(0, 50)[0]}
    assert first.ticket not in rows
    changed = rows[second.ticket]
    assert changed.messages[1].content == "A better answer."
    undone = edits.keep(first.key).rewrite(changed, 1, second.messages[1].content)
    assert undone == Edits()


def test_an_answer_that_is_rewritten_and_restored_leaves_every_byte_as_it_was(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    file = tmp_path / "out" / "train.jsonl"
    before = file.read_bytes()
    apply_edits(tmp_path / "out", Edits().rewrite(data.page(0, 1)[0][0], 1, "A better answer."))
    assert file.read_bytes() != before
    apply_edits(tmp_path / "out", Edits())
    assert file.read_bytes() == before


def test_edits_take_effect_at_once_and_come_back(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    entry = data.page(0, 1, split="heldout")[0][0]
    whole = (tmp_path / "out" / "heldout.jsonl").read_bytes()
    report, _ = apply_edits(tmp_path / "out", Edits().drop(entry))
    assert (report.heldout, report.conversations_kept, report.dropped["dropped by you"]) == (3, 39, 1)
    assert DataSet(tmp_path / "out").page(0, 9, entry.subject)[1] == 0
    report, _ = apply_edits(tmp_path / "out", Edits())
    assert (report.heldout, report.dropped) == (4, {})
    again = (tmp_path / "out" / "heldout.jsonl").read_bytes()
    by_ticket = [sorted(map(json.loads, lines.splitlines()), key=itemgetter("ticket")) for lines in (whole, again)]
    assert by_ticket[0] == by_ticket[1]
    everything = Edits()
    for row in data.page(0, 50)[0]:
        everything = everything.drop(row)
    with pytest.raises(TicketsError, match="No conversation would be left"):
        apply_edits(tmp_path / "out", everything)
    assert DataSet(tmp_path / "out").page(0, 1)[1] == 40


def test_edits_refuse_what_makes_no_sense(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    (row,) = data.page(0, 1)[0]
    with pytest.raises(TicketsError, match="Only an agent's answer"):
        Edits().rewrite(row, 0, "x")
    with pytest.raises(TicketsError, match="empty"):
        Edits().rewrite(row, 1, "  ")
    with pytest.raises(TicketsError, match="damaged"):
        Edits.load(write(tmp_path / "bad.json", [1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"heldout": 0.6},
        {"heldout": -0.1},
        {"split": "odd"},
        {"country": "XX"},
        {"min_answer_chars": -1},
        {"canned_cap": 0},
    ],
)
def test_options_out_of_range_are_named(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(TicketsError, match=name):
        PrepareOptions(**wrong)  # type: ignore[arg-type]


def test_who_answered_is_kept_for_the_owner_alone(export: Path, tmp_path: Path) -> None:
    _, data = prepared([export], tmp_path / "out")
    assert data.agents() == {"9": 40}
    assert (tmp_path / "out" / "agents.json").stat().st_mode & 0o077 == 0
