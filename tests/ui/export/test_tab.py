from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import StudioError
from engine.export.records import Choices, Proof
from tests.ui.handlers import by_id, calls, until
from ui.export.revealing import open_folder
from ui.task_registry import EXPORT

pytestmark = pytest.mark.ui


def test_a_run_in_the_middle_is_shown_with_its_checkpoint(wired, studio):
    run = studio.add_run("Run 1", "running", 12)
    studio.run_infos[run] = replace(studio.run_infos[run], checkpoint=10)
    shown = by_id(wired.handler("export.tab.show")("", run))
    assert "The checkpoint of step 10" in shown["export-about"]
    assert shown["download"]["value"].startswith("Download checkpoint of step 10")


def test_a_run_that_is_selected_in_the_sidebar_is_shown_and_its_tickets_stay(wired, studio):
    first, second = studio.add_run("Run 1"), studio.add_run("Run 2")
    show = wired.handler("export.tab.show")
    shown = by_id(show(first, second, first))
    assert shown["export-run"].value == second
    assert shown["export-tickets"]["value"] is False
    shown = by_id(show(first, second, second))
    assert shown["export-run"].value == first, "it was chosen here since"
    assert "value" not in shown["export-tickets"], "what was ticked stays"
    assert by_id(show(first, second, None))["export-run"].value == first, "as the browser remembers it"


def test_the_script_is_read_only_when_somebody_unfolds_it(wired, studio):
    run = studio.add_run("Run 1")
    shown = by_id(wired.handler("export.tab.show")("", run))
    assert "How to use it" not in shown["card"]
    assert ("usage", run) not in studio.calls
    assert "How to use it" in by_id(wired.handler("export.tab.read_usage")(run))["usage"]


def test_asking_it_opens_the_playground_with_it(wired, studio):
    run = studio.add_run("Run 1")
    told = wired.handler("export.tab.ask")(run)
    assert told[wired.context.page.voices] == [f"run:{run}", f"run:{run}+lookup"]
    assert told[wired.context.tabs].selected == "playground"


def test_a_format_is_made_and_then_lies_in_its_card(wired, studio, raised):
    run = studio.add_run("Run 1")
    wired.handler("export.tab.make")(raised(do="make", format="merged", onto="original"), run)
    assert calls(studio, "export") == [("export", run, "merged", Choices(onto="original"))]
    shown = until(lambda: ended(wired, run))
    assert "Saved as shop-merged" in shown["export-done"]
    assert "vllm serve" in shown["export-tiles"]


def ended(wired, run):
    """What the page gets once the export is there."""
    shown = by_id(wired.handler("export.tab.watch")(run))
    return shown if shown.get("export-done") else None


def test_a_page_that_is_opened_meanwhile_shows_how_far_it_is(wired, studio, raised):
    run, studio.task_pause = studio.add_run("Run 1"), 5.0
    wired.handler("export.tab.make")(raised(do="make", format="merged"), run)
    shown = until(lambda: under_way(wired, run))
    assert "Cancel" in shown["export-progress"]
    assert shown["download"]["interactive"] is False
    wired.context.tasks.cancel(EXPORT)


def under_way(wired, run):
    shown = by_id(wired.handler("export.tab.show")("", run))
    return shown if "Merging" in shown["export-progress"] else None


def test_an_export_is_packed_for_the_browser_when_it_is_asked_for(wired, studio, raised):
    run = studio.add_run("Run 1")
    wired.handler("export.tab.make")(raised(do="make", format="merged"), run)
    until(lambda: ended(wired, run))
    wired.handler("export.tab.fetch")(raised(do="fetch", format="merged"), run)
    shown = until(lambda: (seen := ended(wired, run)) and seen.get("download-file") and seen)
    assert shown["download-file"].endswith("shop-merged.zip")


def test_a_folder_is_not_opened_for_somebody_who_sits_elsewhere():
    with pytest.raises(StudioError, match="this window is on another one"):
        open_folder(Path("/somewhere"), "192.168.1.7")


def test_an_adapter_that_failed_its_trial_waits_until_somebody_says_that_it_may_go(wired, studio):
    run = studio.add_run("Run 1")
    studio.export.proofs["adapter"] = Proof("failed", "It does NOT answer as the playground does.")
    wired.handler("export.tab.pack")(run, False)
    shown = until(lambda: ended(wired, run))
    assert "does NOT answer" in shown["export-done"]
    assert "download-file" not in shown
    fetched = by_id(wired.handler("export.tab.anyway")())
    assert fetched["download-file"].endswith("run-1-adapter.zip")


def test_an_adapter_that_passed_is_fetched_and_says_so(wired, studio):
    run = studio.add_run("Run 1")
    studio.export.proofs["adapter"] = Proof("passed", "It answers as the playground does.")
    wired.handler("export.tab.pack")(run, False)
    shown = until(lambda: ended(wired, run))
    assert "It answers as the playground does." in shown["export-done"]
    assert shown["download-file"]
