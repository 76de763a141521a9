"""The program as a person starts it, and a page in a real Chromium."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import FLAGS, find
from tests.browser.toasts import Toasts
from tests.program import Program, running

WAIT = 60_000
"""Milliseconds that a page has for whatever is waited for: others compute beside it."""
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    path = find()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield patient(made)
        made.close()


def patient(browser):
    """Let the pages of every context that a test makes have their time."""
    make = browser.new_context

    def new_context(**options):
        context = make(**options)
        context.set_default_timeout(WAIT)
        return context

    browser.new_context = new_context
    return browser


@pytest.fixture(scope="module")
def program(tmp_path_factory, starter):
    """A started program in a workspace with nothing but the starter model."""
    with running(tmp_path_factory.mktemp("program"), starter=starter) as started:
        yield started


@pytest.fixture
def context(browser):
    """A fresh profile of the browser."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield made
    made.close()


@pytest.fixture
def toasts(context):
    """The messages at the corner of the window; one that the test has not read lets it fail."""
    made = Toasts(context)
    yield made
    assert made.unread == []


@pytest.fixture
def page(context, program, toasts):
    """A fresh tab of a fresh profile; watched for errors, what its policy forbids, messages, and outside requests."""
    made = context.new_page()
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    outside: list[str] = []
    made.on("request", lambda seen: outside.append(seen.url) if not _local(seen.url, program) else None)
    open_window(made, program)
    yield made
    assert complaints == []
    assert outside == []
    assert not program.complaints()


def _local(url: str, program: Program) -> bool:
    return url.startswith((program.address, "data:", "blob:")) or url.replace("ws://", "http://").startswith(
        program.address
    )


def open_window(page, program) -> None:
    """Open the page, with the key where this browser has none yet, and wait until it can be used."""
    page.goto(program.address if page.context.cookies(program.address) else program.entrance)
    page.wait_for_selector("html[data-ready]", state="attached")
