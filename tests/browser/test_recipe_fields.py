"""What one types into a recipe: numbers as people write them, and a model that there may not be."""

from itertools import product

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def recipe(page):
    page.locator("#tab-recipe-button").click()
    page.locator("#advanced > button, #advanced .label-wrap").first.click()
    expect(field(page, "learning_rate")).to_have_value("0.001")
    return page


def field(page, name):
    return page.locator(f"#field-{name} input")


def leave(page, name, text):
    field(page, name).fill(text)
    field(page, name).press("Tab")


def test_a_number_is_looked_at_when_its_field_is_left(recipe):
    leave(recipe, "learning_rate", "0,0002")
    expect(field(recipe, "learning_rate")).to_have_value("0.0002")
    expect(recipe.locator("#field-learning_rate")).to_contain_text("Changed from 0.001.")

    rate = field(recipe, "learning_rate")
    rate.focus()
    rate.press("ArrowUp")
    expect(rate).to_have_value("0.0004")
    rate.press("ArrowDown")
    rate.press("ArrowDown")
    expect(rate).to_have_value("0.0001")

    rank = field(recipe, "rank")
    rank.fill("many")
    expect(rank).to_have_attribute("aria-invalid", "false")  # nothing is red while somebody is typing
    rank.press("Tab")
    expect(rank).to_have_attribute("aria-invalid", "true")
    told = recipe.locator(f"#{rank.get_attribute('aria-describedby')}")
    expect(told).to_have_text("'many' is not a whole number. Write a whole number from 1 to 512.")
    expect(recipe.locator("#start-training")).to_be_disabled()
    leave(recipe, "rank", "")
    expect(told).to_have_text("There is no value. Write a whole number from 1 to 512.")
    recipe.locator("#reset-rank").click()
    expect(rank).to_have_value("16")
    expect(rank).to_have_attribute("aria-invalid", "false")
    expect(field(recipe, "learning_rate")).to_have_value("0.0001")


def test_a_model_that_is_none_is_said_where_it_is_typed(recipe):
    typed, told = recipe.locator("#other-model input"), recipe.locator("#other-model")
    typed.fill("nonsense model")
    recipe.locator("#use-other-model").click()
    expect(told).to_contain_text("There is no model folder 'nonsense model', and it is no model hub id either.")
    typed.fill("nobody/has-this")
    recipe.locator("#use-other-model").click()
    expect(told).to_contain_text("nobody/has-this is not on this computer, and the model hub cannot be reached.")
    expect(recipe.locator("#models .model.selected")).to_contain_text("Starter")


SIZES = ((1440, 900), (1366, 768), (1024, 768), (390, 844))


def test_start_and_what_it_takes_are_in_sight_at_every_size(recipe):
    """The button was below the edge, or under the status bar; with Advanced open most of all."""
    bar = recipe.locator("#status-bar .status")
    for (width, height), way in product(SIZES, ("0", "document.documentElement.scrollHeight")):
        recipe.set_viewport_size({"width": width, "height": height})
        recipe.evaluate(f"scrollTo(0, {way})")
        for part in ("#start-training", "#verdict .cost-line"):
            expect(recipe.locator(part), f"at {width} x {height}").to_be_in_viewport(ratio=1)
            bottom = recipe.locator(part).evaluate("(part) => part.getBoundingClientRect().bottom")
            assert bottom <= bar.evaluate("(bar) => bar.getBoundingClientRect().top"), f"at {width} x {height}"
