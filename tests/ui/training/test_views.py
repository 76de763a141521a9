import json
from dataclasses import replace

import pytest

from engine.recipe import Recipe
from engine.training.runs.events import Evaluated, Finished, LogNote
from engine.training.runs.history import History
from engine.training.runs.progress import JobSnapshot
from tests.ui.fake_studio import FakeStudio, curve
from tests.ui.fake_tickets import HOSTILE
from ui import words
from ui.training import runs_table as table
from ui.training import views


@pytest.fixture
def studio(tmp_path):
    return FakeStudio(tmp_path)


def run(studio, state="running", steps=12, **changes):
    info = studio.runs.info(studio.add_run("Run 1", state, steps, 30))
    return replace(info, **changes)


def checks(*losses):
    return History(evaluations=tuple(Evaluated(step * 10, loss) for step, loss in enumerate(losses)))


def test_a_falling_loss_is_told_with_where_it_came_from(studio):
    told = views.sentence(run(studio, history=checks(3.2, 2.0, 1.4)), None)
    assert told == "Held-out loss is falling: 1.40 at step 20, from 3.20 before training."


def test_the_loss_that_is_told_of_a_finished_run_is_that_of_the_weights_one_gets(studio):
    """The best by inventions need not have the lowest loss."""
    history = replace(checks(3.2, 1.8, 1.4), finished=Finished(10, 60.0))
    told = views.sentence(run(studio, "finished", history=history), None)
    assert "fell from 3.20 to 1.80. The adapter is the one from step 10." in told


def test_a_loss_that_has_stopped_falling_names_the_best_checkpoint(studio):
    told = views.sentence(run(studio, history=checks(3.2, 1.4, 1.6)), None)
    assert told == "Held-out loss has stopped falling since step 10; the best checkpoint is 10 (1.40, now 1.60)."


def test_before_the_first_check_it_says_so(studio):
    assert "before the first step" in views.sentence(run(studio, history=History()), None)
    learning = History(steps=curve(3, 30, False).steps)
    assert "have not been checked yet" in views.sentence(run(studio, history=learning), None)
    assert "the next check is coming" in views.sentence(run(studio, history=checks(3.2)), None)


def test_a_finished_run_says_what_it_reached(studio):
    told = views.sentence(run(studio, "finished", 30), None)
    assert told.startswith("Finished in")
    assert "fell from 3.00 to 0.74" in told


def test_a_run_that_did_not_learn_is_not_praised(studio):
    told = views.sentence(run(studio, "finished", history=checks(2.0, 2.1)), None)
    assert "did not fall" in told
    assert "learning rate" in told


def test_an_interrupted_run_says_where_it_resumes(studio):
    assert views.sentence(run(studio, "interrupted", 17), None).endswith("Resume goes on from step 15.")
    gone = replace(run(studio, "interrupted", 17), checkpoint=0)
    assert "begins again" in views.sentence(gone, None), "what counts is on the disk, not in the history"


def test_a_run_whose_recipe_is_damaged_says_why_it_cannot_go_on(studio):
    damaged = replace(run(studio, "interrupted", 17), recipe=None, resumable=False)
    assert "Its recipe is damaged, so it cannot go on" in views.sentence(damaged, None)


def test_a_lower_rate_is_offered_only_after_the_loss_broke(studio):
    broken = run(studio, "failed", 17)
    broken = replace(broken, status=replace(broken.status, lower_rate=4e-5))
    assert views.lower_rate(broken) == 4e-5
    assert views.lower_rate(run(studio, "failed", 17)) == 0
    assert views.lower_rate(replace(broken, recipe=None)) == 0


def test_progress_shows_step_and_time_left(studio):
    job = JobSnapshot("run-1", "Run 1", "running", "Training", 0.4, 12, 30, 360.0, "learn")
    shown = views.progress(run(studio), job)
    assert "step 12 of 30 · about 6 min left" in shown
    assert 'aria-valuenow="50"' in shown


def test_trainable_parameters_and_their_share_are_there_before_the_first_step(studio):
    started = History(started=curve(0, 30, False).started)
    shown = views.facts(started)
    assert "4.9 million" in shown
    assert "3.6 % of 134.5 million" in shown


def test_the_chart_marks_the_best_point_and_the_base(studio):
    plot = json.loads(views.loss_chart(run(studio, steps=17), []))
    assert [line["part"] for line in plot["series"]] == ["train", "heldout"]
    assert plot["marks"][0]["x"] == 15
    assert plot["levels"][0]["text"] == "base 3.00"
    assert plot["end"] == 30


def test_other_runs_are_laid_over_with_a_part_each(studio):
    others = [run(studio, "finished", 30) for _ in range(5)]
    plot = json.loads(views.loss_chart(run(studio), others))
    assert [line["part"] for line in plot["series"]] == ["train", "heldout", "other-1", "other-2", "other-3"]


def test_a_run_without_a_step_draws_nothing(studio):
    empty = run(studio, history=History())
    assert views.loss_chart(empty, []) == ""
    assert views.small_chart(empty, "grad_norm") == ""


@pytest.mark.parametrize(
    ("state", "ours", "shown"),
    [
        ("running", True, (True, False, True)),
        ("paused", True, (False, True, True)),
        ("queued", False, (False, False, True)),
        ("finished", False, (False, False, False)),
        ("interrupted", False, (False, True, False)),
        ("stopping", True, (False, False, False)),
    ],
)
def test_only_buttons_of_use_are_shown(studio, state, ours, shown):
    info = run(studio, state)
    job = JobSnapshot(info.id, "Run 1", state, "", None, 1, 30, None) if ours else None
    assert views.buttons(info, job) == shown


def test_names_and_notes_are_never_a_part_of_the_page(studio):
    info = run(studio)
    hostile = replace(info, status=replace(info.status, name=HOSTILE, dataset_name=HOSTILE))
    assert "<img" not in views.heading(hostile)
    assert "<img" not in table.runs_table([hostile], "", [], 0)
    assert "<img" not in views.log(History(notes=((0.0, LogNote(HOSTILE)),)))


def test_the_table_offers_to_resume_only_what_can_be(studio):
    cut, done = run(studio, "interrupted"), run(studio, "finished", 30)
    shown = table.runs_table([cut, done], done.id, [cut.id], 0)
    assert shown.count('data-do="resume"') == 1
    assert shown.count('aria-checked="true"') == 1
    assert "other-1" in shown


def test_what_a_run_ended_with_is_not_said_twice(studio):
    info = run(studio, "cancelled", 17)
    told = replace(info, status=replace(info.status, message="Stopped by hand; Resume goes on from here."))
    assert views.sentence(told, None) == "Stopped by hand; Resume goes on from here."


def test_one_bar_shows_every_phase_and_how_far_all_of_it_is(studio):
    job = JobSnapshot("run-1", "Run 1", "running", "Training", 0.4, 12, 30, 360.0, "learn")
    shown = views.progress(run(studio), job)
    for name in ("Fetch", "Load", "Measure", "Learn", "Check"):
        assert f"<b>{name}</b>" in shown
    assert 'aria-valuenow="50"' in shown
    assert shown.count('class="phase done"') == 3
    fetching = replace(
        job, state="preparing", phase="fetch", stage="Fetching a model (1.2 of 8.1 GB)", seconds_left=200
    )
    assert "step" not in views.progress(run(studio, "preparing"), fetching).partition("work-note")[2]


def test_a_run_that_waits_shows_one_sentence_and_no_bar(studio):
    job = JobSnapshot("run-1", "Run 1", "queued", "Waiting for the run before it", None, 0, 0, None)
    shown = views.progress(run(studio, "queued"), job)
    assert "Waits until the run before it has ended." in shown
    assert "progressbar" not in shown
    assert not views.has_curve(History())


def test_runs_whose_losses_cannot_be_compared_say_so_in_the_legend(studio):
    shown = run(studio)
    elsewhere = replace(shown, id="b", status=replace(shown.status, name="B", dataset="set-2"))
    larger = replace(shown, id="c", status=replace(shown.status, name="C"), recipe=Recipe(model="Qwen/Qwen3-4B"))
    same = replace(shown, id="d", status=replace(shown.status, name="D"))
    names = [line["name"] for line in json.loads(views.loss_chart(shown, [elsewhere, larger, same]))["series"]][2:]
    assert names == ["B (other held-out tickets: not comparable)", "C (another model: not comparable)", "D"]


def test_a_run_has_one_duration_wherever_it_is_shown(studio):
    shown = run(studio, "finished")
    assert views.seconds_taken(shown.history) == shown.history.finished.seconds
    assert words.duration(shown.history.finished.seconds) in views.facts(shown.history)
    assert words.duration(shown.history.finished.seconds) in views.sentence(shown, None)


def test_a_run_that_did_not_learn_is_offered_again_with_smaller_steps(studio):
    flat = run(studio, "finished", history=checks(1.0, 1.2), recipe=Recipe(learning_rate=2e-4))
    assert "did not fall" in views.sentence(flat, None)
    assert views.lower_rate(flat) == 4e-5
    assert views.lower_rate(run(studio, "finished")) == 0.0
    assert views.lower_rate(replace(flat, recipe=Recipe(learning_rate=1e-7))) == 1e-7
