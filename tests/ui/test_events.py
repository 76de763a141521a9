import gradio as gr
import pytest

from engine.errors import StudioError
from tests.ui.fake_tickets import HOSTILE
from tests.ui.wired import handler_of
from ui import events

pytestmark = pytest.mark.ui


@pytest.fixture
def told(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(events.gr, "Warning", lambda text, duration: seen.append(text))
    return seen


def test_a_known_failure_becomes_words_and_changes_nothing(told):
    def handler():
        raise StudioError("The name is empty.", "Type a name.")

    assert events.in_words(handler)() == gr.skip()
    assert told == ["<strong>The name is empty.</strong><br>Type a name."]


def test_a_failure_that_nobody_foresaw_shows_no_traceback(told):
    def handler():
        raise KeyError("secret detail")

    assert events.in_words(handler)() == gr.skip()
    assert "secret detail" not in str(told)
    assert "details are in the log" in told[0]


def test_words_in_a_message_are_escaped(told):
    events.tell(StudioError(HOSTILE, HOSTILE))
    assert "<img" not in str(told)


def test_an_empty_mapping_leaves_everything_as_it_is():
    assert events.in_words(dict)() == gr.skip()
    assert events.in_words(lambda: {"a": 1})() == {"a": 1}


def test_no_click_is_let_go_that_says_what_it_is_about(wired):
    """A click on a row while the one before was answered: Gradio let it go, or answered the first one again."""
    heard = [known for known in wired.functions() if known.fn and events._tells_what(handler_of(known))]
    assert len(heard) > 25
    assert {known.trigger_mode for known in heard} == {"multiple"}
