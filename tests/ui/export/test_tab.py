from dataclasses import replace

import pytest

from tests.ui.handlers import by_id

pytestmark = pytest.mark.ui


def test_a_run_in_the_middle_is_shown_with_its_checkpoint(wired, studio):
    run = studio.add_run("Run 1", "running", 12)
    studio.run_infos[run] = replace(studio.run_infos[run], checkpoint=10)
    shown = by_id(wired.handler("export.tab.show")("", run))
    assert "The checkpoint of step 10" in shown["export-about"]
    assert shown["download"].value.startswith("Download checkpoint of step 10")


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
