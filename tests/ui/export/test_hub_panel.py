import pytest

from engine.errors import StudioError
from engine.export.records import Sending, Sent
from tests.ui.fake_tickets import HOSTILE
from tests.ui.handlers import by_id, calls, until
from ui.export.hub_panel import told_of

pytestmark = pytest.mark.ui


def ended(wired, run):
    shown = by_id(wired.handler("export.tab.watch")(run))
    return shown if shown.get("hub-told") else None


def test_what_would_go_is_listed_before_anything_goes(wired, studio):
    run = studio.add_run("Run 1")
    wired.handler("export.tab.look")(run, "adapter")
    shown = until(lambda: ended(wired, run))
    assert "README.md" in shown["hub-told"]
    assert "Stays here: train.jsonl" in shown["hub-told"]
    assert not calls(studio, "send_of")


def test_it_goes_privately_with_the_token_and_the_token_is_gone_from_the_page(wired, studio):
    run = studio.add_run("Run 1")
    pressed = by_id(wired.handler("export.tab.send")(run, "adapter", " jane/shop ", "hf_mine", False))
    assert pressed["hub-token"] == ""
    assert calls(studio, "send_of") == [("send_of", run, "adapter", "jane/shop", "hf_mine", True)]
    assert "only you can see it" in until(lambda: ended(wired, run))["hub-told"]


def test_without_a_place_nothing_is_sent(wired, studio):
    run = studio.add_run("Run 1")
    with pytest.raises(StudioError, match="no place to send it to"):
        wired.handler("export.tab.send")(run, "adapter", " ", "hf_mine", False)
    assert not calls(studio, "send_of")


def test_nothing_that_is_told_is_taken_for_html():
    assert "<img" not in told_of(Sent(HOSTILE, HOSTILE, "", False, ()))
    assert "<img" not in told_of(Sending(((HOSTILE, 1),), (HOSTILE,)))
