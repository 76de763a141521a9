"""The window on a phone, or as narrow: every tab within reach, nothing beyond the edge, the lists behind a button."""

import re

import pytest
from playwright.sync_api import expect

TABS = ("recipe", "training", "verdict", "playground", "export", "desk", "tickets")
NOTHING_BEYOND = "() => document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def phone(page):
    """The page at the width of a phone, with the sample shop in it."""
    page.locator("#try-sample").click()
    expect(page.locator("#summary")).to_contain_text("to learn from")
    page.set_viewport_size({"width": 390, "height": 844})
    return page


def test_a_phone_reaches_every_tab_and_the_lists(phone):
    for name in TABS:
        phone.locator(f"#tab-{name}-button").click()
        expect(phone.locator(f"#tab-{name}")).to_be_visible()
        phone.wait_for_function(NOTHING_BEYOND)
    dataset, opens = phone.locator("#sidebar [data-kind=dataset].side-pick").first, phone.locator("#lists-button")
    expect(dataset).not_to_be_visible()

    opens.click()
    expect(dataset).to_be_visible()
    expect(opens).to_have_attribute("aria-expanded", "true")
    phone.keyboard.press("Escape")
    expect(dataset).not_to_be_visible()
    expect(opens).to_be_focused()

    phone.locator("#tab-export-button").click()
    opens.click()
    dataset.click()
    expect(phone.locator("#tab-tickets-button")).to_have_attribute("aria-selected", "true")
    expect(dataset).not_to_be_visible()


def test_a_tablet_reaches_every_tab(page):
    """The last ones had been left away, or lay under the search; and a recipe's cards reached beyond the edge."""
    for width in (768, 900, 1024):
        page.set_viewport_size({"width": width, "height": 1024})
        page.reload()
        page.wait_for_selector("html[data-ready]", state="attached")
        for name in TABS:
            page.locator(f"#tab-{name}-button").click()
            expect(page.locator(f"#tab-{name}-button")).to_have_attribute("aria-selected", "true")
            page.wait_for_function(NOTHING_BEYOND)
        last, search = page.locator("#tab-desk-button").bounding_box(), page.locator(".find-button").bounding_box()
        assert last["x"] + last["width"] <= search["x"]


def test_the_open_tab_is_in_sight_once_a_window_has_become_narrow(page):
    for name in ("desk", "tickets"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.locator(f"#tab-{name}-button").click()
        page.set_viewport_size({"width": 390, "height": 844})
        expect(page.locator(f"#tab-{name}-button")).to_be_in_viewport(ratio=1)


def test_the_way_on_is_in_sight_on_a_small_laptop(page):
    """The panel beside a long recipe scrolls by itself; its button had been below the edge of the window."""
    page.set_viewport_size({"width": 1280, "height": 620})
    page.locator("#tab-tickets-button").click()
    page.locator("#to-recipe").click()
    start = page.locator("#start-training")
    expect(start).to_be_in_viewport(ratio=1)
    bottom = start.evaluate("(button) => button.getBoundingClientRect().bottom")
    assert bottom <= page.locator("#status-bar .status").evaluate("(bar) => bar.getBoundingClientRect().top")
    expect(page.locator("#lists-button")).not_to_be_visible()
    expect(page.locator("#tab-recipe-button")).to_have_class(re.compile("selected"))


def test_what_fits_into_the_window_does_not_scroll(page):
    """Gaps between what is fixed at the edges made every page 36 px longer than the window."""
    page.locator("#tab-export-button").click()
    expect(page.locator("#no-adapter")).to_be_visible()
    page.wait_for_function("() => document.documentElement.scrollHeight <= innerHeight")
