"""Copying an answer out of its pane: by mouse, by keyboard, and where the browser has no clipboard for a page."""

import pytest
from playwright.sync_api import expect

from engine.workspace import Workspace
from tests.browser.conftest import open_window
from tests.engine.export.conftest import finished_run
from tests.tiny import write_data

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PASTED = "() => navigator.clipboard.readText()"
LISTEN = """() => {
  window.told = [];
  new MutationObserver((seen) => window.told.push(...seen.map(({ target }) => target.textContent)))
    .observe(document.querySelector("#board"), { childList: true, characterData: true, subtree: true });
}"""
"""What a button says for a moment, a busy computer would not see in time."""


def says_copied(page):
    """Wait until a button has said so since the last time."""
    page.wait_for_function("() => window.told.splice(0).includes('Copied')")


@pytest.fixture
def answered(page, context, program, tiny_base, tmp_path):
    """The playground, where base and adapter have answered a question."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=program.address)
    made = finished_run(Workspace(program.workspace), write_data(tmp_path / "data"), tiny_base)
    open_window(page, program)
    page.locator(f"#sidebar [data-id='{made.id}'].side-pick").click()
    page.locator("#to-playground").click()
    expect(page.locator("[data-voice]")).to_have_count(3)
    page.locator("#question textarea").fill("where is my parcel please")
    page.locator("#question textarea").press("Control+Enter")
    expect(page.locator("#board .turn-assistant").first).to_be_visible()
    expect(page.locator("#board .speaking")).to_have_count(0, timeout=120_000)
    expect(page.locator("#send")).to_be_visible()
    page.evaluate(LISTEN)
    return page


def test_an_answer_is_copied_by_mouse_and_by_keyboard(answered):
    page = answered
    panes = page.locator("[data-voice]:has([data-copy-answer])")
    expect(panes.first).to_be_visible()
    for pane, press in zip(panes.all(), ("click", "Enter", "Space"), strict=False):
        button, answer = pane.locator("[data-copy-answer]"), pane.locator("[data-answer]").text_content()
        page.evaluate("navigator.clipboard.writeText('something else')")
        if press == "click":
            page.locator("[data-voice] h3").first.select_text()  # a selection elsewhere is in nobody's way
            button.click()
        else:
            button.focus()
            page.keyboard.press(press)
        says_copied(page)
        assert page.evaluate(PASTED) == answer
        expect(button).to_have_text("Copy")


def test_an_answer_is_copied_where_a_page_has_no_clipboard(answered):
    page = answered
    pane = page.locator("[data-voice]:has([data-copy-answer])").first
    button, answer = pane.locator("[data-copy-answer]"), pane.locator("[data-answer]").text_content()
    page.evaluate("navigator.clipboard.writeText('something else')")
    page.evaluate(
        "window.clipboard = navigator.clipboard;"
        "Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })"
    )
    button.click()
    says_copied(page)
    assert " ".join(page.evaluate("() => window.clipboard.readText()").split()) == " ".join(answer.split())


def test_the_command_of_a_recipe_is_copied_by_keyboard(page, context, program):
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=program.address)
    page.locator("#tab-tickets-button").click()
    if page.locator("#try-sample").is_visible():
        page.locator("#try-sample").click()
        expect(page.locator("#summary")).to_contain_text("to learn from")
    page.locator("#tab-recipe-button").click()
    page.get_by_role("button", name="Show command").click()
    command = page.get_by_role("button", name="Copy the command")
    command.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(text) => navigator.clipboard.readText().then((copied) => copied === text)", arg=command.text_content()
    )
