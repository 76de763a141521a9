"""Every message says what happened; where there is something to do about it, that too."""

import gradio as gr
import pytest

from engine.errors import StudioError
from tests.browser.toasts import Toasts
from tests.ui.fake_tickets import HOSTILE
from ui.events import bind, say
from ui.shell.theme import launch_options

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def fail(error):
    def handler():
        raise error

    return handler


TOLD = {
    "both": (fail(StudioError("The name is empty.", "Type a name.")), "The name is empty.\nType a name."),
    "no-remedy": (fail(StudioError("That cannot be deleted here.")), "That cannot be deleted here."),
    "hostile": (fail(StudioError(HOSTILE, HOSTILE)), f"{HOSTILE}\n{HOSTILE}"),
    "unforeseen": (
        fail(KeyError("secret detail")),
        "Something unexpected happened (KeyError).\nNothing was lost; the details are in the log.",
    ),
    "done": (lambda: say(f"Saved as {HOSTILE}."), f"Saved as {HOSTILE}."),
}
"""Button -> what it does, and the message that a person reads."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with gr.Blocks(analytics_enabled=False) as app:
        for name, (handler, _) in TOLD.items():
            bind(gr.Button(name, elem_id=name).click, handler)
    _, address, _ = app.launch(
        prevent_thread_lock=True, quiet=True, share=False, run_history=False, show_error=False, **launch_options()
    )
    yield address
    app.close(verbose=False)


def test_every_message_is_shown_whole_and_as_text(browser, address):
    context = browser.new_context()
    toasts = Toasts(context)
    try:
        page = context.new_page()
        page.goto(address)
        for name, (_, told) in TOLD.items():
            page.locator(f"#{name}").click()
            assert toasts.read(page, *told.split("\n")) == told
        assert page.locator(".toast-body img, .toast-body script").count() == 0
        assert toasts.unread == []
    finally:
        context.close()
