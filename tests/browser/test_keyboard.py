"""The window without a mouse: tabs, lists, digits, and the command palette."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.judged import add_judged_run

TABS = ("tickets", "recipe", "training", "verdict", "playground", "export", "desk")


@pytest.fixture
def shop(page):
    """The page with the sample shop in it, and the keyboard at its beginning."""
    if page.locator("#try-sample").is_visible():
        page.locator("#try-sample").click()
    expect(page.locator("#conversations .list-row").first).to_be_visible()
    return page


def tab(page, name):
    return page.locator(f"#tab-{name}-button")


def focused(page, selector):
    page.wait_for_function("(selector) => document.activeElement.matches(selector)", arg=selector)


def test_digits_and_arrows_open_the_tabs(shop):
    tab(shop, "tickets").focus()
    for digit, name in enumerate(TABS, 1):
        shop.keyboard.press(str(digit))
        expect(tab(shop, name)).to_have_attribute("aria-selected", "true")
        expect(tab(shop, name)).to_be_focused()
    shop.keyboard.press("ArrowRight")
    expect(tab(shop, "tickets")).to_have_attribute("aria-selected", "true")
    shop.keyboard.press("End")
    expect(tab(shop, "desk")).to_have_attribute("aria-selected", "true")
    shop.keyboard.press("ArrowLeft")
    expect(tab(shop, "export")).to_be_focused()
    shop.keyboard.press("ArrowLeft")
    expect(tab(shop, "playground")).to_be_focused()
    stops = shop.locator("#tabs > .tab-wrapper [role=tablist] [role=tab][tabindex='0']")
    expect(stops).to_have_count(1)
    expect(stops).to_have_id("tab-playground-button")

    shop.locator("#question textarea").focus()
    shop.keyboard.press("1")
    expect(shop.locator("#question textarea")).to_have_value("1")
    expect(tab(shop, "playground")).to_have_attribute("aria-selected", "true")


def test_a_list_is_one_tab_stop_with_arrows_inside(shop):
    tab(shop, "tickets").click()
    rows = shop.locator("#conversations .list-row")
    expect(shop.locator("#conversations .list-row[tabindex='0']")).to_have_count(1)
    rows.first.focus()
    shop.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    shop.keyboard.press("End")
    expect(rows.last).to_be_focused()
    expect(rows.last).to_have_css("outline-style", "solid")
    shop.keyboard.press("Tab")
    assert not shop.evaluate("document.activeElement.matches('.list-row')")
    shop.keyboard.press("Shift+Tab")
    expect(rows.last).to_be_focused()
    shop.keyboard.press("Home")
    shop.keyboard.press("Enter")
    expect(rows.first).to_have_class(re.compile("selected"))

    dataset = shop.locator("#sidebar [data-kind=dataset].side-pick").first
    dataset.focus()
    shop.keyboard.press("ArrowRight")
    expect(shop.get_by_role("menuitem", name="Rename")).to_be_focused()
    shop.keyboard.press("Escape")
    expect(shop.get_by_role("menu")).to_have_count(0)


def test_the_masked_list_is_one_tab_stop_and_arrows_reach_every_button(shop):
    tab(shop, "tickets").click()
    shop.locator("#list-mode label", has_text="Masked").click()
    table = shop.locator("#conversations .terms")
    terms = table.locator(".term")
    expect(terms.nth(2)).to_be_visible()
    expect(table.locator("button[tabindex='0']")).to_have_count(1)
    terms.first.focus()
    shop.keyboard.press("ArrowDown")
    expect(terms.nth(1)).to_be_focused()
    shop.keyboard.press("ArrowRight")
    expect(table.locator("tbody tr").nth(1).locator("[data-do=allow]")).to_be_focused()
    shop.keyboard.press("Tab")
    assert not shop.evaluate("document.activeElement.closest('.terms')")
    shop.keyboard.press("Shift+Tab")
    expect(table.locator("tbody tr").nth(1).locator("[data-do=allow]")).to_be_focused()
    shop.locator("#list-mode label", has_text="Conversations").click()
    expect(shop.locator("#conversations .list-row").first).to_be_visible()


def test_what_is_cut_off_says_itself_whole_under_the_pointer(shop):
    shop.set_viewport_size({"width": 1366, "height": 768})
    tab(shop, "recipe").click()
    lines = shop.locator("#models .model-main .quiet")
    cut, whole = lines.filter(has_text="Runs on any computer"), lines.filter(has_text="Knows a little more")
    cut.hover()
    expect(cut).to_have_attribute("title", cut.inner_text())
    whole.hover()
    assert whole.get_attribute("title") is None
    shop.set_viewport_size({"width": 1920, "height": 1080})
    whole.hover()
    cut.hover()
    expect(cut).not_to_have_attribute("title", re.compile("."))


def test_the_palette_finds_a_data_set_a_model_and_something_to_do(shop):
    words, rows = shop.locator(".palette input"), shop.locator(".palette [role=option]")
    tab(shop, "export").click()

    shop.keyboard.press("Control+k")
    expect(words).to_be_focused()
    words.fill("sample shop data")
    expect(rows).to_have_count(1)
    shop.keyboard.press("Enter")
    expect(shop.locator(".palette")).not_to_be_visible()
    expect(tab(shop, "tickets")).to_have_attribute("aria-selected", "true")

    shop.locator("#find-button").click()
    words.fill("SMOLLM2-360m")
    expect(words).to_have_attribute("aria-activedescendant", "palette-0")
    shop.keyboard.press("ArrowDown")
    shop.keyboard.press("ArrowUp")
    shop.keyboard.press("Enter")
    expect(tab(shop, "recipe")).to_have_attribute("aria-selected", "true")
    expect(shop.locator(".model.selected")).to_contain_text("SmolLM2 360M")

    shop.keyboard.press("Control+k")
    words.fill("question")
    shop.keyboard.press("Enter")
    expect(tab(shop, "playground")).to_have_attribute("aria-selected", "true")
    focused(shop, "#question textarea")

    shop.keyboard.press("Control+k")
    words.fill("no such thing anywhere")
    expect(shop.locator(".palette-note")).to_have_text("Nothing is called that.")
    shop.keyboard.press("Escape")
    expect(shop.locator(".palette")).not_to_be_visible()
    expect(shop.locator("#question textarea")).to_be_focused()


def test_a_run_is_read_and_voted_on_by_keys_alone(shop, program, tmp_path):
    """The strip of answers on the way by its arrows, also after a reload; the blind test by 1, 2, 0 and b."""
    run = add_judged_run(program.workspace, tmp_path / "data")
    tab(shop, "training").click()
    words, slider = shop.locator("#run-replies output"), shop.locator("#run-replies input[type=range]")
    expect(words).to_have_text("step 20: 2 facts from nowhere")
    shop.reload()
    expect(words).to_have_text("step 20: 2 facts from nowhere")
    slider.focus()
    shop.keyboard.press("ArrowLeft")
    expect(words).to_have_text("step 10: 1 fact from nowhere")
    said = shop.locator("#run-replies .tuned .said")
    expect(said.filter(visible=True).first).to_have_text("Said at step 10.")
    shop.keyboard.press("Home")
    expect(words).to_have_text("before training: no fact from nowhere")
    expect(slider).to_be_focused()

    tab(shop, "verdict").click()
    card = shop.locator("#blind-card .blind-card")
    _begin_to_vote(shop)
    for number, key in enumerate("12", 1):
        expect(card).to_have_attribute("aria-label", f"Ticket {number} of 4")
        expect(card).to_be_focused()
        shop.keyboard.press(key)
    expect(card).to_have_attribute("aria-label", "Ticket 3 of 4")
    expect(card).to_be_focused()
    shop.keyboard.down("0")
    shop.keyboard.down("0")  # a key that is held votes once
    shop.keyboard.up("0")
    expect(card).to_have_attribute("aria-label", "Ticket 4 of 4")
    shop.reload()
    expect(tab(shop, "verdict")).to_have_attribute("aria-selected", "true")
    _begin_to_vote(shop)
    expect(card).to_have_attribute("aria-label", "Ticket 4 of 4")
    expect(card).to_be_focused()
    shop.keyboard.press("b")
    expect(shop.locator("#blind-card")).to_contain_text("you have read all 4 tickets")
    votes = [json.loads(line) for line in (run.path / "verdict" / "votes.jsonl").read_text().splitlines()]
    assert [vote["choice"] for vote in votes] == ["first", "second", "tie", "both bad"]
    assert len({vote["ticket"] for vote in votes}) == 4 and {vote["voter"] for vote in votes} == {"Ann"}


def _begin_to_vote(page):
    page.locator("#blind-test > button, #blind-test .label-wrap").first.click()
    page.locator("#blind-voter input, #blind-voter textarea").first.fill("Ann")
    page.keyboard.press("Enter")
