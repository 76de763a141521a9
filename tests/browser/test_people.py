"""Two people in one program: each logs in, and sees whose a run is before changing it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_whole_way import start_a_run, tab
from tests.browser.toasts import Toasts
from tests.program import running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def program(tmp_path_factory, starter):
    folder = tmp_path_factory.mktemp("people")
    (folder / "users").write_text("anna:first\nbo:second\n")
    with running(folder, "--auth-file", str(folder / "users"), starter=starter) as started:
        yield started


def logged_in(browser, program, name, password):
    """A browser of its own in which somebody has logged in; with its messages."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    toasts, page = Toasts(context), context.new_page()
    page.goto(program.address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    return page, toasts


def test_stopping_somebody_elses_run_asks_and_says_whose_it_is(browser, program, tiny_model):
    anna, _ = logged_in(browser, program, "anna", "first")
    expect(anna.locator(".log-out")).to_have_text("anna · Log out")
    anna.locator("#try-sample").click()
    expect(anna.locator("#summary")).to_contain_text("to learn from")
    start_a_run(anna, tiny_model, "Of Anna", 4000)
    expect(anna.locator("#run-progress")).to_contain_text(re.compile(r"of 4,?000"), timeout=120_000)
    expect(anna.locator("#run-title")).to_contain_text("started by anna")

    bo, told = logged_in(browser, program, "bo", "second")
    tab(bo, "training")
    expect(bo.locator("#run-title")).to_contain_text("started by anna")
    bo.locator("#stop").click()
    told.read(bo, "'Of Anna' was started by anna", "once more within a minute to stop it")
    expect(bo.locator("#stop")).to_be_visible()
    bo.locator("#stop").click()
    expect(bo.locator("#resume")).to_be_visible(timeout=120_000)

    anna.locator(".log-out").click()
    expect(anna.get_by_role("heading")).to_have_text("Log in to open Ticket Tuner.")
    for page in (anna, bo):
        page.context.close()
    assert not program.complaints()
