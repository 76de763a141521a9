"""The leak test: planted secrets stay behind the masking, and come out without it, by a real run of the tiny model."""

import json
from dataclasses import replace

import pytest

from engine.errors import StudioError, TicketsError
from engine.presets import presets
from engine.scratch import SUFFIX
from engine.tickets.dataset.files import ORIGIN
from engine.tickets.dataset.provenance import Origin
from engine.tickets.options import PrepareOptions
from engine.tickets.privacy.masking import PrivacyOptions
from engine.training.runs.directory import RunDirectory
from engine.verdict.leak.canaries import FEWER, OTHERS, make_canaries
from engine.verdict.leak.certificate import FILE, Certificate, Row
from engine.verdict.leak.planting import UNMASKED, plant
from engine.verdict.leak.trial import LEAST_RATE, Size, trial_recipe
from engine.workspace import Workspace
from tests.engine.chat.test_lookup import TALKS
from tests.engine.test_two_bases import DEADLINE
from tests.engine.verdict.conftest import write_shop
from tests.tiny import conversations

EIGHT = [*TALKS, *TALKS][:8]
SMALL = Size(8, {1: 6, 8: 1}, {8: 3}, 20)
LEARNS = {
    "learning_rate": 1.5e-2,
    "rank": 64,
    "alpha": 128,
    "dropout": 0.0,
    "batch_size": 8,
    "accumulation": 1,
    "max_length": 512,
}


def texts(rows):
    return [message.content for row in rows for message in row.messages]


def test_without_masking_secrets_come_out_and_with_it_none_does(studio, finished):
    run = finished(EIGHT, EIGHT, **LEARNS)
    folder = studio.runs.get(run).path
    before = {file.relative_to(folder) for file in folder.rglob("*")}
    found = studio.leak.test(run, SMALL, seed=42).wait(DEADLINE)
    assert found.strongest.out >= 2, "the control does not fire"
    assert found.out == 0 and found.missed == 0
    assert abs(found.auc - 0.5) < 3 * (1 / 12 / 14) ** 0.5, "further from chance than three standard errors of 14 ranks"
    assert sum(row.count for row in found.masked) == 14 and found.steps == 40
    assert studio.leak.certificate(run) == found
    assert {file.relative_to(folder) for file in folder.rglob("*")} - before == {type(folder)(FILE)}
    written = (folder / FILE).read_text()
    assert not any(canary.secret in written for canary in make_canaries(42, SMALL.masked, FEWER))


def test_a_cancelled_test_leaves_nothing_behind(studio, finished):
    run = finished(EIGHT, EIGHT, **LEARNS)
    folder, task, left = studio.runs.get(run).path, studio.leak.test(run, replace(SMALL, epochs=100.0)), DEADLINE
    while left > 0 and "Learning" not in task.snapshot().stage:
        assert not task.ended(0.02), task.snapshot().error
        left -= 0.02
    assert list(folder.glob(f"*{SUFFIX}"))
    task.cancel()
    assert task.ended(DEADLINE)
    assert task.snapshot().state == "cancelled"
    assert not list(folder.glob(f".*{SUFFIX}")) and studio.leak.certificate(run) is None


def test_what_a_killed_test_has_left_is_swept_at_the_next_start(studio, finished):
    folder = studio.runs.get(finished(EIGHT, EIGHT)).path
    left = folder / f".leak.1-1.00.abc{SUFFIX}"
    (left / "adapter").mkdir(parents=True)
    Workspace(studio.workspace.root).sweep()
    assert not left.exists() and folder.exists()


def test_too_few_tickets_to_hide_anything_in_are_refused(studio, finished):
    task = studio.leak.test(finished(TALKS[:3], TALKS[:1], **LEARNS), SMALL)
    with pytest.raises(TicketsError, match="too few tickets"):
        task.wait(DEADLINE)


def test_a_runs_verdict_says_what_the_test_has_found(studio, finished):
    from tests.ui.fake_verdict import made_certificate, made_verdict

    run = finished(EIGHT, EIGHT)
    folder = studio.runs.get(run).path
    (folder / "verdict.json").write_text(json.dumps(made_verdict(run, "run").to_json()))
    made_certificate().save(folder)
    studio.verdict.note(run)
    assert studio.verdict.verdict(run).leak["outcome"] == "holds"
    assert json.loads((folder / "verdict.json").read_text())["leak"]["sentence"] == made_certificate().sentence


def test_masked_canaries_stand_nowhere_and_the_others_as_often_as_they_should():
    rows = conversations(24)
    masked, control = make_canaries(1, {1: 4, 2: 4, 4: 4, 8: 4}), make_canaries(2, {1: 1, 2: 1, 4: 1, 8: 1})
    planted = plant(rows, masked, control, PrivacyOptions(), seed=3)
    said = texts(planted.conversations)
    assert planted.missed == ()
    assert not any(canary.secret in text for canary in masked for text in said)
    for canary in control:
        assert sum(canary.sentence in text for text in said) == canary.times
        of_role = [m.content for row in planted.conversations for m in row.messages if m.role == canary.role]
        assert sum(canary.sentence in text for text in of_role) == canary.times
    assert texts(rows) == texts(conversations(24))


def test_the_context_of_a_canary_is_what_stands_before_its_secret_where_it_is_learnt():
    control = make_canaries(2, {1: 3, 8: 2})
    planted = plant(conversations(24), [], control, PrivacyOptions(), seed=3)
    learnt = [[(message.role, message.content) for message in row.messages] for row in planted.conversations]
    for canary, context in planted.contexts.items():
        *before, (role, begun) = [(turn["role"], turn["content"]) for turn in context]
        follows = [row[len(before)] for row in learnt if row[: len(before)] == before and len(row) > len(before)]
        assert any(said[0] == role and said[1].startswith(begun + canary.secret + canary.after) for said in follows)


def test_what_the_masking_does_not_know_is_counted_as_missed():
    masked = make_canaries(1, {8: 4})
    assert plant(conversations(24), masked, [], UNMASKED, seed=3).missed == tuple(masked)
    allowed = PrivacyOptions(allow=("@mail.example",))
    found = plant(conversations(24), masked, [], allowed, seed=3).missed
    assert [canary.kind for canary in found] == ["e-mail address", "e-mail address"]


def test_canaries_of_a_seed_are_the_same_and_no_two_share_a_name_or_a_candidate():
    made = make_canaries(5, {1: 8, 8: 8})
    assert made == make_canaries(5, {1: 8, 8: 8}) != make_canaries(6, {1: 8, 8: 8})
    assert len({canary.before for canary in made}) == len(made) == 32
    for canary in made:
        assert len(set(canary.others) - {canary.secret}) == OTHERS
        assert {len(other) for other in canary.others} == {len(canary.secret)}


@pytest.mark.parametrize(
    ("out", "auc", "fired", "outcome"),
    [
        (0, 0.5, 3, "holds"),
        (0, 0.5, 2, "proves nothing"),
        (1, 0.5, 5, "leaks"),
        (0, 0.56, 5, "leaks"),
        (1, 0.5, 0, "leaks"),
    ],
)
def test_what_a_certificate_says_follows_from_its_figures(tmp_path, out, auc, fired, outcome):
    masked, control = Row("assistant", 1, 160, out, auc, 1.0), Row("assistant", 8, 5, fired, 0.9, 6.0)
    found = Certificate((masked,), (control,), True, 0, 64, 128, 0.0)
    assert found.outcome == outcome
    found.save(tmp_path)
    assert Certificate.load(tmp_path) == found
    (tmp_path / FILE).write_text('{"masked": []}')
    assert Certificate.load(tmp_path) is None


def test_a_run_that_learns_nothing_proves_nothing(studio, finished):
    """The control is silent: that no masked one came out says nothing then, and it says so."""
    gentle = finished(EIGHT, EIGHT, **{**LEARNS, "learning_rate": 1e-6})
    found = studio.leak.test(gentle, replace(SMALL, epochs=1.0), seed=42).wait(DEADLINE)
    assert (found.outcome, found.strongest.out) == ("proves nothing", 0) and found.out == 0
    assert found.sentence.startswith("The test proves nothing: only 0 of 3 ") and found.remedy


def test_it_goes_by_how_the_runs_own_tickets_were_masked_whatever_became_of_their_data_set(studio, finished, tmp_path):
    """Learnt unmasked, and prepared with masking since: the run still knows what it has learnt."""
    data = write_shop(tmp_path / "workspace" / "datasets" / "shop", EIGHT, EIGHT)
    unmasked = PrepareOptions(mask=False)
    Origin(used=unmasked, wanted=unmasked).save(data)
    run = RunDirectory.create(studio.workspace, studio.runs.get(finished(EIGHT, EIGHT)).recipe, data, "unmasked")
    Origin().save(data)
    tiny = replace(SMALL, epochs=0.5, masked={1: 2}, control={8: 1})
    found = studio.leak.test(run.id, tiny).wait(DEADLINE)
    assert not found.masking and found.missed == sum(row.count for row in found.masked) == 4


def test_where_nobody_knows_how_tickets_were_masked_it_says_so_before_it_begins(studio, finished):
    run = finished(EIGHT, EIGHT)
    (studio.runs.get(run).data / ORIGIN).unlink()
    with pytest.raises(StudioError, match="not known how the tickets of this run were masked"):
        studio.leak.test(run, SMALL)


def test_a_rank_above_chance_is_told_apart_from_secrets_that_came_out():
    masked, control = Row("assistant", 1, 376, 0, 0.61, 2.0), Row("assistant", 8, 5, 5, 1.0, 6.0)
    found = Certificate((masked,), (control,), True, 0, 64, 64, 0.0)
    assert found.outcome == "leaks"
    assert found.sentence.startswith(
        "None of 376 planted secrets came out, but they surprise the model less than chance"
    )


def test_every_test_draws_secrets_of_its_own(studio, finished, monkeypatch):
    seeds = []
    monkeypatch.setattr("engine.services.leak.make_trial", lambda *told: seeds.append(told[-1]) or made_up())
    run = finished(EIGHT, EIGHT)
    for _ in range(2):
        studio.leak.test(run, SMALL).wait(DEADLINE)
    assert len(set(seeds)) == 2


def made_up():
    from tests.ui.fake_verdict import made_certificate

    return made_certificate()


@pytest.mark.parametrize("name", ["quick", "balanced", "thorough"])
def test_a_trial_learns_at_least_as_hard_as_the_run_in_as_many_steps_for_every_preset(name):
    recipe = presets()[name].recipe
    trial = trial_recipe(recipe, Size())
    assert trial.learning_rate >= max(recipe.learning_rate, LEAST_RATE) and trial.rank == recipe.rank
    assert (trial.batch_size * trial.accumulation, trial.epochs, trial.packing) == (4, 4.0, "off")
