"""Clicks that follow each other before the program has answered: each counts, in the order in which they came."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@contextmanager
def unanswered(page):
    """Keep what the page asks the program on its way, and let it arrive in order at the end of the block."""
    held = []
    pattern = re.compile("/queue/join")
    page.route(pattern, lambda route: held.append(route))
    yield held
    for route in held:
        route.continue_()
    page.unroute(pattern)


def wait_for_one(page, held):
    """Return when the program has been asked."""
    for _ in range(6000):
        if held:
            return
        page.wait_for_timeout(10)
    raise AssertionError("nothing was asked")


@pytest.fixture
def shop(page):
    """The page with the sample shop in it."""
    if page.locator("#try-sample").is_visible():
        page.locator("#try-sample").click()
    expect(page.locator("#conversations .list-row").first).to_be_visible()
    return page


def test_a_row_that_is_clicked_before_the_one_before_is_shown_is_the_one_that_is_open(shop):
    """Gradio, told to answer the last click, answered the first one a second time."""
    rows = shop.locator("#conversations .list-row")
    with unanswered(shop) as held:
        rows.nth(3).click()
        wait_for_one(shop, held)
        rows.nth(5).click()
    expect(rows.nth(5)).to_have_class(re.compile("selected"))


def test_a_card_that_is_clicked_before_the_one_before_is_taken_is_the_one_that_is_chosen(shop):
    """Gradio lets a click go that comes while the one before is answered."""
    shop.locator("#tab-recipe-button").click()
    cards = shop.locator("#tab-recipe .card")
    expect(cards.nth(2)).to_be_visible()
    with unanswered(shop) as held:
        cards.nth(1).click()
        wait_for_one(shop, held)
        cards.nth(2).click()
    expect(cards.nth(2)).to_have_attribute("aria-checked", "true")
