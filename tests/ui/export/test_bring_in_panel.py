import pytest

from tests.ui.handlers import by_id, calls, until
from ui.task_registry import IMPORT

pytestmark = pytest.mark.ui


def brought(wired, source: str, name: str = "", base: str = ""):
    """Bring something in, and return what the page gets once it is here."""
    wired.handler("export.bring_in_panel.bring")(source, "", name, base)
    return until(lambda: (shown := by_id(wired.handler("export.bring_in_panel.watch")())).get("import-done") and shown)


def test_an_adapter_becomes_a_voice_and_its_trial_is_told(wired, studio, tmp_path):
    source = str(tmp_path / "shop.zip")
    shown = brought(wired, source, "Shop", " /models/mine ")
    assert calls(studio, "import") == [("import", source, "Shop", "/models/mine")]
    assert "‘Shop’ is here" in shown["import-done"]
    assert "It has passed." in shown["import-done"]
    assert shown["import-folder"] == ""
    told = wired.handler("export.bring_in_panel.ask")()
    assert told[wired.context.page.voices][0] == "adapter:a1"


def test_an_adapter_that_fails_its_trial_says_so(wired, studio):
    studio.importing.verdict = "failed"
    assert "proof-failed" in brought(wired, "jane/shop")["import-done"]


def test_a_whole_model_can_be_trained_over(wired, studio):
    shown = brought(wired, "/models/shop-merged")
    assert "Train over it" in shown["import-done"]
    told = wired.handler("export.bring_in_panel.train")({"preset": "quick", "values": {}, "model": "starter"})
    assert told[wired.context.page.draft]["model"] == "/models/shop-merged"
    assert told[wired.context.tabs].selected == "recipe"
    assert studio.recipes.own_models() == {"/models/shop-merged": "shop-merged"}


def test_a_page_that_is_opened_meanwhile_shows_how_far_it_is_and_can_call_it_off(wired, studio):
    studio.task_pause = 5.0
    wired.handler("export.bring_in_panel.bring")(None, "jane/shop", "", "")
    shown = until(lambda: under_way(wired))
    assert "Cancel" in shown["import-progress"]
    assert shown["import-adapter"].interactive is False
    wired.context.tasks.cancel(IMPORT)


def under_way(wired):
    shown = by_id(wired.handler("export.tab.show")("", ""))
    return shown if "Trying it" in shown["import-progress"] else None


def test_an_adapter_that_was_brought_in_can_go_on_in_every_format(wired, studio, tmp_path):
    brought(wired, str(tmp_path / "shop.zip"), "Shop")
    shown = by_id(wired.handler("export.tab.choose")("adapter:a1"))
    assert "An adapter that was brought in" in shown["export-about"]
    assert shown["export-tickets"]["visible"] is False
    assert ("Shop (brought in)", "adapter:a1") in shown["export-run"].choices
