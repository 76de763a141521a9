from dataclasses import replace

from engine.hardware import DeviceReport
from engine.studio import StudioSnapshot
from engine.training.runs.events import Evaluated
from engine.training.runs.progress import JobSnapshot
from tests.ui.fake_studio import FakeStudio
from ui import parts
from ui.shell import views


def test_the_status_bar_says_device_memory_model_job_and_loss(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.job = JobSnapshot("run-4", "Run 4", "running", "Training", 0.4, 120, 300, 360.0)
    shown = views.status_bar(studio.snapshot(), Evaluated(120, 1.42), "Run 4")
    for text in (
        "Processor, 2 cores",
        "6.2 / 23 GB",
        "Starter",
        "Run 4: step 120 of 300, about 6 min left",
        "held-out 1.42",
    ):
        assert text in shown


def test_without_a_job_it_says_so(tmp_path):
    studio = FakeStudio(tmp_path)
    assert views.job_line(None) == "no run in progress"
    assert views.job_line(None, 2) == "no run in progress, 2 waiting"
    snapshot = replace(studio.snapshot(), model="")
    assert "no model loaded" in views.status_bar(snapshot, None, "")


def test_the_status_bar_says_what_answers_hold_beside_the_model(tmp_path):
    snapshot = StudioSnapshot(DeviceReport("cpu", "Processor", 6.2, 23.0), "Starter, 4 bit", None, (), 92_300_000)
    assert "Starter, 4 bit · 92 MB for answers" in views.status_bar(snapshot, None, "")
    assert "answers" not in views.status_bar(replace(snapshot, answers=0), None, "")


def test_a_stage_before_training_shows_how_far_it_is():
    job = JobSnapshot("r", "Run 1", "preparing", "Fetching the starter model", 0.5, 0, 0, None)
    assert views.job_line(job) == "Run 1: fetching the starter model, 50%"


def test_undo_names_what_was_deleted():
    assert "‘Run &lt;1&gt;’ was deleted" in views.undo("Run <1>")


def test_a_pager_ends_where_the_entries_end():
    first = parts.pager(0, 20, 45, 20, "conversations")
    last = parts.pager(40, 5, 45, 20, "conversations")
    assert "1–20 of 45 conversations" in first
    assert first.count(" disabled") == 1
    assert "41–45 of 45" in last
    assert 'data-start="20"' in last
    assert parts.pager(0, 0, 0, 20, "x") == ""


def test_a_failure_is_told_with_its_remedy_and_without_the_word_error():
    from engine.errors import TicketsError

    shown = parts.failure(TicketsError("shop.csv is empty.", "Download it again."))
    assert "shop.csv is empty." in shown
    assert "Download it again." in shown
    assert "error" not in shown.lower()


def test_the_held_out_loss_before_the_first_step_is_called_that():
    assert views.heldout_line(Evaluated(0, 4.14)) == "held-out 4.14 before training"
    assert views.heldout_line(Evaluated(15, 1.2)) == "held-out 1.20"
    assert views.heldout_line(None) == "held-out –"
