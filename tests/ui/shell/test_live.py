"""What a page is told every few seconds, and when it is told to look again."""

from dataclasses import replace

from engine.recipe import Recipe
from tests.ui.handlers import by_id, calls
from ui.shell.live import WARM, answer

PIECES = ("status-bar", "run-title", "run-progress", "loss-chart", "run-facts", "runs")


def ask(studio, run="", **more):
    return answer(studio, {"run": run, "overlays": [], "marks": dict.fromkeys(PIECES, ""), "looks": 1, **more})


def test_a_page_is_sent_what_it_does_not_have(studio):
    run = studio.runs.start(Recipe(), "set-1")
    first = ask(studio, run)
    assert set(first["values"]) == set(PIECES)
    again = ask(studio, run, marks={**first["marks"]})
    assert again["values"] == {}
    assert again["version"] == first["version"]


def test_a_page_that_shows_another_tab_is_sent_the_status_bar_alone(studio):
    run = studio.runs.start(Recipe(), "set-1")
    assert set(ask(studio, run, marks={"status-bar": ""})["values"]) == {"status-bar"}


def test_a_page_that_knows_no_run_is_told_of_the_newest(studio):
    studio.runs.start(Recipe(), "set-1")
    assert 'data-run="run-1"' in ask(studio)["values"]["run-title"]


def test_without_any_run_there_is_nothing_to_say_of_one(studio):
    assert set(ask(studio)["values"]) == {"status-bar"}


def test_the_version_differs_when_something_comes_or_changes_its_state(studio):
    versions = [ask(studio)["version"]]
    run = studio.runs.start(Recipe(), "set-1")
    versions.append(ask(studio)["version"])
    studio.runs.pause(run)
    versions.append(ask(studio)["version"])
    assert len(set(versions)) == 3


def test_the_heavy_libraries_are_imported_once_a_page_has_settled(studio):
    ask(studio, looks=WARM - 1)
    assert not calls(studio, "warm_up")
    ask(studio, looks=WARM)
    assert calls(studio, "warm_up")


def test_when_something_changed_lists_and_tabs_are_drawn_anew(wired, studio):
    studio.add_run("Run 1")
    seen = by_id(wired.drawn("shell.stage.look_again", open="training", dataset="set-1", run="run-1"))
    assert "Run 1" in seen["sidebar-lists"]
    assert "Run 1" in seen["run-title"]


def test_the_browsers_tab_says_how_far_a_run_is_and_how_it_ended(studio):
    run = studio.runs.start(Recipe(), "set-1", "March")
    asked = {"run": run, "marks": {}, "looks": 1}
    assert answer(studio, asked)["title"] == {"run": run, "text": f"{studio.job.whole:.0%} · March"}
    studio.runs.stop(run)
    assert answer(studio, {**asked, "followed": run})["title"] == {"run": "", "text": ""}, "stopped by hand: no news"
    for state, word in (("finished", "Done"), ("failed", "Failed")):
        info = studio.run_infos[run]
        studio.run_infos[run] = replace(info, status=replace(info.status, state=state))
        assert answer(studio, {**asked, "followed": run})["title"]["text"] == f"{word} · March"
    assert answer(studio, asked)["title"]["text"] == ""
