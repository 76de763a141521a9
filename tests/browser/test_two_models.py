"""What a person does after the starter model: choose a better one, compare, and come back to the first."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_window
from tests.browser.test_whole_way import start_a_run, tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
STEPS = 4


def train(page, program, model, name):
    """Start a short run and wait for its end."""
    open_window(page, program)
    start_a_run(page, model, name, STEPS)
    expect(page.locator("#run-title")).to_contain_text(name)
    expect(page.locator("#run")).to_contain_text("finished", ignore_case=True)


def ask(page, name):
    """Put a question to a run's adapter, with look-up too, and its base; return what adapter and base say."""
    tab(page, "training")
    page.locator("#runs .link", has_text=name).click()
    expect(page.locator("#run-title")).to_contain_text(name)
    page.locator("#to-playground").click()
    expect(page.locator("[data-voice] h3")).to_have_text(["Base model", name, f"{name}, with look-up"])
    if page.locator("#board .turn").count():  # what its base has said before; of another base nothing is shown
        page.locator("#new-talk").click()
        expect(page.locator("#board .turn")).to_have_count(0)
    page.locator("#question textarea").fill("Where is my parcel?")
    page.locator("#question textarea").press("Control+Enter")
    answers = page.locator("[data-voice]:not([data-voice$='+lookup']) .turn-assistant")  # with it some say nothing
    expect(answers).to_have_count(2)
    expect(page.locator("#board .speaking")).to_have_count(0, timeout=240_000)  # the starter is converted beside it
    expect(page.locator("#send")).to_be_visible()
    expect(page.locator("#playground-notice")).to_have_text("")
    return answers.locator("p").all_inner_texts()


def test_one_model_after_the_other_is_trained_and_asked_and_the_first_one_again(
    page, program, tiny_model, other_tiny_model
):
    page.locator("#try-sample").click()
    expect(page.locator("#summary")).to_contain_text("to learn from")
    train(page, program, tiny_model, "With the first")
    first = ask(page, "With the first")
    expect(page.locator("#status-bar")).to_contain_text(f"{tiny_model.name}, 4 bit")
    train(page, program, other_tiny_model, "With the other")
    other = ask(page, "With the other")
    expect(page.locator("#status-bar")).to_contain_text(f"{other_tiny_model.name}, 4 bit")
    assert other[0] != first[0], "another base"
    assert first[0] != first[1]
    assert ask(page, "With the first") == first
    expect(page.locator("#status-bar")).to_contain_text(f"{tiny_model.name}, 4 bit")
