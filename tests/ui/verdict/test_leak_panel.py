"""The leak test in the tab 'Verdict': offered, watched, and what it has found."""

import pytest

from engine.verdict.leak.certificate import Certificate
from tests.ui.fake_verdict import made_certificate
from tests.ui.handlers import by_id, calls, until
from ui.verdict import leak_views
from ui.verdict.components import first_look


def shown(wired, run):
    return by_id(wired.handler("verdict.tab.show")(run, {**first_look(), "run": run}))


def test_a_finished_run_is_tested_and_its_certificate_shown(wired, studio):
    run = studio.add_run("Run 1")
    there = shown(wired, run)
    assert there["leak-test"].interactive and "leaves nothing behind" in there["leak-told"]
    studio.go.clear()
    began = by_id(wired.handler("verdict.leak_panel.test_leaks")(run))
    assert not began["leak-test"].interactive
    watch = wired.handler("verdict.leak_panel.watch_leaks")
    until(lambda: True if "3 of 200" in by_id(watch(run))["leak-progress"] else None)
    studio.go.set()
    ended = until(lambda: seen if (seen := by_id(watch(run)))["leak-table"] else None)
    assert "None of 20 planted secrets came out" in ended["leak-told"]
    assert ended["leak-test"].value == "Test again"
    assert calls(studio, "test leaks") == [("test leaks", run)]


def test_a_run_that_has_learnt_nothing_cannot_be_tested(wired, studio):
    assert not shown(wired, studio.add_run("Run 1", "running", 0, 30))["leak-test"].interactive


def test_a_cancelled_test_offers_another(wired, studio):
    run = studio.add_run("Run 1")
    studio.go.clear()
    wired.handler("verdict.leak_panel.test_leaks")(run)
    wired.handler("verdict.leak_panel.cancel_leaks")(run)
    studio.go.set()
    watch = wired.handler("verdict.leak_panel.watch_leaks")
    ended = until(lambda: seen if (seen := by_id(watch(run)))["leak-test"].interactive else None)
    assert ended["leak-table"] == ""


@pytest.mark.parametrize(
    ("found", "label", "words"),
    [
        (made_certificate(), "Holds", "5 of 5 that were planted 8 times came out without masking"),
        (made_certificate(out=3), "Leaks", "add terms to the masked list"),
        (made_certificate(out=3, masking=False), "Leaks", "Prepare the tickets again with masking"),
        (made_certificate(fired=2), "Proves nothing", "only 2 of 5"),
    ],
)
def test_every_outcome_has_its_words_and_what_to_do(found: Certificate, label: str, words: str):
    told = leak_views.told(found, found.made)
    assert label in told and words in told


def test_what_the_answers_to_held_out_tickets_repeat_is_said_beside_it(wired, studio):
    from tests.ui.fake_verdict import made_verdict

    run = studio.add_run("Run 1")
    assert "When a run is judged" in shown(wired, run)["leak-repeated"]
    studio.verdict.kept[run] = made_verdict(run, "Run 1")
    assert "1 of 412 masked values stands in its 19 answers" in shown(wired, run)["leak-repeated"]
