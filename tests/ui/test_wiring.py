import threading

import gradio as gr
import pytest

from engine.errors import StudioError
from tests.ui.fake_tickets import HOSTILE
from ui import wiring

pytestmark = pytest.mark.ui


@pytest.fixture
def told(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(wiring.gr, "Warning", lambda text, duration: seen.append(text))
    return seen


def test_a_known_failure_becomes_words_and_changes_nothing(told):
    def handler():
        raise StudioError("The name is empty.", "Type a name.")

    assert wiring.in_words(handler)() == gr.skip()
    assert told == ["<strong>The name is empty.</strong><br>Type a name."]


def test_a_failure_that_nobody_foresaw_shows_no_traceback(told):
    def handler():
        raise KeyError("secret detail")

    assert wiring.in_words(handler)() == gr.skip()
    assert "secret detail" not in str(told)
    assert "details are in the log" in told[0]


def test_words_in_a_message_are_escaped(told):
    wiring.tell(StudioError(HOSTILE, HOSTILE))
    assert "<img" not in str(told)


def test_an_empty_mapping_leaves_everything_as_it_is():
    assert wiring.in_words(dict)() == gr.skip()
    assert wiring.in_words(lambda: {"a": 1})() == {"a": 1}


def test_two_choices_within_a_moment_are_both_kept(tmp_path, monkeypatch):
    """The first takes longer, as on a computer that trains, and must not undo the second."""
    from gradio_client import Client

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    entered, second_asked = threading.Event(), threading.Event()

    def slow(draft):
        entered.set()
        second_asked.wait(1.0)  # as long as the second would need if it ran beside this one
        return {**draft, "preset": "thorough"}

    def quick(draft):
        second_asked.set()
        return {**draft, "model": "large"}

    with gr.Blocks(analytics_enabled=False) as app:
        draft = gr.State({"preset": "quick", "model": "small"})
        first, second, look = gr.Button(), gr.Button(), gr.Button()
        shown = gr.JSON()
        wiring.listen(first.click, slow, [draft], [draft], name="slow")
        wiring.listen(second.click, quick, [draft], [draft], name="quick")
        wiring.listen(look.click, lambda value: value, [draft], [shown], name="look")
    _, address, _ = app.launch(prevent_thread_lock=True, quiet=True, share=False, run_history=False)
    try:
        client = Client(address, verbose=False, analytics_enabled=False)
        jobs = [client.submit(api_name="/slow")]
        assert entered.wait(30)
        jobs.append(client.submit(api_name="/quick"))
        for job in jobs:
            job.result(30)
        assert client.predict(api_name="/look") == {"preset": "thorough", "model": "large"}
    finally:
        app.close(verbose=False)


def test_whoever_only_looks_waits_for_nobody():
    with gr.Blocks(analytics_enabled=False) as app:
        value, shown = gr.State(1), gr.Number()
        button = gr.Button()
        wiring.listen(button.click, lambda value: value, [value], [shown])
        wiring.listen(button.click, lambda value: value, [value], [value])
    looking, changing = app.fns.values()
    assert looking.concurrency_limit is None
    assert changing.concurrency_limit == 1
