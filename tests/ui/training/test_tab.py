"""The tab 'Training' as its handlers draw it."""

from dataclasses import replace

from engine.training.runs.history import History
from tests.ui.handlers import by_id
from ui.state.page import draft_of


def test_a_run_is_asked_while_it_trains_and_compared_when_it_has_ended(wired, studio):
    trains = studio.add_run("Trains", "running", 12)
    done = studio.add_run("Done")
    for run, label, voice in ((trains, "Ask it as it is now", f"run:{trains}@now"), (done, "Compare", f"run:{done}")):
        button = by_id(wired.handler("training.tab.show")(run, []))["to-playground"]
        assert button.visible
        assert button.value.startswith(label)
        page = wired.handler("training.tab.compare")(run)
        assert any(isinstance(value, list) and value[:1] == [voice] for value in page.values())
    stopped = studio.add_run("Stopped", "cancelled", 12)
    assert not by_id(wired.handler("training.tab.show")(stopped, []))["to-playground"].visible


def test_a_run_that_failed_before_its_first_step_leads_back_to_its_recipe(wired, studio):
    """Where a model cannot be loaded, the recipe says what would fit, and changes it with a click."""
    loaded, never = studio.add_run("Loaded", "failed", 12), studio.add_run("Never loaded", "failed", 0)
    info = studio.run_infos[never]
    studio.run_infos[never] = replace(info, history=History())
    assert not by_id(wired.handler("training.tab.show")(loaded, []))["start-again"].visible
    button = by_id(wired.handler("training.tab.show")(never, []))["start-again"]
    assert button.visible and button.value.startswith("Change its recipe")
    page = wired.handler("training.tab.again")(never)
    assert page[wired.context.page.draft] == draft_of(info.recipe)
    assert page[wired.context.tabs].selected == "recipe"
