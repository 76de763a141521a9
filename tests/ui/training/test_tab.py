"""The tab 'Training' as its handlers draw it."""

from tests.ui.handlers import by_id


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
